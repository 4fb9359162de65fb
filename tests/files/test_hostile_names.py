"""A file whose name cannot be kept as it is becomes a dead letter that names it; nothing is skipped without a word."""

import os

from connectors.replay import dead_letters, raw_of, replay
from connectors.sync import landed_position, source_position, sync
from tests.files.test_sync_files import event, rows


def put(drop, folder: bytes, name: bytes, data: str) -> bytes:
    """A file under any bytes that the disk takes for a name."""
    place = os.path.join(os.fsencode(drop.root / "outbound"), folder)
    os.makedirs(place, exist_ok=True)
    path = os.path.join(place, name)
    with open(path, "wb") as file:
        file.write(data.encode())
    return path


HOSTILE = {
    b"events_\xff\xfe.jsonl": ("events_\\xff\\xfe.jsonl", "is not UTF-8"),
    b"events_caf\xe9.jsonl": ("events_caf\\xe9.jsonl", "is not UTF-8"),
    b"events_a\\b.jsonl": ("events_a\\\\b.jsonl", "holds a backslash"),
    b"events_..\\..\\x.jsonl": ("events_..\\\\..\\\\x.jsonl", "holds a backslash"),
    b"events_\x1b[2J.jsonl": ("events_\\x1b[2J.jsonl", "holds a control character"),
}


def test_each_is_a_dead_letter_with_an_escaped_name_and_the_rest_goes_on(drop, wms, home):
    for name in HOSTILE:
        put(drop, b"EWR", name, event(1))
    drop.put("EWR/events_2.jsonl", event(2))
    put(drop, b"EWR", b"events_\xff.jsonl.part", event(1))  # an upload is waited for
    first = sync(wms, home)
    assert (first.rows, first.dead) == (1, len(HOSTILE)) and list(rows(home, "event")) == ["EWR-0000002"]
    letters = {raw_of(home, "wms", letter["id"]): letter for letter in dead_letters(home, "wms")}
    assert set(letters) == set(HOSTILE)
    for name, (shown, why) in HOSTILE.items():
        assert letters[name]["key"] == f"EWR/{shown}" and why in letters[name]["reason"]
    assert drop.opened == ["/outbound/EWR/events_2.jsonl"], "a name that we cannot vouch for is not asked for"
    again = sync(wms, home)
    assert (again.rows, again.dead) == (0, 0) and landed_position(home, wms) == source_position(wms)


def test_a_file_that_its_sender_renames_lands(drop, wms, home):
    path = put(drop, b"EWR", b"events_\xff.jsonl", event(1))
    sync(wms, home)
    os.rename(path, path.replace(b"\xff", b"1"))
    assert sync(wms, home).rows == 1
    replay(home, [wms])
    assert [letter for letter in dead_letters(home, "wms") if letter["state"] == "open"] == []
    assert sync(wms, home).dead == 0


def test_a_letter_that_was_closed_while_the_file_is_still_there_is_open_again(drop, wms, home):
    put(drop, b"EWR", b"events_\xff.jsonl", event(1))
    sync(wms, home)
    replay(home, [wms])
    drop.put("EWR/events_2.jsonl", event(2))
    assert sync(wms, home).rows == 1
    assert [letter["state"] for letter in dead_letters(home, "wms")] == ["open"]


def test_a_folder_with_such_a_name_is_a_dead_letter_of_every_stream_that_looks_into_it(drop, wms, home):
    put(drop, b"EW\\R", b"events_1.jsonl", event(1))
    put(drop, b"LA\xff", b"events_2.jsonl", event(2))
    drop.put("EWR/events_3.jsonl", event(3))
    first = sync(wms, home)
    assert first.rows == 1 and first.dead == 6
    found = dead_letters(home, "wms")
    assert {letter["key"] for letter in found} == {"EW\\\\R", "LA\\xff"}
    assert {letter["stream"] for letter in found} == {"ship_confirmation", "event", "stock_report"}
    assert all("nothing in it was read" in letter["reason"] for letter in found)
