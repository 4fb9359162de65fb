"""A file that is not finished is looked at again, and what was taken of it before is not forgotten."""

import pytest

from connectors.replay import dead_letters
from connectors.sync import landed_position, source_position, sync
from tests.edi.advice import interchange, shipment
from tests.files.test_sync_files import event, patient, rows

START = 1_700_000_000


@pytest.mark.parametrize(
    ("name", "first", "more", "landed"),
    [
        ("events_1.jsonl", event(1), event(2), 1),
        ("events_1.jsonl", "{}\n" + event(1), event(2), 1),
        ("events_1.jsonl", "", event(1), 1),
        ("stock_1.csv", "site,sku,lot\nEWR,1,\n", "EWR,2,\n", 1),
        ("945_1.x12", interchange(1, [shipment(1)]).decode(), interchange(2, [shipment(1)]).decode(), 1),
    ],
)
def test_an_upload_that_stalled_where_it_might_have_ended_is_taken_to_its_end(
    drop, wms, home, name, first, more, landed
):
    drop.put("EWR/events_9.jsonl", "", mtime=START)
    drop.put(f"EWR/{name}", first, mtime=START)
    sync(wms, home)
    sync(patient(wms), home)
    letters = len(dead_letters(home, "wms"))
    drop.put(f"EWR/{name}", first + more, mtime=START + 10)
    assert sync(wms, home).rows == landed
    assert len(dead_letters(home, "wms")) == letters, "what was said of its beginning is said once"


def test_one_that_grows_in_the_middle_of_a_line_waits_for_its_end(drop, wms, home):
    drop.put("EWR/events_1.jsonl", event(1), mtime=START)
    sync(wms, home)
    drop.put("EWR/events_1.jsonl", event(1) + event(2)[:20], mtime=START + 10)
    assert sync(wms, home).rows == 0
    drop.put("EWR/events_1.jsonl", event(1) + event(2), mtime=START + 20)
    assert sync(wms, home).rows == 1 and dead_letters(home, "wms") == []


def test_what_was_taken_is_known_also_after_a_read_that_was_cut_short(drop, wms, home):
    drop.put("EWR/events_1.jsonl", event(1, qty=1), mtime=START)
    sync(wms, home)
    drop.put("EWR/events_2.jsonl", event(1, qty=2), mtime=START + 10)
    sync(wms, home)
    drop.put("EWR/events_1.jsonl", event(1, qty=1), mtime=START + 20)  # sent again
    drop.on_open["events_1.jsonl"] = lambda: drop.put("EWR/events_1.jsonl", event(1)[:-9], mtime=START + 21)
    sync(wms, home)
    drop.put("EWR/events_1.jsonl", event(1, qty=1), mtime=START + 30)
    assert sync(wms, home).rows == 0 and rows(home, "event")["EWR-0000001"]["qty"] == 2


def test_a_pass_is_asked_for_when_a_file_has_waited_for_long_enough(drop, wms, home):
    drop.put("EWR/events_1.jsonl", event(1)[:-1], mtime=START)
    sync(wms, home)
    landed = landed_position(home, wms)
    assert source_position(wms, landed) == landed
    assert source_position(patient(wms), landed) != landed
    sync(patient(wms), home)
    landed = landed_position(home, wms)
    assert source_position(patient(wms), landed) == landed and "EWR-0000001" in rows(home, "event")
