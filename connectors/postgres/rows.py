"""Row messages of one relation to the rows that land: old and new tuples, key changes, unsent and refused values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from connectors.landing import Changes
from connectors.model import DeadLetter
from connectors.postgres.refused import dead_row, instant_reason, no_instant, not_utf8
from connectors.postgres.relation import Relation
from connectors.postgres.types import INSTANTS
from connectors.postgres.wire import TEXT, UNCHANGED, Field, Messages, same_text, text_array, walk


@dataclass
class Rows:
    """Tuples of one relation to turn into rows: where each starts, its operation, message, ordinal, and its old tuple
    or -1.
    """

    at: np.ndarray
    op: np.ndarray
    message: np.ndarray
    ordinal: np.ndarray
    old: np.ndarray
    moved: np.ndarray


def old_and_new(messages: Messages, relation: Relation, index: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def rows_of(
    messages: Messages, index: np.ndarray, ordinal: np.ndarray, new: np.ndarray, old: np.ndarray, moved: np.ndarray
) -> Rows:
    """Row messages -> rows in order; a key change is the delete of the old key, then the insert of the new one."""
    gone = messages.kinds[index] == ord("D")
    op = np.where(gone, ord("d"), np.where(moved | (messages.kinds[index] == ord("I")), ord("i"), ord("u"))).astype(
        np.uint8
    )
    at, step = np.where(gone, old, new), moved.astype(np.int64)
    rows = Rows(at, op, index, ordinal + step, np.where(gone, -1, old), moved)
    if not moved.any():
        return rows
    n = int(moved.sum())
    deletes = Rows(
        old[moved],
        np.full(n, ord("d"), np.uint8),
        index[moved],
        ordinal[moved],
        np.full(n, -1),
        np.zeros(n, dtype=bool),
    )
    joined = [np.concatenate(pair) for pair in zip(vars(rows).values(), vars(deletes).values(), strict=True)]
    order = np.lexsort((joined[3], joined[2]))
    return Rows(*(values[order] for values in joined))


def changes_of(
    messages: Messages, relation: Relation, rows: Rows, lsn: np.ndarray, xid: np.ndarray, time_us: np.ndarray
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
    kept = Rows(*(values[keep] for values in vars(rows).values()))
    good = changes_of(
        messages, relation, kept, lsn[keep], xid[keep], time_us[keep]
    ).table  # Arrow cannot filter string views
    dead = _dead(messages, relation, rows, fields, lsn, bad)
    return Changes(relation.stream, relation.columns, good, dead)


def refused_changes(
    messages: Messages, relation: Relation, rows: Rows, lsn: np.ndarray, xid: np.ndarray, time_us: np.ndarray
) -> Changes:
    """The changes under columns that the stream's contract does not take: deletes land with what is known, every other
    row is a dead letter.
    """
    assert relation.stream is not None and relation.known is not None
    other = ", ".join(c.name for c in relation.columns if c not in relation.known) or "a column that went"
    reason = f"{other}: not as in the contract of this stream"
    fields, _ = walk(messages, rows.at, len(relation.columns))
    refused = dict.fromkeys(np.nonzero(rows.op != ord("d"))[0].tolist(), reason)
    dead = _dead(messages, relation, rows, fields, lsn, refused)
    gone = rows.op == ord("d")
    deletes = Rows(*(values[gone] for values in vars(rows).values()))
    landed = changes_of(messages, relation, deletes, lsn[gone], xid[gone], time_us[gone])
    unknown = [c.name for c in relation.columns if c not in relation.known]
    return Changes(relation.stream, relation.known, landed.table.drop_columns(unknown), (*dead, *landed.dead))


def _dead(
    messages: Messages,
    relation: Relation,
    rows: Rows,
    fields: list[Field],
    lsn: np.ndarray,
    reasons: Mapping[int, str],
) -> tuple[DeadLetter, ...]:
    """A dead letter per row that has a reason."""
    assert relation.stream is not None
    return tuple(
        dead_row(
            relation.stream,
            relation.columns,
            [_text(messages, f, i) for f in fields],
            reason,
            chr(rows.op[i]),
            int(lsn[i]),
            int(rows.ordinal[i]),
        )
        for i, reason in sorted(reasons.items())
    )


def _ops(op: np.ndarray) -> pa.Array:
    """(n,) operation bytes -> a dictionary-encoded text array."""
    codes = np.searchsorted(np.frombuffer(b"diu", dtype=np.uint8), op).astype(np.int8)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(["d", "i", "u"]))


def _take_from_old(
    messages: Messages, relation: Relation, rows: Rows, fields: list[Field]
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


def truncate_of(relation: Relation, lsn: int, ordinal: int, xid: int, time_us: int) -> Changes:
    columns = relation.columns if relation.known is None else relation.known
    table = pa.table(
        {
            "_commit_pos": pa.array([lsn]),
            "_ordinal": pa.array([ordinal]),
            "_op": pa.array(["t"]),
            "_tx": pa.array([xid]),
            "_commit_ts": pa.array([time_us]).view(pa.timestamp("us")),
            "_unchanged": pa.nulls(1, pa.list_(pa.string())),
            **{c.name: pa.nulls(1, pa.string()) for c in columns},
        }
    )
    assert relation.stream is not None
    return Changes(relation.stream, columns, table)
