"""Dead letters of files: replayed through the reader's own path after a fix, once, and never over what came later."""

import json
from datetime import timedelta

from connectors.edi import x12_945
from connectors.files import lines
from connectors.replay import dead_letters, replay
from connectors.sync import landing_of, sync
from tests.edi.advice import interchange, shipment
from tests.files.test_sync_files import event, rows


def outcomes(home, system, **more) -> list[tuple[str, int]]:
    return sorted((one.outcome, one.rows) for one in replay(home, [system], **more))


def test_a_transaction_that_a_new_version_understands_lands_from_its_raw_bytes(drop, wms, home, monkeypatch):
    odd = [x.replace("W12*PR", "W12*PR") for x in shipment(2, number="EWR-2")]
    odd = [x.replace("*10*6*4", "*10*6,0*4") for x in odd]
    drop.put("EWR/945_1.x12", interchange(7, [shipment(1), odd], gs=3))
    assert sync(wms, home).dead == 1
    assert outcomes(home, wms) == [("faulty", 0)]
    assert len(dead_letters(home, "wms")) == 1, "it stays open until it lands"
    monkeypatch.setattr(x12_945, "_is_number", lambda text: True)
    assert outcomes(home, wms) == [("replayed", 1)]
    assert outcomes(home, wms) == [] and dead_letters(home) == []
    document = rows(home, "ship_confirmation")["EWR|000000007|0002|EWR-2"]
    assert (document["group_control"], document["sender"], document["file"]) == ("3", "EWR", "945_1.x12")
    assert document["lines"][0]["qty_shipped"] == "6,0"
    assert sync(wms, home).rows == 0


def test_a_csv_row_is_read_again_with_its_files_header(drop, wms, home, monkeypatch):
    drop.put("EWR/stock_1.csv", "site,sku,lot,on_hand\nEWR,1,,5\nEWR,2,,7,extra\n")
    assert sync(wms, home).dead == 1
    assert outcomes(home, wms) == [("faulty", 0)]
    csv_row = lines.csv_row
    monkeypatch.setattr(lines, "csv_row", lambda stream, path, header, cells: csv_row(stream, path, header, cells[:4]))
    assert outcomes(home, wms) == [("replayed", 1)]
    assert rows(home, "stock_report")["EWR|2|"] == {
        "site": "EWR", "sku": "2", "lot": "", "on_hand": "7", "file": "stock_1.csv",
    }  # fmt: skip


def test_new_content_under_an_old_name_is_taken_when_someone_says_so(drop, wms, home):
    drop.put("EWR/events_1.jsonl", event(1), mtime=1_700_000_000)
    sync(wms, home)
    drop.put("EWR/events_1.jsonl", event(1, qty=99), mtime=1_700_000_009)
    sync(wms, home)
    (letter,) = dead_letters(home, "wms")
    assert outcomes(home, wms, ids=["unknown"]) == []
    assert outcomes(home, wms, ids=[letter["id"]]) == [("replayed", 1)]
    assert rows(home, "event")["EWR-0000001"]["qty"] == 99


def test_a_line_whose_event_came_again_in_another_file_is_superseded(drop, wms, home):
    drop.put("EWR/events_1.jsonl", '{"ref":"EWR-0000001","qty":1}\n' + event(2), mtime=1_700_000_000)
    drop.put("EWR/events_2.jsonl", event(1), mtime=1_700_000_009)
    assert sync(wms, home).dead == 1
    by_ref = wms.streams[1].model_copy(update={"key": ("ref",)})
    fixed = wms.model_copy(update={"streams": (wms.streams[0], by_ref, wms.streams[2])})
    assert outcomes(home, fixed) == [("superseded", 0)]
    assert rows(home, "event")["EWR-0000001"]["qty"] == 4
    with landing_of(home, "wms").session() as db:
        assert db.execute("select state, resolved_by from _land.dead_letter").fetchall() == [("resolved", "replay")]


def test_a_file_that_was_too_large_is_read_by_the_next_sync_after_its_replay(drop, wms, home):
    drop.put("EWR/events_1.jsonl", "".join(event(n) for n in range(12_000)))
    assert sync(wms, home).dead == 1
    larger = wms.model_copy(update={"read": wms.read.model_copy(update={"max_file_mb": 5.0})})
    assert sync(larger, home).rows == 0
    assert outcomes(home, larger) == [("replayed", 0)]
    assert sync(larger, home).rows == 12_000


def test_a_bad_envelope_is_read_again_whole(drop, wms, home, monkeypatch):
    bad = interchange(7, [shipment(1)], iea="IEA*9*000000007")
    drop.put("EWR/945_1.x12", bad)
    assert sync(wms, home).dead == 1
    monkeypatch.setattr("connectors.edi.envelope._is_count", lambda text, count: True)
    assert outcomes(home, wms) == [("replayed", 1)]
    assert json.dumps(rows(home, "ship_confirmation")).count("EWR-55501") >= 1


def test_a_letter_of_an_unfinished_file_keeps_the_lines_that_were_good(drop, wms, home):
    hasty = wms.model_copy(update={"read": wms.read.model_copy(update={"patience": timedelta(0)})})
    drop.put("EWR/events_1.jsonl", event(1) + event(2)[:20])
    sync(hasty, home)
    assert sync(hasty, home).per_stream == {"event": 1}
    (letter,) = dead_letters(home, "wms")
    assert letter["key"] == "EWR/events_1.jsonl" and outcomes(home, hasty) == [("faulty", 0)]
