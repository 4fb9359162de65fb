"""The mirror of what landed, for those who must not open a DuckDB file just to look."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, insert, select, update

from connectors.control.store import Control, utc_now
from connectors.control.tables import dead_letter, landed, landed_stream


@dataclass(frozen=True)
class LandedSystem:
    """What one system has landed, as last mirrored. Instants are naive UTC."""

    system: str
    position: str | None
    complete_up_to_utc: datetime | None
    rows: int
    dead_letters: int
    last_run_utc: datetime | None
    last_outcome: str | None
    last_error: str | None


class Mirror:
    """Reads and replaces the mirrored figures of a system; each write is one transaction and safe to repeat."""

    def __init__(self, control: Control) -> None:
        self.control = control

    def landed(self, system: str) -> LandedSystem | None:
        with self.control.transaction() as connection:
            row = connection.execute(select(landed).where(landed.c.system == system)).mappings().first()
        return None if row is None else _landed_system(row)

    def systems(self) -> list[str]:
        """The names of all systems that ever landed here, connected still or not."""
        with self.control.transaction() as connection:
            return list(connection.execute(select(landed.c.system).order_by(landed.c.system)).scalars())

    def record_run(
        self,
        system: str,
        *,
        position: str | None,
        complete_up_to_utc: datetime | None,
        stream_rows: Mapping[str, int],
        dead: Iterable[Mapping[str, Any]],
        error: str | None = None,
        stopped: Mapping[str, str] | None = None,
    ) -> None:
        """After a landing run: `stream_rows` are current rows per stream, `dead` all open dead-letter headers with
        id, stream, key, reason, state and first_seen_utc. With `error` only the outcome is replaced. Streams in
        `stopped` stand still, and the outcome names them; None leaves the outcome of the run before."""
        dead_rows = [{"system": system, **header} for header in dead]
        outcome: dict[str, Any] = {"last_run_utc": utc_now()}
        if error:
            outcome |= {"last_outcome": "failed", "last_error": error}
        elif stopped:
            reasons = "; ".join(f"stream {stream} stands still: {reason}" for stream, reason in stopped.items())
            outcome |= {"last_outcome": f"landed without {', '.join(stopped)}", "last_error": reasons[:1000]}
        elif stopped is not None:
            outcome |= {"last_outcome": "landed", "last_error": None}
        if not error:
            outcome |= {
                "position": position,
                "complete_up_to_utc": complete_up_to_utc,
                "rows": sum(stream_rows.values()),
                "dead_letters": len(dead_rows),
            }
        with self.control.transaction() as connection:
            changed = connection.execute(update(landed).where(landed.c.system == system).values(outcome)).rowcount
            if not changed:
                new = {"system": system, "rows": 0, "dead_letters": 0, "last_outcome": "landed"}
                connection.execute(insert(landed).values(new | outcome))
            if error:
                return
            counts = [
                {"system": system, "stream": stream, "rows": rows, "updated_utc": utc_now()}
                for stream, rows in stream_rows.items()
            ]
            _replace(connection, landed_stream, system, counts)
            _replace(connection, dead_letter, system, dead_rows)

    def stream_rows(self, system: str) -> dict[str, int]:
        with self.control.transaction() as connection:
            rows = connection.execute(select(landed_stream).where(landed_stream.c.system == system)).mappings().all()
        return {row["stream"]: row["rows"] for row in rows}

    def dead_letters(self, system: str | None = None) -> list[dict[str, Any]]:
        query = select(dead_letter).order_by(dead_letter.c.system, dead_letter.c.first_seen_utc, dead_letter.c.id)
        if system is not None:
            query = query.where(dead_letter.c.system == system)
        with self.control.transaction() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def _replace(connection: Any, table: Table, system: str, rows: list[dict[str, Any]]) -> None:
    connection.execute(delete(table).where(table.c.system == system))
    if rows:
        connection.execute(insert(table), rows)


def _landed_system(row: Any) -> LandedSystem:
    return LandedSystem(**{name: row[name] for name in LandedSystem.__dataclass_fields__})
