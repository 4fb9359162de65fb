"""What the server does not give is a dead letter until it is read, and holds up nothing else."""

from datetime import datetime, timedelta

import asyncssh
import pytest

from connectors.files import sftp
from connectors.model import TransientError
from connectors.replay import dead_letters, replay
from connectors.sync import sync
from tests.files.test_sync_files import event, rows

START = 1_700_000_000


@pytest.fixture
def refusing(monkeypatch):
    """Answers to those who read a file or list a folder whose path ends so."""
    answers: dict[str, Exception] = {}
    whole, scandir = sftp._whole, asyncssh.SFTPClient.scandir

    async def soon(_attempt):
        return None

    async def read(client, path, size):
        for end, error in answers.items():
            if path.endswith(end):
                raise error
        return await whole(client, path, size)

    def scan(client, path):
        for end, error in answers.items():
            if path.endswith(end.encode()):
                raise error
        return scandir(client, path)

    monkeypatch.setattr(sftp, "pause", soon)
    monkeypatch.setattr(sftp, "_whole", read)
    monkeypatch.setattr(asyncssh.SFTPClient, "scandir", scan)
    return answers


@pytest.mark.parametrize("error", [asyncssh.SFTPFailure("I/O error"), asyncssh.SFTPPermissionDenied("no")])
def test_a_file_that_always_fails_holds_up_no_other_and_its_letter_ends_when_it_is_read(
    drop, wms, home, refusing, error
):
    refusing["events_1.jsonl"] = error
    drop.put("EWR/events_1.jsonl", event(1), mtime=START)
    drop.put("EWR/events_2.jsonl", event(2), mtime=START + 10)
    drop.put("EWR/stock_1.csv", "site,sku,lot\nEWR,1,\n", mtime=START + 10)
    first = sync(wms, home)
    assert first.per_stream == {"event": 1, "stock_report": 1} and first.dead == 1
    assert first.complete_up_to == datetime(2023, 11, 14, 22, 13, 20), "not past what was not read"
    refusing.clear()
    second = sync(wms, home)
    assert second.rows == 1 and dead_letters(home, "wms") == []
    assert second.complete_up_to == first.complete_up_to + timedelta(seconds=10)


def test_when_no_file_can_be_read_the_server_is_ill(drop, wms, home, refusing):
    refusing[".jsonl"] = asyncssh.SFTPFailure("I/O error")
    drop.put("EWR/events_1.jsonl", event(1))
    with pytest.raises(TransientError, match="could not be read"):
        sync(wms, home)
    drop.put("EWR/stock_1.csv", "site,sku,lot\nEWR,1,\n")
    assert sync(wms, home).per_stream == {"stock_report": 1}, "a later stream lands"
    assert [letter["key"] for letter in dead_letters(home, "wms")] == ["EWR/events_1.jsonl"]


def test_a_folder_that_may_not_be_read_holds_up_no_other(drop, wms, home, refusing):
    refusing["/LAX"] = asyncssh.SFTPPermissionDenied("no")
    drop.put("EWR/events_1.jsonl", event(1))
    drop.put("LAX/events_2.jsonl", event(2))
    assert sync(wms, home).rows == 1
    letters = dead_letters(home, "wms")
    assert {letter["key"] for letter in letters} == {"LAX"} and "may not be read" in letters[0]["reason"]
    assert sync(wms, home).rows == 0 and len(dead_letters(home, "wms")) == len(letters)
    refusing.clear()
    sync(wms, home)
    assert "EWR-0000002" in rows(home, "event")
    assert "event" not in {letter["stream"] for letter in dead_letters(home, "wms")}


def test_a_letter_of_a_file_that_was_never_read_stays_after_its_replay(drop, wms, home):
    target = drop.put("EWR/events_1.jsonl", "".join(event(n) for n in range(12_000)))
    sync(wms, home)
    target.unlink()
    assert [one.outcome for one in replay(home, [wms])] == ["replayed"]
    sync(wms, home)
    assert len(dead_letters(home, "wms")) == 1


def test_a_file_that_is_gone_is_waited_for_no_longer(drop, wms, home):
    half = drop.put("EWR/events_1.jsonl", event(1)[:-1], mtime=START)
    drop.put("EWR/events_2.jsonl", event(2), mtime=START + 10)
    assert sync(wms, home).complete_up_to == datetime(2023, 11, 14, 22, 13, 20)
    half.unlink()
    assert sync(wms, home).complete_up_to == datetime(2023, 11, 14, 22, 13, 30)
