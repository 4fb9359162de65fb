"""A file of 945s: what lands, what becomes a dead letter with its bytes, and that the rest lands anyway."""

import json

import pytest

from connectors.config_kinds import SftpStream
from connectors.edi.envelope import interchanges
from connectors.files.formats import parse
from connectors.files.parsed import Parsed
from tests.edi.advice import interchange, isa, shipment

STREAM = SftpStream(name="ship_confirmation", pattern="*/945_*.x12", format="x12_945")
PATH = "EWR/945_EWR_20240301_1_000000123.x12"


def read(data: bytes, stream: SftpStream = STREAM) -> Parsed:
    return parse(stream, PATH, data)


def documents(found: Parsed) -> list[dict]:
    return [json.loads(row[1]) for envelope in found.envelopes for row in envelope.rows]


def letters(found: Parsed) -> list:
    return [*found.dead, *(letter for envelope in found.envelopes for letter in envelope.dead)]


def test_an_advice_becomes_the_neutral_document_with_codes_and_times_as_sent():
    found = read(interchange(123, [shipment(1, lines=[(10, 6), (4, 4)])], gs=77))
    assert found.cut is None and not letters(found)
    (document,) = documents(found)
    assert document == {
        "document": "ship_confirmation",
        "site": "EWR",
        "sender": "EWR",
        "interchange_control": "000000123",
        "group_control": "77",
        "transaction_control": "0001",
        "purpose": "N",
        "order_number": "1001",
        "shipment_number": "EWR-55501",
        "release": "1001-1",
        "ship_date": "20240301",
        "ship_time": "143005",
        "tracking_number": "1Z9",
        "carrier_code": "UPSN",
        "service": "GND",
        "ship_to": "17",
        "lines": [
            {
                "assigned": "1",
                "handling_unit": "003700000000000001",
                "sku": "142",
                "order_line": "5001",
                "qty_ordered": "10",
                "qty_shipped": "6",
                "qty_difference": "4",
                "uom": "EA",
                "status": "PR",
            },
            {
                "assigned": "2",
                "handling_unit": "003700000000000002",
                "sku": "142",
                "order_line": "5002",
                "qty_ordered": "4",
                "qty_shipped": "4",
                "qty_difference": "0",
                "uom": "EA",
                "status": "SH",
            },
        ],
        "total_qty": "10",
        "file": "945_EWR_20240301_1_000000123.x12",
    }
    assert found.envelopes[0].rows[0][0] == "EWR|000000123|0001|EWR-55501"


def test_a_pick_up_has_no_tracking_number_and_a_void_is_a_document_of_its_own():
    found = read(interchange(1, [shipment(1, tracking=None), shipment(2, purpose="V", lines=())]))
    first, void = documents(found)
    assert first["tracking_number"] is None and void["purpose"] == "V" and void["lines"] == []
    assert len({row[0] for row in found.envelopes[0].rows}) == 2


BAD_ST = [
    ("SE count", lambda s: [*s[:-1], "SE*99*0002"], "SE01"),
    ("SE control", lambda s: [*s[:-1], s[-1].replace("*0002", "*0009")], "SE02"),
    ("no SE", lambda s: s[:-1], "SE is missing"),
    ("no W06", lambda s: [s[0], *s[2:-1], f"SE*{len(s) - 1}*0002"], "no W06"),
    ("no shipment", lambda s: [x.replace("*EWR-55501*", "**") for x in s], "no shipment number"),
    ("quantity", lambda s: [x.replace("W12*PR*10*6", "W12*PR*10*six") for x in s], "not a number"),
    ("other kind", lambda s: [x.replace("ST*945", "ST*856") for x in s], "not a 945"),
    ("same ST02", lambda s: [x.replace("*0002", "*0001") if x[:2] in ("ST", "SE") else x for x in s], "used twice"),
]


@pytest.mark.parametrize(("breaking", "reason"), [b[1:] for b in BAD_ST], ids=[b[0] for b in BAD_ST])
def test_a_bad_transaction_costs_itself_alone_and_keeps_its_bytes(breaking, reason):
    bad = breaking(shipment(2))
    found = read(interchange(5, [shipment(1), bad, shipment(3)]))
    assert [d["transaction_control"] for d in documents(found)] == ["0001", "0003"]
    (letter,) = letters(found)
    assert reason in letter.reason
    assert letter.raw.split() == "".join(x + "~\n" for x in bad).encode().split()


