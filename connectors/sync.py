"""One pass of one system: land what changed, mirror where it stands. One call serves the first day and all later ones.

Safe to kill anywhere and to repeat; two at once for one system in one home are refused by an operating system lock,
which a killed process gives back.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from connectors.config_model import System
from connectors.control import open_control
from connectors.landing import Landing
from connectors.landing.room import with_room
from connectors.mirroring import control_of, mirror, mirror_failure, mirrored_position
from connectors.model import ConnectorError, PermanentError, TransientError, Unreachable
from connectors.readers import Asked, Landed, Tally, reader_of

__all__ = ["SyncResult", "landed_position", "landing_of", "source_position", "sync"]

PATIENCE_S = 15.0
"""How long a system that cannot be reached is asked again within one pass."""
OnProgress = Callable[[str, str, int], None]


@dataclass(frozen=True)
class SyncResult:
    """What one pass landed. `rows` are change-log rows; `complete_up_to` (naive UTC) is by the source's own clock, None
    while nothing says so; `per_stream` has the rows of each stream that landed any, `stopped` the
    streams that stand still and why."""

    system: str
    rows: int
    batches: int
    dead: int
    position: str | None
    complete_up_to: datetime | None
    seconds: float
    per_stream: dict[str, int] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)


def landing_of(home: Path | str, system: str, **settings: object) -> Landing:
    """The landing file of a system in a home: `landing/<system>.duckdb`."""
    return Landing(Path(home) / "landing" / f"{system}.duckdb", system, **settings)  # type: ignore[arg-type]


def sync(
    system: System,
    home: Path | str,
    *,
    on_progress: OnProgress | None = None,
    full: bool = False,
    snapshot: Sequence[str] = (),
    only: Sequence[str] = (),
    control: str | Path | None = None,
    wait_s: float = 30,
) -> SyncResult:
    """Land everything that the source has when this call begins.

    `on_progress(system, stream, rows)` is called as batches land. `full` asks an API for everything again, which finds
    what a time stamp hides, and takes a new snapshot of a database, under a new generation of the same log;
    `snapshot` does so for these streams, beside the others. `only` leaves out every other stream where each is read by
    itself (not for a database, whose changes come together). `wait_s`
    bounds the wait for another sync of the same system. Raises TransientError (try again) or PermanentError (something
    must change first); what landed before either stays.
    """
    home, asked = Path(home), Asked(full, tuple(snapshot), tuple(only))
    unknown = sorted({*snapshot, *only} - {stream.name for stream in system.streams})
    if unknown:
        known = ", ".join(stream.name for stream in system.streams)
        raise PermanentError(f"{system.system} has no stream {', '.join(unknown)}.", f"It has {known}.")
    landing = landing_of(home, system.system)
    if not landing.path.exists():  # the control store comes first: where something landed, one without it was lost
        open_control(control_of(home, control)).close()
    landing.path.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        with FileLock(landing.path.with_suffix(".lock"), timeout=wait_s):
            result = _locked(system, home, landing, on_progress, asked, control)
    except Timeout as error:
        raise TransientError(
            f"Another sync of {system.system} has run for {wait_s:g} s.", "Let it finish; it lands the same changes."
        ) from error
    except Exception as error:
        words = str(error) if isinstance(error, ConnectorError) else f"{type(error).__name__}: {error}"
        mirror_failure(home, system.system, words, control)
        raise
    return SyncResult(**{**result, "seconds": time.monotonic() - started})


def _locked(
    system: System,
    home: Path,
    landing: Landing,
    on_progress: OnProgress | None,
    asked: Asked,
    control: str | Path | None,
) -> dict:
    def progress(stream: str, rows: int) -> None:
        if on_progress is not None:
            on_progress(system.system, stream, rows)

    tally = Tally()
    landed = _patiently(
        lambda: with_room(landing, lambda: reader_of(system).sync(system, landing, tally, progress, asked))
    )
    mirror(
        home,
        landing,
        position=landed.position,
        complete_up_to=landed.complete_up_to,
        stopped=landed.stopped,
        control=control,
    )
    return {
        "system": system.system,
        "rows": tally.rows,
        "batches": tally.batches,
        "dead": tally.dead,
        "position": landed.position,
        "complete_up_to": landed.complete_up_to,
        "stopped": landed.stopped,
        "per_stream": {stream: rows for stream, rows in tally.per_stream.items() if rows and stream != "*"},
    }


def _patiently(work: Callable[[], Landed]) -> Landed:
    """`work`, done again while its source takes no connection, for PATIENCE_S: it may be starting."""
    until, wait = time.monotonic() + PATIENCE_S, 0.5
    while True:
        try:
            return work()
        except Unreachable:
            if time.monotonic() + wait > until:
                raise
        time.sleep(wait)
        wait = min(2 * wait, 4.0)


def source_position(system: System, landed: str | None = None) -> str | None:
    """Where the source is now, cheaply: one request or listing, and no landing file is opened.

    Compare with `landed_position`: another text means that there is something to sync. `landed` lets an API be asked
    only for what is newer; without it the answer may be older than what has landed. A failure raises TransientError or
    PermanentError, never looks like "nothing new".
    """
    return reader_of(system).position(system, landed)


def landed_position(home: Path | str, system: System | str, control: str | Path | None = None) -> str | None:
    """The position after the last successful `sync`, from the control store; None before the first."""
    name = system if isinstance(system, str) else system.system
    return mirrored_position(Path(home), name, control)


def check_reachable(system: System) -> str | None:
    """None when the source answers with the credentials given, else why not; for `crossdock check`."""
    try:
        source_position(system)
    except (PermanentError, TransientError) as error:
        return str(error)
    return None


def examined(system: System) -> list[str]:
    """What is wrong at the source for what is declared: streams that cannot be followed, with what mends each, and
    published tables that the source cannot change. Raises TransientError or PermanentError where it does not answer.
    """
    return reader_of(system).examine(system)


def control_totals(system: System, home: Path | str, wait_s: float = 30) -> list[Any]:
    """Counts and sums per stream, in the source and here at one position (`connectors.postgres.totals.Total`); empty
    for a system that cannot tell them. Lands what it needs to stand there. Raises what `sync` raises.
    """
    landing = landing_of(home, system.system)
    landing.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(landing.path.with_suffix(".lock"), timeout=wait_s):
            return with_room(landing, lambda: reader_of(system).totals(system, landing))
    except Timeout as error:
        raise TransientError(f"A sync of {system.system} has run for {wait_s:g} s.", "Let it finish.") from error
