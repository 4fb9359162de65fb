"""Lines, rows and documents of any size, depth and number of values cost themselves at most."""

import hashlib
import json

import pytest

from connectors import shape
from connectors.documents import DocumentError, read_object
from connectors.files import lines
from connectors.replay import dead_letters, raw_of
from connectors.shape import json_fault
from connectors.sync import sync


def event(number, **more):
    return json.dumps({"id": f"E-{number}", **more}) + "\n"


def test_a_line_over_the_limit_is_a_dead_letter_and_the_lines_around_it_land(drop, wms, home, monkeypatch):
    monkeypatch.setattr(lines, "LIMIT_BYTES", 50_000)
    large = event(2, note="y" * 60_000)
    drop.put("EWR/events_1.jsonl", event(1) + large + event(3))
    result = sync(wms, home)
    assert (result.rows, result.dead) == (2, 1)
    kept = json.loads(raw_of(home, "wms", dead_letters(home)[0]["id"]))
    assert kept["sha256"] == hashlib.sha256(large.rstrip("\n").encode()).hexdigest() and "E-2" in kept["head"]


def test_a_csv_row_over_the_limit_is_a_dead_letter_and_the_rows_around_it_land(drop, wms, home, monkeypatch):
    monkeypatch.setattr(lines, "LIMIT_BYTES", 50_000)
    rows = ["site,sku,lot,note", "A,1,1,x", f"A,2,1,{'y' * 60_000}", "A,3,1,x"]
    drop.put("EWR/stock_1.csv", "\n".join(rows) + "\n")
    result = sync(wms, home)
    assert (result.rows, result.dead) == (2, 1)


def test_a_line_nested_without_end_is_a_dead_letter_and_the_lines_around_it_land(drop, wms, home):
    deep = '{"id": "E-2", "a": ' + "[" * 5_000 + "]" * 5_000 + "}\n"
    drop.put("EWR/events_1.jsonl", event(1) + deep + event(3))
    assert (sync(wms, home).rows, "nested more than 200 deep" in dead_letters(home)[0]["reason"]) == (2, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[" * 300 + b"]" * 300, "more than 200 deep"),
        (b"[" + b"[]," * 40 + b"0]", None),
        (b'{"a": "' + b"[" * 1_000 + b'"}', None),
        (b"[" + b"1," * 60 + b"1]", "more than 50 members"),
        (b"[" + b"[1,1]," * 20 + b"0]", None),
        (b"[[" + b"1," * 30 + b"1],[" + b"1," * 30 + b"1]]", None),
        (b"[[1,1],[" + b"1," * 60 + b"1]]", "more than 50 members"),
        (b"[" + b"[1,1,1,1],[1,1,1]," * 20 + b"0]", "more than 100 values"),
        (b'["' + b"," * 200 + b'"]', None),
        (b'["\\\\", "' + b"[" * 300 + b'", "\\"' + b"[" * 300 + b'"]', None),
        (b'["\\\\", ' + b"[" * 300, "more than 200 deep"),
    ],
)
def test_depth_width_and_number_of_values_are_counted_outside_texts(text, says, monkeypatch):
    monkeypatch.setattr(shape, "MOST_WIDTH", 50)
    monkeypatch.setattr(shape, "MOST_VALUES", 100)
    fault = json_fault(text)
    assert (fault is None) if says is None else (fault is not None and says in fault)


def test_a_large_document_is_checked_as_strictly_as_a_small_one():
    body = '"note": "' + "n" * 2_000_000 + '"'
    found = read_object(f'{{"id": "E-1", {body}, "lines": [1, 2]}}'.encode())
    assert (found["id"], found["lines"], "note" in found) == ("E-1", [1, 2], True)
    for bad in (f'{{"id": "E-1", {body}', f"[{{{body}}}]", f'{{{body}, "x": "\\ud800"}}', f'{{{body}, "x": nope}}'):
        with pytest.raises(DocumentError):
            read_object(bad.encode())
    with pytest.raises(DocumentError):
        read_object(f"{{{body}}}".encode().replace(b"nnn", b"n\xffn", 1))
