"""The column-by-column decoder says what a message-by-message decoder says, for any messages and any way they are
cut.
"""

import struct
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.message_decoder import UNSENT, MessageDecoder, Row
from connectors.postgres.decoder import Decoder
from connectors.postgres.relation import Keyed

TABLES = {
    1: ("s.one", ["id", "a"], ["id"]),
    2: ("s.two", ["k1", "v", "k2", "w"], ["k1", "k2"]),
    3: ("s.unread", ["id"], ["id"]),
}
WIDER = {1: ("s.one", ["id", "a", "added"], ["id"])}
STREAMS = [Keyed("one", "s.one", ("id",)), Keyed("two", "s.two", ("k1", "k2"))]

text = st.one_of(
    st.text(max_size=30).filter(lambda t: "\0" not in t), st.sampled_from(["", "x" * 12, "y" * 13, "ü" * 7])
)
key = st.sampled_from(["1", "2", "a key longer than twelve bytes"])


def string(value: str) -> bytes:
    return value.encode() + b"\0"


def relation(oid: int, table: tuple[str, list[str], list[str]]) -> bytes:
    name, columns, keys = table
    schema, short = name.split(".")
    head = b"R" + struct.pack(">i", oid) + string(schema) + string(short) + b"d" + struct.pack(">h", len(columns))
    return head + b"".join(bytes([c in keys]) + string(c) + struct.pack(">ii", 25, -1) for c in columns)


def values(row: list[Any]) -> bytes:
    def one(value: Any) -> bytes:
        if value is None or value is UNSENT:
            return b"n" if value is None else b"u"
        return b"t" + struct.pack(">i", len(value.encode())) + value.encode()

    return struct.pack(">h", len(row)) + b"".join(one(v) for v in row)


@st.composite
def row_message(draw: Any, oid: int, table: tuple[str, list[str], list[str]]) -> bytes:
    """An Insert, Update or Delete, with the old tuples that replica identities default and full send."""
    _, columns, keys = table
    new = [draw(key) if c in keys else draw(st.one_of(text, st.none())) for c in columns]
    old = [draw(key) if c in keys else None for c in columns]
    full = [draw(key) if c in keys else draw(st.one_of(text, st.none())) for c in columns]
    head = struct.pack(">i", oid)
    kind = draw(st.sampled_from(["I", "U", "UK", "UO", "DK", "DO"]))
    if kind == "I":
        return b"I" + head + b"N" + values(new)
    if kind[0] == "D":
        return b"D" + head + kind[1].encode() + values(old if kind[1] == "K" else full)
    for i, column in enumerate(columns):
        if column not in keys and draw(st.integers(0, 3)) == 0:
            new[i] = UNSENT
    before = b"" if kind == "U" else kind[1].encode() + values(old if kind[1] == "K" else full)
    return b"U" + head + before + b"N" + values(new)


@st.composite
def streams_of_messages(draw: Any) -> list[bytes]:
    """Transactions with relations described before their first use, and again when a column is added."""
    messages, tables, known = [], dict(TABLES), set()
    for number in range(draw(st.integers(1, 6))):
        messages.append(b"B" + struct.pack(">qqi", 1000 + 10 * number, 5_000_000 * number, 700 + number))
        for _ in range(draw(st.integers(0, 8))):
            oid = draw(st.sampled_from([1, 1, 2, 2, 3]))
            if oid == 1 and draw(st.integers(0, 9)) == 0:
                tables[1] = WIDER[1]
                known.discard(1)
            if oid not in known or draw(st.integers(0, 9)) == 0:
                messages.append(relation(oid, tables[oid]))
                known.add(oid)
            if draw(st.integers(0, 9)) == 0:
                messages.append(b"T" + struct.pack(">ibi", 1, 0, oid))
            else:
                messages.append(draw(row_message(oid, tables[oid])))
        messages.append(b"C" + struct.pack(">bqqq", 0, 1000 + 10 * number, 1005 + 10 * number, 5_000_000 * number))
    return messages


@dataclass(frozen=True)
class Seen:
    stream: str
    position: int
    ordinal: int
    op: str
    values: tuple
    unchanged: tuple


def by_column(messages: list[bytes], cuts: list[int], after: int = 0) -> list[Seen]:
    decoder, seen = Decoder(STREAMS, after), []
    edges = [0, *sorted(cut % (len(messages) + 1) for cut in cuts), len(messages)]
    whole = pa.array(messages, pa.binary())
    for start, end in zip(edges, edges[1:], strict=False):
        for changes in decoder.decode(whole.slice(start, end - start)):
            assert not changes.dead
            names = [c.name for c in changes.columns]
            for row in changes.table.to_pylist():
                unchanged = row["_unchanged"] or []
                cells = tuple((n, row[n]) for n in names if n not in unchanged and row["_op"] != "t")
                seen.append(
                    Seen(changes.stream, row["_commit_pos"], row["_ordinal"], row["_op"], cells, tuple(unchanged))
                )
    return seen


def by_message(messages: list[bytes], after: int = 0) -> list[Seen]:
    names = {s.table: s.name for s in STREAMS}
    decoder = MessageDecoder({s.table: s.key for s in STREAMS} | {"s.unread": ("id",)})
    rows: list[Row] = [r for r in decoder.decode(messages) if r.table in names and r.position >= after]
    return [
        Seen(names[r.table], r.position, r.ordinal, r.op, tuple(r.values.items()), tuple(r.unchanged)) for r in rows
    ]


def per_stream(seen: list[Seen]) -> dict[str, list[Seen]]:
    """What each stream's log would hold, in the order in which it is appended."""
    return {stream.name: [s for s in seen if s.stream == stream.name] for stream in STREAMS}


@settings(max_examples=100, deadline=None)
@given(streams_of_messages(), st.lists(st.integers(0, 1000), max_size=3), st.sampled_from([0, 1010, 1020]))
def test_both_decoders_agree_on_every_change_and_its_order(messages: list[bytes], cuts: list[int], after: int) -> None:
    assert per_stream(by_column(messages, cuts, after)) == per_stream(by_message(messages, after))


def test_a_key_changed_under_an_unsent_value_says_where_the_value_stands() -> None:
    table = ("s.two", ["k1", "v", "k2", "w"], ["k1", "k2"])
    update = (
        b"U" + struct.pack(">i", 2) + b"K" + values(["1", None, "2", None]) + b"N" + values(["9", UNSENT, "2", "w"])
    )
    messages = [b"B" + struct.pack(">qqi", 5, 0, 1), relation(2, table), update]
    (changes,) = Decoder(STREAMS).decode(pa.array(messages, pa.binary()))
    rows = changes.table.to_pylist()
    assert [(r["_op"], r["_ordinal"], r["k1"], r["_unchanged"], r["_old_key"]) for r in rows] == [
        ("d", 0, "1", None, None),
        ("i", 1, "9", ["v"], ["1", "2"]),
    ]
