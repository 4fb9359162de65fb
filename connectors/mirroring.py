"""After a landing run: put positions, counts and dead-letter headers where others may read them.

Nobody opens a landing file just to look; the control store holds what sensors, `status` and pages need. The DuckDB
cursor stays the truth, so a mirror that a kill left behind is corrected by the next run.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.control import Mirror, open_control, read_control
from connectors.landing import Landing
from connectors.landing.tables import state_of

CONTROL_FILE = "control.sqlite"


def control_of(home: Path, control: str | Path | None = None) -> str | Path:
    """Where the control store of a home is: the given URL or path, else `control.sqlite` in it."""
    return control if control is not None else home / CONTROL_FILE


def open_letters(landing: Landing) -> list[dict[str, Any]]:
    """Headers of the open dead letters of a landing file, oldest first, without their raw bytes."""
    with landing.session() as db:
        rows = db.execute(
            "select id, stream, key, reason, state, first_seen from _land.dead_letter where state = 'open' "
            "order by first_seen, id"
        ).fetchall()
    names = ("id", "stream", "key", "reason", "state", "first_seen_utc")
    return [dict(zip(names, row, strict=True)) for row in rows]


def mirror(
    home: Path,
    landing: Landing,
    *,
    position: str | None,
    complete_up_to: datetime | None,
    stopped: Mapping[str, str] | None = None,
    control: str | Path | None = None,
) -> None:
    """Replace what the control store says of a system by what its landing file holds. `stopped` are the streams that
    stand still, with the reasons; None leaves what was said of them."""
    with landing.session() as db:
        rows: dict[str, int] = {}
        for stream in landing.streams():
            count = db.execute(f"select count(*) from {state_of(landing.system, stream)}").fetchone()
            rows[stream] = count[0] if count else 0
        dead = open_letters(landing)
    store = open_control(control_of(home, control))
    try:
        Mirror(store).record_run(
            landing.system,
            position=position,
            complete_up_to_utc=complete_up_to,
            stream_rows=rows,
            dead=dead,
            stopped=stopped,
        )
    finally:
        store.close()


def mirror_failure(home: Path, system: str, error: str, control: str | Path | None = None) -> None:
    """Note that a run failed; what landed before it stays mirrored as it was."""
    store = open_control(control_of(home, control))
    try:
        Mirror(store).record_run(
            system, position=None, complete_up_to_utc=None, stream_rows={}, dead=(), error=error[:1000]
        )
    finally:
        store.close()


def mirrored_position(home: Path, system: str, control: str | Path | None = None) -> str | None:
    """The position of the last successful landing run as mirrored; None before the first."""
    store = read_control(control_of(home, control))
    try:
        found = Mirror(store).landed(system)
        return None if found is None else found.position
    finally:
        store.close()
