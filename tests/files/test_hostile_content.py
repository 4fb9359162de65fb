"""JSON lines and CSV of any content: each faulty record is kept by itself, a hopeless file as one, nothing raises."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.config_kinds import SftpStream
from connectors.files.formats import parse
from connectors.files.remote import escaped, is_unfinished_name, matches, name_fault

JSONL = SftpStream(name="event", pattern="*/e_*", format="jsonl", key=("id",))
CSV = SftpStream(name="stock", pattern="*/s_*", format="csv", key=("site", "sku"))


def test_a_faulty_line_keeps_its_bytes_and_the_others_land():
    bad = [b"{", b"[1]", b'{"id":null}', b'{"id":"\xff"}', b'{"id":""}', b"[" * 100_000]
    data = b"\n".join([b'{"id":"a","n":1.10}', *bad, b'{"id":"b"}\r', b"", b'{"id":"c","file":"mine"}', b""])
    found = parse(JSONL, "EWR/e_1.jsonl", data)
    assert [letter.raw for letter in found.dead] == bad
    assert [row[0] for row in found.rows] == ["a", "b", "c"]
    assert found.rows[0][1] == '{"id":"a","n":1.10,"file":"e_1.jsonl"}'
    assert found.rows[2][1].count('"file"') == 1 and "e_1.jsonl" in found.rows[2][1] and found.cut is None


def test_a_faulty_row_keeps_its_bytes_and_the_others_land():
    bad = [b"EWR,1\n", b"EWR,1,2,3\n", b"EWR,\xe9,5\n", b",9,5\n"]
    data = b"site,sku,qty\nEWR,7,5\n" + b"".join(bad) + b'EWR,"8\n9",5\n\n'
    found = parse(CSV, "EWR/s_1.csv", b"\xef\xbb\xbf" + data)
    assert [letter.raw for letter in found.dead] == bad
    assert [row[0] for row in found.rows] == ["EWR|7", "EWR|8\n9"]
    assert json.loads(found.rows[0][1]) == {"site": "EWR", "sku": "7", "qty": "5", "file": "s_1.csv"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("id\nx\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04zip", "archive"),
        (b"site,sku\nA,\0\n", "NUL"),
        (b"site,qty\nA,1\n", "header does not hold sku"),
        (b"site,sku,sku\nA,1,2\n", "header does not hold sku"),
        (b"site,sku,a,a\n", "repeats a column"),
        (b'site,sku\nA,"1\n', "not CSV to its end"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_one_dead_letter(data, reason):
    found = parse(CSV, "EWR/s_1.csv", data)
    assert not found.rows and len(found.dead) == 1
    assert reason in found.dead[0].reason and found.dead[0].raw == data


def test_a_file_of_nothing_but_faults_is_one_dead_letter_not_a_flood():
    data = b"not json\n" * 500
    found = parse(JSONL, "EWR/e_1.jsonl", data)
    assert len(found.dead) == 1 and found.dead[0].raw == data


@given(st.sampled_from([JSONL, CSV]), st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_any_bytes_parse_without_an_exception(stream, data):
    found = parse(stream, "EWR/e_1", (b"site,sku\n" if stream is CSV else b"") + data)
    assert all(json.loads(row[1]) for row in found.rows)


@given(st.lists(st.tuples(st.text(min_size=1), st.text(), st.text()), max_size=8))
def test_what_is_written_as_csv_is_what_is_read(records):
    records = [tuple(cell.replace("\0", "").replace("\r", "") or "x" for cell in record) for record in records]
    lines = ["site,sku,qty", *(",".join('"' + cell.replace('"', '""') + '"' for cell in record) for record in records)]
    found = parse(CSV, "EWR/s_1.csv", ("\n".join(lines) + "\n").encode("utf-8", "replace"))
    read = [tuple(json.loads(row[1])[name] for name in ("site", "sku", "qty")) for row in found.rows]
    assert read == [tuple(c.encode("utf-8", "replace").decode() for c in record) for record in records]


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a\nb", "a\0b", "x" * 300, "\udcff"])
def test_names_that_leave_the_folder_or_hide_are_faults(name):
    assert name_fault(name) and not re.search(r"[\x00-\x1f\x7f/\ud800-\udfff]", escaped(name))


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=2, max_size=2, unique=True))
def test_two_names_never_become_one(names):
    first, second = (name.decode("utf-8", "surrogateescape") for name in names)
    assert len({escaped(name) if name_fault(name) else name for name in (first, second)}) == 2


def test_patterns_match_step_by_step():
    assert matches("*/945_*.x12", "EWR/945_1.x12") and name_fault("945_EWR é.x12") is None
    assert not matches("*/945_*.x12", "a/b/945_1.x12") and not matches("*/945_*.x12", "945_1.x12")
    assert not matches("*/*", "EWR/a.part") and is_unfinished_name("a.TMP") and not matches("*/a?c", "EWR/ac")
