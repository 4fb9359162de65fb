"""pgoutput messages to typed changes. State between calls is the open transaction and the relations seen so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa

from connectors.landing import Changes
from connectors.model import Column
from connectors.postgres.refused import dead_row, instant_reason, no_instant, not_utf8
from connectors.postgres.types import INSTANTS, duckdb_type
from connectors.postgres.wire import TEXT, UNCHANGED, Field, Messages, integers, same_text, text_array, walk

POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970-01-01


class StreamSpec(Protocol):
    """A stream to read: its name, `schema.table`, and its key columns (empty: the table's replica identity)."""

    @property
    def name(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def key(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Relation:
    """A table as the last Relation message described it; `stream` is None for one that nobody asked for."""

    oid: int
    table: str
    stream: str | None
    columns: tuple[Column, ...]


@dataclass
class Transaction:
    """The transaction that messages belong to: commit LSN, commit time (us since 1970, UTC), xid, changes seen."""

    lsn: int = 0
    time_us: int = 0
    xid: int = 0
    seen: int = 0


@dataclass
class _Rows:
    """Tuples of one relation to turn into rows: where each starts, its operation, message, ordinal, and its old tuple
    or -1.
    """

    at: np.ndarray
    op: np.ndarray
    message: np.ndarray
    ordinal: np.ndarray
    old: np.ndarray
    moved: np.ndarray


@dataclass
class Decoder:
    """Decodes the messages of one slot for `streams`. Transactions that committed before LSN `after` are left out:
    they have landed.
    """

    streams: Sequence[StreamSpec]
    after: int = 0
    relations: dict[int, Relation] = field(default_factory=dict)
    open: Transaction = field(default_factory=Transaction)

    def decode(self, array: pa.Array) -> list[Changes]:
        """A binary array of consecutive messages -> changes, in an order in which each stream's log may append them.
        """
        messages = Messages.of(array)
        if not len(messages):
            return []
        kinds, buffer = messages.kinds, messages.buffer
        begins = np.nonzero(kinds == ord("B"))[0]
        at = messages.offsets[begins] + 1
        lsn = np.concatenate([[self.open.lsn], integers(buffer, at, 8)])
        time_us = np.concatenate([[self.open.time_us], integers(buffer, at + 8, 8) + POSTGRES_EPOCH_US])
        xid = np.concatenate([[self.open.xid], integers(buffer, at + 16, 4) & 0xFFFFFFFF])
        transaction = np.searchsorted(begins, np.arange(len(messages)), side="right")

        weight = np.isin(kinds, [ord("I"), ord("U"), ord("D")]).astype(np.int64)
        segments = self._segments(messages)
        truncates = {int(i): _truncated(messages, int(i)) for i in np.nonzero(kinds == ord("T"))[0]}
        for i, oids in truncates.items():
            weight[i] = len(oids)
        old_new = [_old_and_new(messages, relation, index) for relation, index in segments]
        for (_, index), (_, _, moved) in zip(segments, old_new, strict=True):
            weight[index[moved]] = 2
        total = np.cumsum(weight)
        base = np.concatenate([[-self.open.seen], total[begins]])  # a Begin weighs nothing
        ordinal = total - weight - base[transaction]
        self.open = Transaction(int(lsn[-1]), int(time_us[-1]), int(xid[-1]), int(total[-1] - base[-1]))

        ready: list[tuple[int, Changes]] = []
        for (relation, index), (new, old, moved) in zip(segments, old_new, strict=True):
            if relation.stream is None:
                continue
            rows = _rows(messages, index, ordinal[index], new, old, moved)
            keep = lsn[transaction[rows.message]] >= self.after
            if not keep.all():
                rows = _Rows(*(values[keep] for values in vars(rows).values()))
            if len(rows.at):
                where = transaction[rows.message]
                ready.append(
                    (int(rows.message[0]), _changes(messages, relation, rows, lsn[where], xid[where], time_us[where]))
                )
        for i, oids in truncates.items():
            for step, oid in enumerate(oids):
                emptied = self.relations.get(oid)
                if emptied is not None and emptied.stream is not None and lsn[transaction[i]] >= self.after:
                    of = transaction[i]
                    ready.append(
                        (i, _truncate(emptied, int(lsn[of]), int(ordinal[i]) + step, int(xid[of]), int(time_us[of])))
                    )
        return [changes for _, changes in sorted(ready, key=lambda pair: pair[0])]

    def _segments(self, messages: Messages) -> list[tuple[Relation, np.ndarray]]:
        """Runs of row messages that share a relation's description, and lie between its truncates: (relation, message
        indices).
        """
        kinds = messages.kinds
        index = np.nonzero(np.isin(kinds, [ord("I"), ord("U"), ord("D")]))[0]
        oids = integers(messages.buffer, messages.offsets[index] + 1, 4)
        cuts: dict[int, list[tuple[int, Relation | None]]] = {}
        for i in np.nonzero((kinds == ord("R")) | (kinds == ord("T")))[0]:
            if kinds[i] == ord("R"):
                relation = self._relation(messages.bytes(int(i)))
                cuts.setdefault(relation.oid, []).append((int(i), relation))
            else:
                for oid in _truncated(messages, int(i)):
                    cuts.setdefault(oid, []).append((int(i), None))
        result = []
        for oid in {*np.unique(oids).tolist(), *cuts}:
            of, current, start = index[oids == oid], self.relations.get(oid), 0
            for position, described in [*cuts.get(oid, []), (len(messages), None)]:
                end = int(np.searchsorted(of, position))
                changed = described is not None and described != current
                if end > start and (changed or described is None):
                    if current is None:
                        raise ValueError(f"a change of relation {oid} came before its description")
                    result.append((current, of[start:end]))
                    start = end
                if described is not None:
                    current = described
            if current is not None:
                self.relations[oid] = current
        return result

    def _relation(self, raw: bytes) -> Relation:
        """Parse a Relation message; the key is the stream's declared one, else the columns of the replica identity.
        """
        oid = int.from_bytes(raw[1:5], "big")
        schema, table, rest = raw[5:].split(b"\0", 2)
        name = f"{schema.decode()}.{table.decode()}"
        spec: Mapping[str, StreamSpec] = {s.table: s for s in self.streams}
        stream = spec.get(name)
        count, at, columns = int.from_bytes(rest[1:3], "big"), 3, []
        for _ in range(count):
            end = rest.index(b"\0", at + 1)
            column, type_oid = rest[at + 1 : end].decode(), int.from_bytes(rest[end + 1 : end + 5], "big")
            modifier = int.from_bytes(rest[end + 5 : end + 9], "big", signed=True)
            key = column in stream.key if stream and stream.key else bool(rest[at] & 1)
            columns.append(Column(column, duckdb_type(type_oid, modifier), key))
            at = end + 9
        return Relation(oid, name, stream.name if stream else None, tuple(columns))


def _truncated(messages: Messages, i: int) -> list[int]:
    raw = messages.bytes(i)
    count = int.from_bytes(raw[1:5], "big")
    return [int.from_bytes(raw[6 + 4 * n : 10 + 4 * n], "big") for n in range(count)]


def _old_and_new(
    messages: Messages, relation: Relation, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row message: where its new tuple starts (-1: none), where its old one does (-1: none), and whether its
    key changed.
    """
    first = messages.offsets[index] + 6
    kind, marker = messages.kinds[index], messages.buffer[messages.offsets[index] + 5]
    has_old = marker != ord("N")
    old = np.where(has_old, first, -1)
    new = np.where(has_old, -1, first)
    moved = np.zeros(len(index), dtype=bool)
    both = np.nonzero(has_old & (kind == ord("U")))[0]
    if len(both):
        before, end = walk(messages, old[both], len(relation.columns))
        new[both] = end + 1
        after, _ = walk(messages, new[both], len(relation.columns))
        for column, a, b in zip(relation.columns, before, after, strict=True):
            if column.key:  # an unchanged value ('u') of a key is no change
                moved[both] |= ~same_text(messages, a, b) & (b.kind != UNCHANGED)
    return new, old, moved


def _rows(
    messages: Messages, index: np.ndarray, ordinal: np.ndarray, new: np.ndarray, old: np.ndarray, moved: np.ndarray
) -> _Rows:
    """Row messages -> rows in order; a key change is the delete of the old key, then the insert of the new one."""
    gone = messages.kinds[index] == ord("D")
    op = np.where(gone, ord("d"), np.where(moved | (messages.kinds[index] == ord("I")), ord("i"), ord("u"))).astype(
        np.uint8
    )
    at, step = np.where(gone, old, new), moved.astype(np.int64)
    rows = _Rows(at, op, index, ordinal + step, np.where(gone, -1, old), moved)
    if not moved.any():
        return rows
    n = int(moved.sum())
    deletes = _Rows(
        old[moved],
        np.full(n, ord("d"), np.uint8),
        index[moved],
        ordinal[moved],
        np.full(n, -1),
        np.zeros(n, dtype=bool),
    )
    joined = [np.concatenate(pair) for pair in zip(vars(rows).values(), vars(deletes).values(), strict=True)]
    order = np.lexsort((joined[3], joined[2]))
    return _Rows(*(values[order] for values in joined))


def _changes(
    messages: Messages, relation: Relation, rows: _Rows, lsn: np.ndarray, xid: np.ndarray, time_us: np.ndarray
) -> Changes:
    fields, _ = walk(messages, rows.at, len(relation.columns))
    unchanged, old_key = _take_from_old(messages, relation, rows, fields)
    arrays = [text_array(messages, f) for f in fields]
    bad = _bad(messages, relation, fields, arrays)
    table = pa.table(
        [
            pa.array(lsn),
            pa.array(rows.ordinal),
            _ops(rows.op),
            pa.array(xid),
            pa.array(time_us).view(pa.timestamp("us")),
            unchanged,
            *([old_key] if old_key is not None else []),
            *arrays,
        ],
        names=[
            "_commit_pos",
            "_ordinal",
            "_op",
            "_tx",
            "_commit_ts",
            "_unchanged",
            *(["_old_key"] if old_key is not None else []),
            *(c.name for c in relation.columns),
        ],
    )
    assert relation.stream is not None
    if not bad:
        return Changes(relation.stream, relation.columns, table)
    keep = np.ones(len(table), dtype=bool)
    keep[list(bad)] = False
    kept = _Rows(*(values[keep] for values in vars(rows).values()))
    good = _changes(
        messages, relation, kept, lsn[keep], xid[keep], time_us[keep]
    ).table  # Arrow cannot filter string views
    dead = tuple(
        dead_row(
            relation.stream,
            relation.columns,
            [_text(messages, f, i) for f in fields],
            reason,
            chr(rows.op[i]),
            int(lsn[i]),
            int(rows.ordinal[i]),
        )
        for i, reason in sorted(bad.items())
    )
    return Changes(relation.stream, relation.columns, good, dead)


def _ops(op: np.ndarray) -> pa.Array:
    """(n,) operation bytes -> a dictionary-encoded text array."""
    codes = np.searchsorted(np.frombuffer(b"diu", dtype=np.uint8), op).astype(np.int8)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(["d", "i", "u"]))


def _take_from_old(
    messages: Messages, relation: Relation, rows: _Rows, fields: list[Field]
) -> tuple[pa.Array, pa.Array | None]:
    """Fill values that were not sent from the old tuple where it has them; list what stays open, and under which key
    to look.
    """
    missing = np.array([f.kind == UNCHANGED for f in fields])
    touched = np.nonzero(missing.any(axis=0))[0]
    if not len(touched):
        return pa.nulls(len(rows.at), pa.list_(pa.string())), None
    with_old = touched[rows.old[touched] >= 0]
    before, _ = walk(messages, rows.old[with_old], len(fields))
    for now, then in zip(fields, before, strict=True):
        fill = (now.kind[with_old] == UNCHANGED) & (then.kind == TEXT)
        for name in ("kind", "start", "length"):
            getattr(now, name)[with_old[fill]] = getattr(then, name)[fill]
    open_ = np.array([f.kind == UNCHANGED for f in fields])
    names: list[list[str] | None] = [None] * len(rows.at)
    for i in np.nonzero(open_.any(axis=0))[0]:
        names[i] = [c.name for c, o in zip(relation.columns, open_[:, i], strict=True) if o]
    keys: list[list[str] | None] = [None] * len(rows.at)
    for position, i in enumerate(with_old):
        if rows.moved[i]:
            keys[i] = [
                (_text(messages, f, position) or b"").decode()
                for c, f in zip(relation.columns, before, strict=True)
                if c.key
            ]
    return pa.array(names, pa.list_(pa.string())), pa.array(keys, pa.list_(pa.string()))


def _bad(messages: Messages, relation: Relation, fields: list[Field], arrays: list[pa.Array]) -> dict[int, str]:
    """Row -> reason, for values that must not reach DuckDB."""
    bad: dict[int, str] = {}
    for column, f, array in zip(relation.columns, fields, arrays, strict=True):
        if column.type in INSTANTS:
            for i in no_instant(messages.buffer[f.start + f.length - 1], f.length):
                bad[i] = instant_reason(column, _text(messages, f, i))
        else:
            try:
                array.validate(full=True)
            except pa.ArrowInvalid:
                bad.update(not_utf8(column, (_text(messages, f, i) for i in range(len(array)))))
    return bad


def _text(messages: Messages, f: Field, i: int) -> bytes | None:
    return messages.buffer[f.start[i] : f.start[i] + f.length[i]].tobytes() if f.kind[i] == TEXT else None


def _truncate(relation: Relation, lsn: int, ordinal: int, xid: int, time_us: int) -> Changes:
    table = pa.table(
        {
            "_commit_pos": pa.array([lsn]),
            "_ordinal": pa.array([ordinal]),
            "_op": pa.array(["t"]),
            "_tx": pa.array([xid]),
            "_commit_ts": pa.array([time_us]).view(pa.timestamp("us")),
            "_unchanged": pa.nulls(1, pa.list_(pa.string())),
            **{c.name: pa.nulls(1, pa.string()) for c in relation.columns},
        }
    )
    assert relation.stream is not None
    return Changes(relation.stream, relation.columns, table)
