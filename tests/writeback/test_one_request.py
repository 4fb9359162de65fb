"""One request of a record at a time: how long it may be under way, and what a late answer of it still decides."""

import time

import pytest
from sqlalchemy import select
from starlette.responses import StreamingResponse

from connectors.control.tables import attempt
from connectors.writeback import abandon, release
from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.ledger import writes
from connectors.writeback.resolve import resolve
from connectors.writeback.target import HttpTarget
from tests.writeback import steps
from tests.writeback.steps import wanted


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def before_sending(monkeypatch):
    """Does each of these, in turn, while a request is just about to leave."""
    patch = HttpTarget.patch

    def arrange(*does) -> list:
        left, sends = list(does), []

        def sent(target, *given):
            sends.append(given)
            if left:
                left.pop(0)(target)
            return patch(target, *given)

        monkeypatch.setattr(HttpTarget, "patch", sent)
        return sends

    return arrange


def test_the_whole_of_a_request_lasts_no_longer_than_its_deadline(control, landed, erp):
    plan_hash = wanted(control, landed.path)

    def dripping():
        for _ in range(30):  # each piece comes in time
            time.sleep(0.2)
            yield b" "

    erp.on_patch = lambda _: StreamingResponse(dripping())
    started = time.monotonic()
    row = steps.apply(control, erp.url, plan_hash, timeout_s=1.0)[0]
    assert row["state"] == "in_doubt" and time.monotonic() - started < 4


def test_a_request_under_way_is_not_sent_again_by_another(control, landed, erp, monkeypatch, before_sending, at):
    monkeypatch.setattr(erp, "edit", lambda price: setattr(erp, "price", price))  # no version would stop the second
    plan_hash = wanted(control, landed.path)

    seen = []

    def another(_) -> None:
        for seconds in (10, 45):
            at(seconds=seconds)
            seen.append(steps.apply(control, erp.url, plan_hash, timeout_s=30)[0]["state"])

    before_sending(another)
    assert steps.apply(control, erp.url, plan_hash, timeout_s=30)[0]["state"] == "acked"
    assert seen == ["sent", "in_doubt"] and erp.applied == ["21.50"]


def test_an_answer_counts_though_another_process_settled_its_write(control, landed, erp, before_sending, at):
    plan_hash = wanted(control, landed.path)

    seen = []

    def another(target) -> None:
        at(seconds=65)
        resolve(control, steps.MAPPING, target, "erp")
        seen.append(writes(control)[0]["state"])

    before_sending(another)
    assert steps.apply(control, erp.url, plan_hash, timeout_s=30)[0]["state"] == "acked"
    assert seen == ["approved"]


def test_an_old_attempt_that_gives_up_does_not_end_a_newer_one(control, landed, erp, before_sending, at):
    plan_hash = wanted(control, landed.path)

    def killed(_) -> None:
        raise Killed

    def asleep(_) -> None:
        at(seconds=65)
        with pytest.raises(Killed):
            steps.apply(control, erp.url, plan_hash, timeout_s=30)
        raise TargetUnavailable("does not accept connections")

    sends = before_sending(asleep, killed)
    with pytest.raises(TargetUnavailable):
        steps.apply(control, erp.url, plan_hash, timeout_s=30)
    assert writes(control)[0]["state"] == "sent" and len(sends) == 2
    with control.transaction() as connection:
        outcomes = connection.execute(select(attempt.c.outcome).order_by(attempt.c.generation)).scalars().all()
    assert outcomes == ["not sent", None]


@pytest.mark.parametrize("end", ["apply", "release", "abandon"])
def test_a_request_from_a_clock_that_was_ahead_is_over(control, landed, erp, mapping, at, end):
    plan_hash = wanted(control, landed.path)

    def killed(phase: str) -> None:
        if phase == "durable":
            raise Killed

    at(hours=20)
    with pytest.raises(Killed):
        steps.apply(control, erp.url, plan_hash, on_phase=killed)
    at()
    if end == "apply":
        assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"
    else:
        given = (1, "why") if end == "release" else (mapping, 1, "why")
        assert {"release": release, "abandon": abandon}[end](control, *given)["state"] == f"{end.rstrip('e')}ed"


def test_a_wish_that_is_replaced_during_the_look_is_not_sent(control, landed, erp, monkeypatch):
    plan_hash, read = wanted(control, landed.path), HttpTarget.read

    def replaced(*given):
        steps.correct(control, landed.path, "22.00")
        return read(*given)

    monkeypatch.setattr(HttpTarget, "read", replaced)
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "stale" and erp.requests == 0


def test_a_doubt_is_not_given_up_before_its_request_is_over(control, landed, erp, mapping, at):
    erp.behave = ["die_before"]
    steps.apply(control, erp.url, wanted(control, landed.path), timeout_s=60)
    with pytest.raises(Refused, match="may still arrive"):
        abandon(control, mapping, 1, "why")
    at(seconds=61)
    assert abandon(control, mapping, 1, "why")["state"] == "abandoned"
