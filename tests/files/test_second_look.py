"""A file is read only when a second look finds it as the first did, whichever way the server is asked."""

import asyncssh
import pytest

from connectors.files import reader
from connectors.sync import landed_position, source_position, sync
from tests.files.test_sync_files import event, rows


@pytest.fixture(params=["listed", "one by one"])
def crowd(request, drop, wms, home):
    """A second look is a listing when most files are new, and asks for each file when most have landed."""
    if request.param == "one by one":
        for number in range(10, 31):
            drop.put(f"EWR/events_{number}.jsonl", event(number), mtime=1_600_000_000)
        assert sync(wms, home).rows == 21


def test_a_file_that_grows_between_two_looks_waits(crowd, drop, wms, home, monkeypatch):
    target = drop.put("EWR/events_1.jsonl", event(1))

    def grow(_seconds):
        target.write_bytes((event(1) + event(2)).encode())

    monkeypatch.setattr(reader.time, "sleep", grow)
    assert sync(wms, home).rows == 0
    assert source_position(wms) != landed_position(home, wms), "a sensor sees that there is something to do"
    monkeypatch.undo()
    assert sync(wms, home).rows == 2


def test_a_file_rewritten_between_two_looks_waits_also_when_its_size_is_the_same(crowd, drop, wms, home, monkeypatch):
    drop.put("EWR/events_1.jsonl", event(1), mtime=1_700_000_000)
    monkeypatch.setattr(reader.time, "sleep", lambda _: drop.put("EWR/events_1.jsonl", event(2), mtime=1_700_000_002))
    assert sync(wms, home).rows == 0
    monkeypatch.undo()
    assert sync(wms, home).rows == 1 and "EWR-0000002" in rows(home, "event")


def test_a_file_that_is_gone_at_the_second_look_is_left_out(crowd, drop, wms, home, monkeypatch):
    target = drop.put("EWR/events_1.jsonl", event(1))
    drop.put("EWR/events_2.jsonl", event(2))
    monkeypatch.setattr(reader.time, "sleep", lambda _: target.unlink(missing_ok=True))
    result = sync(wms, home)
    assert (result.rows, result.dead) == (1, 0) and "EWR-0000001" not in rows(home, "event")


async def denied(_client, _path):
    raise asyncssh.SFTPPermissionDenied("locked by its sender")


async def an_hour_off(client, path):
    attrs = await client.stat(path)
    attrs.mtime += 3600
    return attrs


@pytest.mark.parametrize("answer", [denied, an_hour_off])
def test_a_server_that_tells_a_file_otherwise_than_its_listing_is_listed_again(
    crowd, drop, wms, home, monkeypatch, answer
):
    monkeypatch.setattr(asyncssh.SFTPClient, "lstat", answer)
    drop.put("EWR/events_1.jsonl", event(1))
    assert sync(wms, home).rows == 1
