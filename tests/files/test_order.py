"""What was seen last stands, whether it came in a file, waited for its end or lay among the dead letters."""

import json

import pytest

from connectors.replay import dead_letters, replay
from connectors.sync import landing_of, sync
from tests.edi.advice import interchange, shipment
from tests.files.test_sync_files import event, patient, rows

START = 1_700_000_000


def stock(*lines: str) -> str:
    return "".join(f"{line}\n" for line in ("site,sku,lot,on_hand", *lines))


def keyed_by_ref(wms):
    return wms.model_copy(
        update={
            "streams": (wms.streams[0], wms.streams[1].model_copy(update={"key": ("ref",)}), wms.streams[2]),
        }
    )


def log_rows(home, stream: str) -> int:
    with landing_of(home, "wms").session() as db:
        return db.execute(f"select count(*) from raw_wms.{stream}__log").fetchone()[0]


@pytest.mark.parametrize("at_once", [False, True])
def test_content_that_comes_again_after_another_lands_again(drop, wms, home, at_once):
    for number, quantity in enumerate((5, 6, 5, 5)):
        drop.put(f"EWR/stock_{number}.csv", stock(f"EWR,1,,{quantity}", "EWR,2,,1"), mtime=START + number)
        if not at_once:
            sync(wms, home)
    sync(wms, home)
    assert rows(home, "stock_report")["EWR|1|"]["on_hand"] == "5"
    assert dead_letters(home, "wms") == [] and log_rows(home, "stock_report") == 6  # the fourth is what stands
    drop.put("EWR/945_1.x12", interchange(1, [shipment(1)]), mtime=START)
    drop.put("EWR/945_2.x12", interchange(2, [shipment(1)]), mtime=START + 1)
    drop.put("EWR/945_3.x12", interchange(1, [shipment(1)]), mtime=START + 2)
    assert sync(wms, home).per_stream == {"ship_confirmation": 2}


def test_a_file_that_waited_lands_over_none_that_came_meanwhile(drop, wms, home):
    drop.put("EWR/events_1.jsonl", event(1, qty=1) + event(3) + "{", mtime=START)
    sync(wms, home)
    drop.put("EWR/events_2.jsonl", event(1, qty=2), mtime=START + 10)
    sync(wms, home)
    sync(patient(wms), home)
    assert rows(home, "event")["EWR-0000001"]["qty"] == 2 and "EWR-0000003" in rows(home, "event")


def test_a_changed_file_lands_over_what_was_seen_before_it_only(drop, wms, home):
    for number, name in enumerate(("events_1", "events_1", "events_2")):
        drop.put(f"EWR/{name}.jsonl", event(1, qty=number), mtime=START + number)
        sync(wms, home)
    assert [one.outcome for one in replay(home, [wms])] == ["superseded"]
    assert rows(home, "event")["EWR-0000001"]["qty"] == 2


def test_of_a_file_that_changed_back_and_forth_the_last_content_stands(drop, wms, home):
    for number, quantity in enumerate((1, 2, 1, 2)):
        drop.put("EWR/events_1.jsonl", event(1, qty=quantity), mtime=START + number)
        sync(wms, home)
    replay(home, [wms])
    assert rows(home, "event")["EWR-0000001"]["qty"] == 2 and dead_letters(home, "wms") == []


def test_a_row_that_is_replayed_lands_over_the_older_one(drop, wms, home, monkeypatch):
    drop.put("EWR/stock_1.csv", stock("EWR,1,,5"), mtime=START)
    drop.put("EWR/stock_2.csv", stock("EWR,2,,1", "EWR,1,,7").rstrip(), mtime=START + 10)
    sync(wms, home)
    assert sync(patient(wms), home).dead == 1
    assert [one.outcome for one in replay(home, [wms])] == ["replayed"]
    assert rows(home, "stock_report")["EWR|1|"]["on_hand"] == "7"


@pytest.mark.parametrize("at_once", [False, True])
def test_of_two_letters_of_one_record_the_newer_stands(drop, wms, home, at_once):
    for number in (1, 2):
        line = json.dumps({"ref": "EWR-9", "qty": number})
        drop.put(f"EWR/events_{number}.jsonl", f"{line}\n{event(number)}", mtime=START + number)
        if not at_once:
            sync(wms, home)
    sync(wms, home)
    replay(home, [keyed_by_ref(wms)])
    assert rows(home, "event")["EWR-9"]["qty"] == 2 and dead_letters(home, "wms") == []


def test_a_letter_of_a_newer_file_lands_over_an_older_one_of_the_same_pass(drop, wms, home):
    drop.put("EWR/events_1.jsonl", event(1, qty=1), mtime=START)
    drop.put("EWR/events_2.jsonl", '{"ref":"EWR-0000001","qty":2}\n' + event(2), mtime=START + 1)
    sync(wms, home)
    replay(home, [keyed_by_ref(wms)])
    assert rows(home, "event")["EWR-0000001"]["qty"] == 2
