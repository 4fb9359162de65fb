"""Per stream, what its landing follows: the shape of its table, the position its changes start from, and why it stands
still. Kept in the landing file (`_land.followed`), so that it commits with the rows it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from connectors.landing import Landing
from connectors.model import Column
from connectors.postgres.catalogue import Looked
from connectors.postgres.link import lsn_of, lsn_text
from connectors.postgres.relation import Keyed, StreamSpec
from connectors.postgres.shape import By, Followed, Shape, StreamStopped, difference


@dataclass(frozen=True)
class Record:
    """What is recorded of a stream. `stopped` stands still since the source's instant `complete_up_to` (naive UTC)."""

    shape: Shape | None
    start: int
    stopped: StreamStopped | None = None
    complete_up_to: datetime | None = None


def records(db: duckdb.DuckDBPyConnection) -> dict[str, Record]:
    rows = db.execute(
        "select stream, shape, start_pos, stopped_by, reason, way_out, complete_up_to from _land.followed"
    ).fetchall()
    found = {}
    for stream, shape, start, by, reason, way_out, complete in rows:
        stopped = StreamStopped(stream, reason, way_out, by) if by else None
        found[stream] = Record(Shape.unpacked(shape) if shape else None, lsn_of(start), stopped, complete)
    return found


def record(db: duckdb.DuckDBPyConnection, stream: str, shape: Shape, start: int) -> None:
    """The stream is followed in this shape, from this position on. Part of the caller's transaction."""
    db.execute("delete from _land.followed where stream = ?", [stream])
    db.execute(
        "insert into _land.followed (stream, shape, start_pos) values (?, ?, ?)",
        [stream, shape.packed(), lsn_text(start)],
    )


def record_stops(landing: Landing, stops: Iterable[StreamStopped], complete_up_to: datetime | None) -> None:
    """These streams stand still, complete up to that instant unless they did before."""
    with landing.session() as db:
        db.execute("begin")
        write_stops(db, stops, complete_up_to)
        db.execute("commit")


def write_stops(db: duckdb.DuckDBPyConnection, stops: Iterable[StreamStopped], complete_up_to: datetime | None) -> None:
    """The same as part of the caller's transaction."""
    known = records(db)
    for stop in stops:
        before = known.get(stop.stream, Record(None, 0))
        shape = before.shape or stop.shape
        since = before.complete_up_to or complete_up_to
        db.execute("delete from _land.followed where stream = ?", [stop.stream])
        db.execute(
            "insert into _land.followed values (?, ?, ?, ?, ?, ?, ?)",
            [
                stop.stream,
                shape.packed() if shape else None,
                lsn_text(before.start),
                stop.by,
                stop.message,
                stop.way_out,
                since,
            ],
        )


def complete_before(db: duckdb.DuckDBPyConnection) -> datetime | None:
    """Up to when the system was complete after its last batch."""
    row = db.execute("select max(source_time_utc) from _land.batch").fetchone()
    return row[0] if row else None


def forget_shapes(db: duckdb.DuckDBPyConnection, but: Iterable[str]) -> None:
    """A new slot starts behind what came to every stream but these, so they have to be read again."""
    db.execute("update _land.followed set shape = null where not list_contains(?::varchar[], stream)", [list(but)])


@dataclass
class Plan:
    """What to do with every declared stream: decode it, read its table again (and why), or leave it where it stands.
    `adopted` are the new shapes of streams that need no reading.
    """

    keyed: list[Keyed] = field(default_factory=list)
    reread: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, StreamStopped] = field(default_factory=dict)
    adopted: dict[str, Followed] = field(default_factory=dict)


def plan_of(
    system: str,
    streams: Sequence[StreamSpec],
    looked: Looked,
    known: Mapping[str, Record],
    landed: Mapping[str, tuple[Column, ...]],
    asked: Sequence[str] = (),
) -> Plan:
    """Decide for each stream. `landed` are the columns of those that have a relation; `asked` are to be read again."""
    plan = Plan()
    for stream in streams:
        if (refused := looked.stopped.get(stream.name)) is not None:
            plan.stopped[stream.name] = refused
            continue
        _decide(system, stream, looked.followed[stream.name], known.get(stream.name), landed, asked, plan)
    return plan


def _decide(
    system: str,
    stream: StreamSpec,
    now: Followed,
    before: Record | None,
    landed: Mapping[str, tuple[Column, ...]],
    asked: Sequence[str],
    plan: Plan,
) -> None:
    name = stream.name
    if before is None and name in landed and _same_columns(landed[name], now.columns):
        before = Record(now.shape, 0)  # landed before shapes were recorded
        plan.adopted[name] = now
    if name in asked:
        plan.reread[name] = "asked for"
    elif before is None or before.shape is None:
        plan.reread[name] = "it had no snapshot"
    elif before.stopped is not None and not _is_over(before, now):
        is_frozen = before.stopped.by == "contract"
        plan.stopped[name] = _frozen(system, now, before.shape) if is_frozen else before.stopped
    elif before.stopped is not None:
        plan.reread[name] = "what stopped it is mended"
    if before is None or before.shape is None or before.stopped is not None:
        return
    what = difference(before.shape, now.shape)
    contract = getattr(stream, "contract", "evolve")
    accepts = [before.shape.sent]
    oid = (
        now.shape.oid if before.shape.identity == now.shape.identity else 0
    )  # another table by that name is read again
    if name not in plan.reread and what.of_columns and contract == "freeze":
        plan.stopped[name] = _frozen(system, now, before.shape)
        if before.shape.sent != now.shape.sent:  # what came under the former columns still lands
            plan.keyed.append(Keyed(name, now.table, before.shape.key, before.start, tuple(accepts), oid=oid))
        return
    refuses = what.of_columns and contract == "dead_letter"
    if what.kind == "added" and not refuses:
        accepts.append(now.shape.sent)
        plan.adopted[name] = now
    elif what.kind == "changed" and not refuses:
        plan.reread.setdefault(name, what.words)
    elif what.kind == "same" and before.shape != now.shape:
        plan.adopted[name] = now
    plan.keyed.append(
        Keyed(
            name,
            now.table,
            before.shape.key,
            before.start,
            tuple(accepts),
            refuses or contract == "dead_letter",
            "contract" if contract == "freeze" else "source",
            oid,
        )
    )


def _frozen(system: str, now: Followed, before: Shape) -> StreamStopped:
    words = difference(before, now.shape).words
    return StreamStopped(
        now.name,
        f"The columns of {now.table} changed, which its contract `freeze` forbids: {words}.",
        f"Undo it at the source, or accept it: `crossdock run --snapshot {system}.{now.name}`.",
        "contract",
    )


def _is_over(before: Record, now: Followed) -> bool:
    """Whether what stopped a stream that can be followed is over."""
    assert before.stopped is not None and before.shape is not None
    by: By = before.stopped.by
    if by == "contract":
        return not difference(before.shape, now.shape).of_columns
    if by == "key":
        return now.is_unique or now.shape.key != before.shape.key
    return True


def _same_columns(landed: Sequence[Column], now: Sequence[Column]) -> bool:
    def described(columns: Sequence[Column]) -> list[tuple[Any, ...]]:
        return sorted((c.name, c.type.lower(), c.key) for c in columns)

    return described(landed) == described(now)
