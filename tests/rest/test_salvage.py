"""A record that cannot be read costs itself alone, whatever is around it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rest.salvage import salvage

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


def deep(depth: int) -> bytes:
    return b'{"id": "deep", "a": ' + b"[" * depth + b"1" + b"]" * depth + b"}"


@given(st.lists(json_values, max_size=6), st.dictionaries(st.text(), json_values, max_size=4), st.booleans())
def test_a_page_is_cut_where_its_records_begin_and_end(records: list, others: dict, is_ascii: bool) -> None:
    page = {**others, "orders": records}
    found = salvage(json.dumps(page, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass"), "orders")
    assert found is not None
    assert [json.loads(record) for record in found["orders"]] == records
    assert {name: json.loads(value) for name, value in found.items() if name != "orders"} == others


@pytest.mark.parametrize("depth", [1_200, 100_000])
def test_depth_costs_one_record_and_no_stack(depth: int) -> None:
    good = b'{"id": "good", "note": "a ] } \\" ,"}'
    found = salvage(b'{"orders": [' + good + b", " + deep(depth) + b"," + good + b'], "next": null}', "orders")
    assert found == {"orders": [good, deep(depth), good], "next": b"null"}


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"orders": [1, 2}', b'{"orders": [1], "a": "x}', b'{"orders": [1]} more', b'{"orders": [', b"{1: 2}",
     b'{"next": nonsense}', b'{"orders": []', b"\xff{}"],
)  # fmt: skip
def test_what_is_no_page_is_none(body: bytes) -> None:
    assert salvage(body, "orders") is None
