"""Sweeps of a REST stream: nothing lost, nothing doubled, resumed where it was, and bad records kept."""

import json

import pytest
from starlette.responses import Response

from connectors.landing import Landing
from connectors.model import PermanentError, TransientError
from connectors.replay import dead_letters, raw_of, replay
from connectors.rest import reader
from connectors.sync import landed_position, landing_of, source_position, sync
from tests.rest.conftest import json_answer, order


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(reader, "BATCH_ROWS", 20)
    monkeypatch.setattr("connectors.rest.client.backoff", lambda attempt: 0.0)


def state(home) -> dict[str, dict]:
    with landing_of(home, "oms").session() as db:
        return {key: json.loads(doc) for key, doc in db.execute("select doc_key, doc from raw_oms.orders").fetchall()}


def log_rows(home) -> int:
    with landing_of(home, "oms").session() as db:
        return db.execute("select count(*) from raw_oms.orders__log").fetchone()[0]


def test_two_runs_land_everything_once(api, oms, home):
    api.orders = [order(n) for n in range(95)]
    first = sync(oms, home)
    assert (first.rows, first.dead, first.per_stream) == (95, 0, {"orders": 95}) and first.batches > 3
    assert state(home)["S-000042"] == {"document": "order", **order(42)}
    again = sync(oms, home)
    assert again.rows == 0 and log_rows(home) == 95 and again.position == first.position
    assert api.requests[-1]["updated_since"] == "2024-03-01T01:33:00Z"  # one minute of overlap before 01:34


def test_a_late_record_inside_the_overlap_and_one_with_an_equal_stamp_are_found(api, oms, home):
    api.orders = [order(n) for n in range(30)]
    sync(oms, home)
    api.orders += [{**order(29), "number": "S-equal"}, {**order(28, 30), "number": "S-late"}]
    assert sync(oms, home).rows == 2
    assert len(state(home)) == 32


def test_an_update_is_one_change_and_numbers_keep_their_digits(api, oms, home):
    api.orders = [order(1)]
    sync(oms, home)

    def exact(_request):
        return Response('{"orders":[{"number":"S-000001","updated_at":"2024-03-01T00:01:30Z","weight":1.10}]}')

    api.misbehave = [exact]
    assert sync(oms, home).rows == 1
    with landing_of(home, "oms").session() as db:
        ops = db.execute("select _op, doc from raw_oms.orders__log order by _commit_pos, _ordinal").fetchall()
    assert [op for op, _ in ops] == ["i", "u"] and '"weight":1.10' in ops[1][1]


def test_a_sweep_that_breaks_off_goes_on_where_it_was(api, oms, home):
    api.orders = [order(n) for n in range(95)]

    def broken(_request):
        return Response("", 500)

    api.misbehave = [lambda _r: None] * 6 + [broken] * 3
    with pytest.raises(TransientError):
        sync(oms, home)
    landed = len(state(home))
    assert landed == 60, "what was read before the failure has landed"
    api.requests.clear()
    assert sync(oms, home).rows == 35
    assert len(api.requests) == 4 and "cursor" in api.requests[0]
    assert len(state(home)) == log_rows(home) == 95


def test_a_stored_page_token_that_expired_starts_the_sweep_again(api, oms, home):
    api.orders = [order(n) for n in range(45)]
    api.misbehave = [lambda _r: None] * 3 + [lambda _r: Response("", 500)] * 3
    with pytest.raises(TransientError):
        sync(oms, home)
    api.misbehave = [lambda _r: Response('{"detail": "expired"}', 410)]
    assert sync(oms, home).rows == 15
    assert len(state(home)) == 45


def test_pages_that_never_end_are_noticed(api, oms, home):
    page = json_answer({"orders": [order(1)], "next_cursor": "same"})
    api.misbehave = [lambda _r: page] * 9
    with pytest.raises(PermanentError, match="same page token"):
        sync(oms, home)
    assert len(api.requests) == 2
    api.misbehave = [lambda _r, n=n: json_answer({"orders": [], "next_cursor": f"t{n}"}) for n in range(99)]
    with pytest.raises(PermanentError, match="empty pages"):
        sync(oms, home, full=True)


def test_repeated_and_shuffled_records_of_a_page_land_once(api, oms, home):
    records = [order(3), order(1), order(3), order(2), order(1)]
    api.misbehave = [lambda _r: json_answer({"orders": records, "next_cursor": None})]
    assert sync(oms, home).rows == 3


def test_a_faulty_record_is_kept_and_the_rest_lands(api, oms, home):
    bad = [
        '{"updated_at":"2024-03-01T00:00:09Z"}',
        '{"number":null}',
        "17",
        '{"number":{"a":1}}',
        '{"number":"\\ud800"}',
    ]
    good = json.dumps(order(1))
    api.misbehave = [lambda _r: Response(f'{{"orders":[{",".join([*bad, good])}],"next_cursor":null}}')]
    result = sync(oms, home)
    assert (result.rows, result.dead) == (1, 5)
    letters = dead_letters(home, "oms")
    assert sorted(raw_of(home, "oms", one["id"]).decode() for one in letters) == sorted(bad)
    api.misbehave = [lambda _r: Response(f'{{"orders":[{",".join(bad)}],"next_cursor":null}}')]
    sync(oms, home)
    assert len(dead_letters(home, "oms")) == 5, "the same faulty record again is no second dead letter"


