"""How each kind of system is read: one adapter per kind between `sync` and the connector, in a registry.

An adapter lands through `landing`, reports each batch, and says its position in the form that `source_position` of the
same kind has, so that equal texts mean that nothing is to be done.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from connectors.config_model import System
from connectors.landing import Landing
from connectors.model import BatchRecord, PermanentError


@dataclass
class Tally:
    """What a sync has landed so far."""

    rows: int = 0
    batches: int = 0
    dead: int = 0
    per_stream: dict[str, int] = field(default_factory=dict)

    def add(self, stream: str, record: BatchRecord) -> None:
        self.rows += record.rows
        self.dead += record.dead
        self.batches += 1
        self.per_stream[stream] = self.per_stream.get(stream, 0) + record.rows


@dataclass(frozen=True)
class Asked:
    """What a sync is asked for besides what is new: everything again (`full`), these streams again (`snapshot`), or
    only these streams, where each is read by itself (`only`; empty: all).
    """

    full: bool = False
    snapshot: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def wants(self, stream: str) -> bool:
        return not self.only or stream in self.only

    def again(self, stream: str) -> bool:
        return self.full or stream in self.snapshot


@dataclass(frozen=True)
class Landed:
    """Where a sync ended: its position, the instant (naive UTC) up to which the source is complete in landing, and the
    streams that stand still, each with the reason."""

    position: str | None
    complete_up_to: datetime | None
    stopped: dict[str, str] = field(default_factory=dict)


Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Reader:
    """`sync(system, landing, tally, progress, asked)` and `position(system, landed)`; see `connectors.sync`.
    `examine(system)` says what is wrong at the source for what is declared; `totals(system, landing)` compares counts
    and sums, where a source can tell them of one position."""

    sync: Callable[[System, Landing, Tally, Progress, Asked], Landed]
    position: Callable[[System, str | None], str | None]
    examine: Callable[[System], list[str]] = lambda _system: []
    totals: Callable[[System, Landing], list[Any]] = lambda _system, _landing: []


READERS: dict[str, Reader] = {}


def register_reader(kind: str, reader: Reader) -> None:
    """Make a kind readable; the same name is registered in `config_kinds`."""
    READERS[kind] = reader


def reader_of(system: System) -> Reader:
    """The reader of a system's kind. Raises PermanentError for a kind that has a configuration but no reader."""
    try:
        return READERS[system.read.kind]
    except KeyError:
        raise PermanentError(f"{system.system}: nothing can read kind {system.read.kind!r}.") from None


def _telling(tally: Tally, progress: Progress) -> Callable[[str, BatchRecord], None]:
    def told(stream: str, record: BatchRecord) -> None:
        tally.add(stream, record)
        progress(stream, tally.per_stream[stream])

    return told


def _packed(positions: dict[str, Any]) -> str:
    return msgspec.json.encode(dict(sorted(positions.items()))).decode()


def _sync_rest(system: System, landing: Landing, tally: Tally, progress: Progress, asked: Asked) -> Landed:
    from connectors.rest.system import sync_rest
    from connectors.stamps import naive_utc

    wanted = system.model_copy(update={"streams": tuple(s for s in system.streams if asked.wants(s.name))})
    stopped = sync_rest(wanted, landing, _telling(tally, progress), again=asked.again)
    cursors = {stream.name: landing.cursor(stream.name) or {} for stream in system.streams}
    # a sweep that goes on in the next pass has no position yet, which is never that of a source
    highs = {name: None if cursor.get("next") else cursor.get("high") for name, cursor in cursors.items()}
    reached = {name: naive_utc(cursor.get("since")) for name, cursor in cursors.items()}
    known = [at for at in reached.values() if at is not None]
    complete = None if any(reached[name] is None for name in stopped) else min(known, default=None)
    return Landed(_packed(highs), complete, stopped)


def _rest_position(system: System, landed: str | None) -> str | None:
    from connectors.rest.system import newest_of

    return _packed(newest_of(system, msgspec.json.decode(landed) if landed else {}))


def _examine_rest(system: System) -> list[str]:
    from connectors.rest.system import faults_of

    return faults_of(system)


def _sync_sftp(system: System, landing: Landing, tally: Tally, progress: Progress, asked: Asked) -> Landed:
    from connectors.files.reader import landed_files, sync_files
    from connectors.files.registry import taken_up_to

    if asked.snapshot:
        raise PermanentError(
            f"{system.system} reads files, and each is read once.", "Files that were refused: `crossdock replay`."
        )
    wanted = system.model_copy(update={"streams": tuple(s for s in system.streams if asked.wants(s.name))})
    sync_files(wanted, landing, _telling(tally, progress))
    positions = {stream.name: landed_files(landing, stream.name) for stream in system.streams}
    return Landed(_packed(positions), taken_up_to(landing))


def _sftp_position(system: System, landed: str | None) -> str | None:
    from connectors.files.connection import Server
    from connectors.files.reader import listed_position

    with Server(system.read) as server:
        return _packed(listed_position(server, system, msgspec.json.decode(landed) if landed else {}))


def _source(system: System) -> dict[str, Any]:
    """How a database is named to its connector."""
    return {
        "dsn": system.read.dsn.get_secret_value(),
        "publication": system.read.publication,
        "slot": system.read.slot,
        "streams": system.streams,
    }


def _sync_postgres(system: System, landing: Landing, tally: Tally, progress: Progress, asked: Asked) -> Landed:
    from connectors.postgres.reader import sync_postgres

    counts = sync_postgres(
        system.system,
        landing,
        **_source(system),
        on_progress=progress,
        resnapshot=asked.full,
        snapshot_of=asked.snapshot,
    )
    tally.rows, tally.batches, tally.dead = counts.rows, counts.batches, counts.dead
    tally.per_stream |= counts.per_stream
    return Landed(counts.position, counts.complete_up_to, counts.stopped)


def _postgres_position(system: System, landed: str | None) -> str | None:
    from connectors.postgres.position import slot_of, source_position

    slot = system.read.slot or slot_of(system.system)
    return source_position(system.read.dsn.get_secret_value(), slot, system.read.publication, landed)


def _examine_postgres(system: System) -> list[str]:
    from connectors.postgres.catalogue import look, without_identity
    from connectors.postgres.link import sql

    with sql(system.read.dsn.get_secret_value()) as connection:
        looked = look(connection, system.read.publication, system.streams)
        bare = without_identity(connection, system.read.publication)
    found = [f"stream {name}: {error}" for name, error in looked.stopped.items()]
    if bare:
        found.append(
            f"{', '.join(bare)}: published without a replica identity, so the source itself refuses every update and "
            "delete. Add a primary key, set replica identity full, or take it out of the publication."
        )
    return found


def _postgres_totals(system: System, landing: Landing) -> list[Any]:
    from connectors.postgres.totals import control_totals

    return list(control_totals(system.system, landing, **_source(system)))


register_reader("rest", Reader(_sync_rest, _rest_position, _examine_rest))
register_reader("sftp", Reader(_sync_sftp, _sftp_position))
register_reader("postgres", Reader(_sync_postgres, _postgres_position, _examine_postgres, _postgres_totals))
