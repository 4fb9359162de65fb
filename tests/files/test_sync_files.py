"""Whole files only, each once, whatever the server and the warehouse do meanwhile."""

import hashlib
import json
from datetime import timedelta

import pytest

from connectors.files import sftp
from connectors.model import PermanentError, TransientError
from connectors.replay import dead_letters, raw_of
from connectors.sync import landed_position, landing_of, source_position, sync
from tests.edi.advice import interchange, shipment


def event(number: int, **more: object) -> str:
    return json.dumps({"id": f"EWR-{number:07d}", "type": "picked", "qty": 4, **more}) + "\n"


def rows(home, stream: str) -> dict[str, dict]:
    with landing_of(home, "wms").session() as db:
        found = db.execute(f"select doc_key, doc from raw_wms.{stream}").fetchall()
    return {key: json.loads(doc) for key, doc in found}


def patient(wms, seconds: float = 0):
    return wms.model_copy(update={"read": wms.read.model_copy(update={"patience": timedelta(seconds=seconds)})})


def reasons(home) -> list[str]:
    return [letter["reason"] for letter in dead_letters(home, "wms")]


def test_every_format_lands_once_with_its_file_name(drop, wms, home):
    drop.put("EWR/945_EWR_20240301_1_000000001.x12", interchange(1, [shipment(1)]))
    drop.put("EWR/events_EWR_20240301_1.jsonl", event(1) + event(2))
    drop.put("LAX/stock_LAX_20240301.csv", 'site,sku,lot,on_hand\nLAX,142,,5\nLAX,143,"a,b",1.0\n')
    first = sync(wms, home)
    assert first.per_stream == {"ship_confirmation": 1, "event": 2, "stock_report": 2} and first.dead == 0
    assert list(rows(home, "ship_confirmation")) == ["EWR|000000001|0001|EWR-55501"]
    assert rows(home, "event")["EWR-0000001"] == json.loads(event(1)) | {"file": "events_EWR_20240301_1.jsonl"}
    assert rows(home, "stock_report")["LAX|143|a,b"]["on_hand"] == "1.0"
    drop.opened.clear()
    assert sync(wms, home).rows == 0 and drop.opened == [], "a known file is not even opened"


def test_uploads_links_folders_and_other_names_are_left_alone(drop, wms, home):
    for name in ("events_1.jsonl.part", "events_2.jsonl.tmp", ".events_3.jsonl", "readme.txt", "deep/events_4.jsonl"):
        drop.put(f"EWR/{name}", event(1))
    drop.put("EWR/events_folder.jsonl/x", "x")
    outside = drop.put("../secret.jsonl", event(9))
    (drop.root / "outbound/EWR/events_link.jsonl").symlink_to(outside)
    assert sync(wms, home).rows == 0 and drop.opened == []


def test_a_file_renamed_into_place_is_read_then(drop, wms, home):
    part = drop.put("EWR/events_1.jsonl.part", event(1))
    assert sync(wms, home).rows == 0
    before = landed_position(home, wms)
    part.rename(part.with_suffix(""))
    assert source_position(wms) != before
    assert sync(wms, home).rows == 1


@pytest.mark.parametrize(
    ("name", "whole", "cut"),
    [
        ("945_1.x12", interchange(1, [shipment(1), shipment(2)]), 300),
        ("events_1.jsonl", event(1) + event(2), 60),
        ("stock_1.csv", "site,sku,lot\nEWR,1,\nEWR,22,\n", 25),
        ("events_2.jsonl", event(1), 0),
    ],
)
def test_a_half_uploaded_file_is_not_read_before_its_end_has_come(drop, wms, home, name, whole, cut):
    data = whole if isinstance(whole, bytes) else whole.encode()
    drop.put(f"EWR/{name}", data[:cut], mtime=1_700_000_000)
    for _ in range(2):
        result = sync(wms, home)
        assert (result.rows, result.dead) == (0, 0)
    drop.put(f"EWR/{name}", data, mtime=1_700_000_005)
    result = sync(wms, home)
    assert result.rows == (1 if name == "events_2.jsonl" else 2) and result.dead == 0


def test_a_file_that_is_shorter_than_its_listing_said_waits(drop, wms, home):
    target = drop.put("EWR/events_1.jsonl", event(1) + event(2), mtime=1_700_000_000)
    drop.on_open["events_1.jsonl"] = lambda: target.write_text(event(1))
    assert sync(wms, home).rows == 0
    drop.put("EWR/events_1.jsonl", event(1) + event(2), mtime=1_700_000_009)
    assert sync(wms, home).rows == 2


def test_a_file_that_grows_while_it_is_read_waits(drop, wms, home):
    target = drop.put("EWR/events_1.jsonl", event(1), mtime=1_700_000_000)
    drop.on_open["events_1.jsonl"] = lambda: target.write_bytes((event(1) + event(2)).encode())
    assert sync(wms, home).rows == 0
    assert sync(wms, home).rows == 2


def test_what_stays_unfinished_past_the_patience_is_taken_as_it_is(drop, wms, home):
    bad = interchange(1, [shipment(1)])[:-20]
    drop.put("EWR/945_1.x12", bad)
    drop.put("EWR/events_1.jsonl", event(1) + event(2).rstrip())
    drop.put("EWR/stock_1.csv", "site,sku,lot,on_hand\nEWR,1,,5\nEWR,2,,12")
    assert sync(wms, home).rows == 0
    result = sync(patient(wms), home)
    assert result.per_stream == {"event": 2, "stock_report": 1} and result.dead == 2
    assert any("IEA is missing" in r for r in reasons(home)) and any("no line end" in r for r in reasons(home))
    assert sync(patient(wms), home).rows == 0 and len(reasons(home)) == 2