def test_text_that_is_not_utf8_costs_its_transaction_alone():
    data = interchange(5, [shipment(1), shipment(2)])
    at = data.rindex("é".encode())
    found = read(data[:at] + b"\xe9" + data[at + 2 :])
    assert len(documents(found)) == 1 and "UTF-8" in letters(found)[0].reason


BAD_ENVELOPE = [
    ("IEA count", {"iea": "IEA*2*000000005"}, "IEA01"),
    ("IEA control", {"iea": "IEA*1*000000006"}, "IEA02"),
    ("GE count", {"ge": "GE*9*1"}, "GE01"),
    ("GE control", {"ge": "GE*1*2"}, "GE02"),
]


@pytest.mark.parametrize(("fault", "reason"), [b[1:] for b in BAD_ENVELOPE], ids=[b[0] for b in BAD_ENVELOPE])
def test_a_bad_envelope_is_one_dead_letter_and_the_next_interchange_lands(fault, reason):
    bad = interchange(5, [shipment(1)], **fault)
    found = read(bad + interchange(6, [shipment(1)]))
    assert [d["interchange_control"] for d in documents(found)] == ["000000006"]
    (letter,) = letters(found)
    assert reason in letter.reason and letter.raw.strip() in bad.strip() and letter.raw.count(b"ST*945") == 1


def test_a_missing_iea_before_another_isa_costs_the_first_interchange_alone():
    first = interchange(5, [shipment(1)])
    first = first[: first.index(b"IEA")]
    found = read(first + interchange(6, [shipment(1)]))
    assert [d["interchange_control"] for d in documents(found)] == ["000000006"] and found.cut is None
    (letter,) = letters(found)
    assert "IEA is missing" in letter.reason and letter.raw == first


def test_a_file_without_its_iea_is_cut_not_faulty():
    data = interchange(5, [shipment(1)])
    for end in (len(data) - 3, data.index(b"IEA"), data.index(b"SE*"), 50, 0):
        assert read(data[:end]).cut is not None, end
    assert read(data[:-1]).cut is None  # the line feed after the last terminator is padding


@pytest.mark.parametrize("damage", ["short", "width", "separators"])
def test_an_isa_that_cannot_be_read_is_a_dead_letter(damage):
    head = isa(5)
    bad = {
        "short": head[:60],
        "width": head.replace("EWR   ", "EWR"),
        "separators": head.replace(">", "*"),
    }[damage]
    data = interchange(5, [shipment(1)]).replace(head.encode(), bad.encode())
    found = read(data + interchange(6, [shipment(1)]))
    assert [d["interchange_control"] for d in documents(found)] == ["000000006"]
    assert len(letters(found)) == 1 and letters(found)[0].raw.startswith(b"ISA")


def test_a_test_interchange_does_not_count_as_shipped_unless_the_stream_says_so():
    data = interchange(5, [shipment(1)], usage="T")
    assert not documents(read(data)) and "test" in letters(read(data))[0].reason
    assert len(documents(read(data, STREAM.model_copy(update={"accept_test": True})))) == 1


def test_a_byte_order_mark_and_no_line_feeds_are_both_fine():
    data = interchange(5, [shipment(1)])
    assert len(documents(read(b"\xef\xbb\xbf" + data))) == 1
    assert len(documents(read(data.replace(b"\n", b"")))) == 1


@pytest.mark.parametrize("limit", ["MOST_SEGMENTS", "MOST_ELEMENTS"])
def test_an_interchange_that_is_too_full_is_one_fault_and_the_next_one_is_read(limit, monkeypatch):
    full = interchange(1, [shipment(n) for n in range(30)])
    if limit == "MOST_ELEMENTS":
        full = full.replace(b"LX*1", b"LX*1" + b"*" * 50, 1)
    monkeypatch.setattr(f"connectors.edi.x12.{limit}", 40)
    first, second = interchanges((full + interchange(2, [shipment(1)])).decode("latin-1"))
    assert "more than 40" in first.faults[0].reason and not first.groups and not first.is_cut
    assert second.control == "000000002" and len(second.groups) == 1
