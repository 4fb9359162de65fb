"""A stream that cannot be read stands still by name; whatever can be read lands."""

import json

import pytest
from starlette.responses import Response

from connectors.model import PermanentError
from connectors.replay import dead_letters
from connectors.sync import examined, landed_position, source_position, sync
from tests.rest.conftest import json_answer, order
from tests.rest.test_sync_rest import state


@pytest.fixture
def two(oms, stream):
    gone = stream.model_copy(update={"name": "gone", "path": "/v1/gone"})
    return oms.model_copy(update={"streams": (gone, stream)})


def test_a_stream_that_is_refused_holds_up_no_other(api, two, home):
    api.orders = [order(1)]
    result = sync(two, home)
    assert set(state(home)) == {"S-000001"} and "404" in result.stopped["gone"]
    assert result.complete_up_to is None, "of what is not known there is no telling how far it is complete"
    assert source_position(two, result.position) == landed_position(home, two)
    api.orders.append(order(2))
    assert source_position(two, result.position) != result.position
    assert len(examined(two)) == 1 and "gone" in examined(two)[0]


def test_a_stream_that_stood_still_goes_on_when_it_can_be_read(api, two, home, stream):
    api.orders = [order(1)]
    sync(two, home)
    mended = two.model_copy(update={"streams": (two.streams[0].model_copy(update={"path": "/moved"}), stream)})
    result = sync(mended, home)
    assert result.stopped == {} and result.per_stream == {"gone": 1} and result.complete_up_to is not None


def test_a_system_none_of_whose_streams_can_be_read_fails(api, two, home):
    api.misbehave = [lambda _r: Response("no", 403)] * 9
    for ask in (lambda: sync(two, home), lambda: source_position(two)):
        with pytest.raises(PermanentError):
            ask()


def test_a_page_of_nothing_but_faults_is_so_many_dead_letters_where_others_were_good(api, oms, home):
    api.orders = [order(n) for n in range(30)]
    after = json.dumps([order(9)["updated_at"], order(9)["number"]])
    bad = json_answer({"orders": [{"id": n} for n in range(20)], "next_cursor": after})
    sync(oms, home)
    api.orders += [order(n) for n in range(30, 40)]
    api.misbehave = [lambda _r: bad]
    assert sync(oms, home).dead == 20
    assert len(state(home)) == 40 and len(dead_letters(home, "oms")) == 20


def test_an_api_that_forgets_its_page_tokens_is_read_to_its_end_in_one_pass(api, oms, home):
    few = oms.model_copy(update={"read": oms.read.model_copy(update={"max_pages": 3})})
    api.orders = [order(n) for n in range(95)]
    assert sync(few, home).rows == 30
    api.misbehave = [lambda _r: Response("expired", 410)]
    assert sync(few, home).rows == 65


def test_one_that_takes_too_long_for_that_says_what_to_raise(api, oms, home, monkeypatch):
    few = oms.model_copy(update={"read": oms.read.model_copy(update={"max_pages": 3})})
    api.orders = [order(n) for n in range(95)]
    sync(few, home)
    few = few.model_copy(update={"read": few.read.model_copy(update={"longest": few.read.longest * 0})})
    api.misbehave = [lambda _r: Response("expired", 410)]
    with pytest.raises(PermanentError, match=r"Raise read\.longest"):
        sync(few, home)