def test_new_content_under_an_old_name_is_flagged_and_changes_nothing(drop, wms, home):
    drop.put("EWR/events_1.jsonl", event(1), mtime=1_700_000_000)
    sync(wms, home)
    drop.put("EWR/events_1.jsonl", event(1, qty=99), mtime=1_700_000_009)
    result = sync(wms, home)
    assert (result.rows, result.dead) == (0, 1) and rows(home, "event")["EWR-0000001"]["qty"] == 4
    (letter,) = dead_letters(home, "wms")
    assert "changed under the same name" in letter["reason"]
    assert raw_of(home, "wms", letter["id"]) == event(1, qty=99).encode()
    assert sync(wms, home).dead == 0 and len(dead_letters(home)) == 1
    drop.put("EWR/events_1.jsonl", event(1, qty=99), mtime=1_700_000_020)
    assert sync(wms, home).dead == 0, "a new time on the same content is no news"


def test_old_content_under_a_new_name_lands_nothing(drop, wms, home):
    for name in ("945_1", "945_1_again"):
        drop.put(f"EWR/{name}.x12", interchange(1, [shipment(1)]))
    drop.put("EWR/events_1.jsonl", event(1))
    sync(wms, home)
    drop.put("EWR/events_1_again.jsonl", event(1))
    result = sync(wms, home)
    assert result.rows == 0 and result.dead == 0 and len(rows(home, "ship_confirmation")) == 1


def test_a_control_number_used_twice_with_other_content_is_a_dead_letter(drop, wms, home):
    drop.put("EWR/945_1.x12", interchange(1, [shipment(1)]), mtime=1_700_000_000)
    second = interchange(1, [shipment(1, number="EWR-99")]) + interchange(2, [shipment(1, number="EWR-100")])
    drop.put("EWR/945_2.x12", second, mtime=1_700_000_001)
    drop.put("LAX/945_3.x12", interchange(1, [shipment(1, number="LAX-1")], sender="LAX"), mtime=1_700_000_002)
    result = sync(wms, home)
    assert result.per_stream == {"ship_confirmation": 3} and result.dead == 1
    assert {d["shipment_number"] for d in rows(home, "ship_confirmation").values()} == {"EWR-55501", "EWR-100", "LAX-1"}
    assert "taken already, from EWR/945_1.x12" in reasons(home)[0]


def test_of_a_file_that_is_too_large_size_hash_and_head_are_kept(drop, wms, home):
    content = b"x" * 600_000
    drop.put("EWR/events_1.jsonl", content)
    drop.put("EWR/events_2.jsonl", event(2))
    result = sync(wms, home)
    assert (result.rows, result.dead) == (1, 1) and "only its head" in reasons(home)[0]
    (letter,) = dead_letters(home)
    kept = json.loads(raw_of(home, "wms", letter["id"]))
    assert (kept["bytes"], kept["sha256"]) == (600_000, hashlib.sha256(content).hexdigest())
    assert letter["key"] == "EWR/events_1.jsonl" and set(kept["head"]) == {"x"}


def test_operations_that_fail_and_connections_that_break_lose_nothing(drop, wms, home):
    for number in range(60):
        drop.put(f"EWR/events_{number:03d}.jsonl", event(number))
    drop.fail_opens, drop.break_opens = 7, 3
    assert sync(wms, home).rows == 60
    assert len(rows(home, "event")) == 60


def test_a_server_that_never_gets_better_is_a_transient_failure(drop, wms, home, monkeypatch):
    drop.put("EWR/events_1.jsonl", event(1))
    drop.fail_opens = 10_000

    async def soon(_attempt):
        return None

    monkeypatch.setattr(sftp, "pause", soon)
    with pytest.raises(TransientError, match="could not be read"):
        sync(wms, home)


def test_another_host_key_or_password_ends_before_anything_is_sent(drop, wms, home):
    def with_read(**changes):
        return wms.model_copy(update={"read": wms.read.model_copy(update=changes)})

    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEsb8N3sT5P1b3bAYVyXr1FJ6zF5G1yqgbrZpPaQ2l0F"
    with pytest.raises(PermanentError, match="host key"):
        sync(with_read(host_key=other), home)
    with pytest.raises(PermanentError, match="refuses crossdock"):
        sync(with_read(password=type(wms.read.password)("wrong")), home)
    assert sync(with_read(host_key=drop.key.get_fingerprint("sha256")), home).rows == 0


def test_a_missing_root_is_told(wms, home):
    with pytest.raises(PermanentError, match="does not exist"):
        sync(wms.model_copy(update={"read": wms.read.model_copy(update={"root": "/nowhere"})}), home)


def test_the_position_is_equal_when_there_is_nothing_to_do(drop, wms, home):
    drop.put("EWR/events_1.jsonl", event(1), mtime=1_700_000_000)
    result = sync(wms, home)
    assert source_position(wms) == result.position == landed_position(home, wms)
    assert result.complete_up_to.isoformat() == "2023-11-14T22:13:20"
    drop.put("EWR/events_2.jsonl", event(2))
    assert source_position(wms) != result.position


def test_a_large_file_is_read_whole(drop, wms, home):
    text = "".join(event(n) for n in range(6000))
    assert len(text) > 290_000
    for size in (32_767, 32_768, 32_769, 65_536):
        drop.put(f"EWR/events_{size}.jsonl", event(size + 10**6, pad="x" * (size - len(event(size + 10**6, pad="")))))
    drop.put("EWR/events_1.jsonl", text)
    assert sync(wms, home).rows == 6004
