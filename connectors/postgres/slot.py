"""The replication slot: made with an exported snapshot, checked before every read, advanced only behind what DuckDB
committed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from connectors.model import PermanentError, TransientError, quoted
from connectors.postgres.link import ReplicationLink, lsn_of, lsn_text

BUSY_S = 30.0
RESNAPSHOT = (
    "Take a new snapshot: `crossdock run --resnapshot <system>` lands all that the source has now as a new generation "
    "and keeps the log. What changed in between and changed again, nobody can tell any more."
)
HINT_WAL_BYTES = 64 << 20
HINT_S = 5


class PositionLost(PermanentError):
    """The source can no longer continue from the landed position without a gap; reading on would lose changes
    silently.
    """


@dataclass(frozen=True)
class Identity:
    """Which cluster this is, and on which timeline: a restored backup or a failed-over replica differs in one of
    them.
    """

    system_identifier: str
    timeline: int


def identify(link: ReplicationLink) -> Identity:
    row = link.command("IDENTIFY_SYSTEM")[0]
    return Identity(str(row[0]), int(row[1] or 0))


def create(link: ReplicationLink, slot: str) -> tuple[int, str]:
    """Create the slot; returns its consistent point and the exported snapshot's name, valid until the link's next
    command.
    """
    row = link.command(f"CREATE_REPLICATION_SLOT {quoted(slot)} LOGICAL pgoutput (SNAPSHOT 'export')")[0]
    return lsn_of(str(row[1])), str(row[2])


def create_temporary(link: ReplicationLink) -> tuple[int, str]:
    """The same for a slot that ends with the link. TransientError while the server has none to spare."""
    name = f"crossdock_beside_{os.getpid()}_{link.pg.backend_pid}"
    row = link.command(f"CREATE_REPLICATION_SLOT {quoted(name)} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'export')")[0]
    return lsn_of(str(row[1])), str(row[2])


def drop(connection: psycopg.Connection, slot: str) -> None:
    """Drop the slot if it exists; TransientError while somebody reads from it."""
    _when_free(
        connection,
        slot,
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s",
        [slot],
    )


def confirmed(
    connection: psycopg.Connection, slot: str, cursor: Mapping[str, Any], identity: Identity
) -> tuple[int, int]:
    """Check that the slot continues where `cursor` ended; returns its confirmed and its restart position.

    Postgres starts a reader at the confirmed position if asked for less, without a word, so the comparison is ours.
    Raises PositionLost.
    """
    landed = Identity(str(cursor["system_identifier"]), int(cursor["timeline"]))
    if landed.system_identifier != identity.system_identifier:
        raise PositionLost(
            "The source is another cluster than the one that was landed (system identifier differs).", RESNAPSHOT
        )
    if landed.timeline != identity.timeline:
        raise PositionLost(
            f"The source is on timeline {identity.timeline}, the landed position on {landed.timeline}: "
            "a restore or failover happened.",
            RESNAPSHOT,
        )
    stands = connection.execute("select pg_current_wal_flush_lsn()::text").fetchone()
    if stands is not None and lsn_of(stands[0]) < lsn_of(cursor["lsn"]):
        raise PositionLost(
            f"The source stands at {stands[0]}, before the landed position {cursor['lsn']}: "
            "an older copy of it was put back.",
            RESNAPSHOT,
        )
    free(connection, slot)
    row = connection.execute(
        "select plugin, wal_status, confirmed_flush_lsn::text, restart_lsn::text, database = current_database() "
        "from pg_replication_slots where slot_name = %s",
        [slot],
    ).fetchone()
    if row is None:
        raise PositionLost(f"Slot {slot} no longer exists; the changes since {cursor['lsn']} may be gone.", RESNAPSHOT)
    plugin, wal_status, flushed, restart, is_here = row
    if wal_status == "lost" or restart is None:
        raise PositionLost(
            f"Slot {slot} was invalidated: the server removed WAL that it needed.",
            "Raise max_slot_wal_keep_size. " + RESNAPSHOT,
        )
    if plugin != "pgoutput" or not is_here:
        raise PositionLost(
            f"Slot {slot} is not a pgoutput slot of this database.", "Name another slot for this system."
        )
    if lsn_of(flushed) > lsn_of(cursor["lsn"]):
        raise PositionLost(
            f"Slot {slot} was advanced to {flushed}, beyond the landed position {cursor['lsn']}, by somebody else.",
            RESNAPSHOT,
        )
    return lsn_of(flushed), lsn_of(restart)


def advance(connection: psycopg.Connection, slot: str, position: int) -> None:
    """Acknowledge everything before `position`: the server may forget it. Call it only after DuckDB committed."""
    _when_free(connection, slot, "select pg_replication_slot_advance(%s, %s::pg_lsn)", [slot, lsn_text(position)])


def is_pending(connection: psycopg.Connection, slot: str, publication: str, landed: int) -> bool:
    """Whether the slot has a published change that has not landed, or may have one.

    Looks, for at most HINT_S seconds, at the WAL that no other answer covers; where that is more than HINT_WAL_BYTES,
    or the slot is not where it was left, or cannot be read, the answer is yes, and the next sync finds out.
    """
    row = connection.execute(
        "select confirmed_flush_lsn = %s::pg_lsn and pg_current_wal_flush_lsn() >= confirmed_flush_lsn "
        "and pg_current_wal_flush_lsn() - restart_lsn < %s "
        "from pg_replication_slots where slot_name = %s and database = current_database() and active_pid is null",
        [lsn_text(landed), HINT_WAL_BYTES, slot],
    ).fetchone()
    if row is None or not row[0]:
        return True
    try:
        connection.execute(f"set statement_timeout = '{HINT_S}s'")
        found = connection.execute(
            "select 1 from pg_logical_slot_peek_binary_changes(%s, null, 1, 'proto_version', '1', "
            "'publication_names', %s) limit 1",
            [slot, quoted(publication)],
        ).fetchone()
    except (psycopg.errors.OperationalError, psycopg.errors.ProgrammingError):
        return True
    return found is not None


def restart_position(connection: psycopg.Connection, slot: str) -> int:
    """Where the server starts to decode: behind it lies all WAL of transactions that are not acknowledged."""
    row = connection.execute(
        "select restart_lsn::text from pg_replication_slots where slot_name = %s", [slot]
    ).fetchone()
    return lsn_of(row[0]) if row and row[0] else 0


def _when_free(connection: psycopg.Connection, slot: str, query: str, values: list[str]) -> None:
    """Run a statement that needs the slot for itself; whoever takes it first is waited for again, within BUSY_S."""
    deadline = time.monotonic() + BUSY_S
    while True:
        free(connection, slot)
        try:
            connection.execute(query, values)  # type: ignore[call-overload]
            return
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise


def free(connection: psycopg.Connection, slot: str) -> None:
    """Wait, bounded, while a server process still holds the slot: after a kill it notices only when it next writes to
    us.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        row = connection.execute("select active_pid from pg_replication_slots where slot_name = %s", [slot]).fetchone()
        if row is None or row[0] is None:
            return
        if time.monotonic() > deadline:
            raise TransientError(
                f"Slot {slot} is in use by server process {row[0]}.", "Let the other reader finish, then run again."
            )
        time.sleep(0.05)