def test_a_page_of_nothing_but_faults_stops_the_run(api, oms, home):
    api.misbehave = [lambda _r: json_answer({"orders": [{"id": n} for n in range(30)], "next_cursor": None})]
    with pytest.raises(PermanentError, match="Every record"):
        sync(oms, home)
    assert dead_letters(home) == []


def test_replay_lands_after_a_fix_once_and_never_over_a_newer_document(api, oms, home):
    api.orders = [order(1)]
    keyed_otherwise = {"ref": "S-000009", "updated_at": "2024-03-01T00:00:01Z"}
    older = {"ref": "S-000001", "updated_at": "2024-02-01T00:00:01Z"}
    api.misbehave = [lambda _r: json_answer({"orders": [order(1), keyed_otherwise, older], "next_cursor": None})]
    sync(oms, home)
    assert [one.outcome for one in replay(home, [oms])] == ["faulty", "faulty"]
    fixed = oms.model_copy(update={"streams": (oms.streams[0].model_copy(update={"key": ("ref",)}),)})
    assert sorted((one.outcome, one.rows) for one in replay(home, [fixed])) == [("replayed", 1), ("superseded", 0)]
    assert replay(home, [fixed]) == [] and dead_letters(home) == []
    assert state(home)["S-000009"]["ref"] == "S-000009" and state(home)["S-000001"] == {"document": "order", **order(1)}
    position = landed_position(home, oms)
    assert sync(oms, home).rows == 0 and landed_position(home, oms) == position


def test_the_position_says_whether_there_is_something_to_do(api, oms, home):
    assert landed_position(home, oms) is None
    api.orders = [order(n) for n in range(25)]
    assert source_position(oms, None) != landed_position(home, oms)
    result = sync(oms, home)
    assert landed_position(home, oms) == result.position == source_position(oms, result.position)
    assert result.complete_up_to.isoformat() == "2024-03-01T00:24:00"
    api.orders.append(order(40))
    assert source_position(oms, result.position) != result.position


def test_a_failed_run_is_told_and_keeps_the_landed_position(api, oms, home):
    api.orders = [order(1)]
    position = sync(oms, home).position
    api.misbehave = [lambda _r: Response("no", 403)]
    with pytest.raises(PermanentError):
        sync(oms, home)
    assert landed_position(home, oms) == position


def test_a_full_sweep_finds_what_a_stamp_hid(api, oms, home):
    api.orders = [order(n) for n in range(15)]
    sync(oms, home)
    api.orders.append({**order(0), "number": "S-hidden"})
    assert sync(oms, home).rows == 0
    assert sync(oms, home, full=True).rows == 1
    assert Landing(home / "landing" / "oms.duckdb", "oms").check_state("orders").ok


@pytest.mark.parametrize("depth", [1_200, 50_000])
def test_a_record_nested_without_end_is_a_dead_letter_and_the_others_land(api, oms, home, depth):
    good = [json.dumps(order(n)) for n in range(100)]
    nested = '{"number": "S-deep", "updated_at": "2024-03-01T00:00:00Z", "a": ' + "[" * depth + "]" * depth + "}"

    def page(_request):
        return Response('{"orders": [' + ",".join([*good[:50], nested, *good[50:]]) + '], "next_cursor": null}')

    api.misbehave = [page]
    result = sync(oms, home)
    assert (result.rows, result.dead) == (100, 1) and len(state(home)) == 100
    (letter,) = dead_letters(home, "oms")
    assert "nested more than 200 deep" in letter["reason"]
    assert sync(oms, home).rows == 0


def test_a_record_over_the_limit_is_a_dead_letter_and_the_others_land(api, oms, home, monkeypatch):
    monkeypatch.setattr("connectors.rest.reader.LIMIT_BYTES", 20_000)
    records = [json.dumps(order(n)) for n in range(3)]
    records.insert(1, json.dumps({**order(7), "note": "x" * 30_000}))
    api.misbehave = [lambda _request: Response('{"orders": [' + ",".join(records) + '], "next_cursor": null}')]
    result = sync(oms, home)
    assert (result.rows, result.dead) == (3, 1)
    assert "more than" in dead_letters(home, "oms")[0]["reason"]


def test_a_page_over_the_limit_is_asked_for_again_with_fewer_records(api, oms, home):
    api.orders = [{**order(n), "note": "x" * 20_000} for n in range(12)]
    small = oms.model_copy(update={"read": oms.read.model_copy(update={"max_body_mb": 0.1})})
    assert sync(small, home).rows == 12
