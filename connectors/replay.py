"""Dead letters: list them, and try them again after a fix, through the path that read them the first time.

A replay lands the rows and closes the letter in one transaction. It never overwrites a document that came later, by its
stamp or by when it was seen, so that repeating it, or replaying an old record, changes nothing that is right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.config_model import System
from connectors.control import Mirror, read_control
from connectors.documents import Row
from connectors.landing import Landing
from connectors.landing.documents import write_documents
from connectors.landing.tables import state_of
from connectors.mirroring import control_of, mirror
from connectors.replayers import CUT, Letter, Verdict, replayer_of
from connectors.size import is_cut
from connectors.stamps import instant
from connectors.sync import landed_position, landing_of


@dataclass(frozen=True)
class Replayed:
    """The outcome for one dead letter: `replayed` (its rows landed, or the next sync will read it), `superseded` (newer
    documents are there already), `faulty` (the same path refuses it still) or `not replayable`."""

    id: str
    system: str
    stream: str
    outcome: str
    rows: int
    reason: str


def dead_letters(
    home: Path | str, system: str | None = None, control: str | Path | None = None
) -> list[dict[str, Any]]:
    """Headers of the open dead letters: system, id, stream, key, reason, state, first_seen_utc. From the control store;
    no landing file is opened."""
    where = control_of(Path(home), control)
    store = read_control(where)
    try:
        return Mirror(store).dead_letters(system)
    finally:
        store.close()


def raw_of(home: Path | str, system: str, letter_id: str) -> bytes | None:
    """The raw bytes of one dead letter, from the landing file; None when there is none with that id."""
    landing = landing_of(home, system)
    if not landing.path.exists():
        return None
    with landing.session() as db:
        row = db.execute("select raw from _land.dead_letter where id = ?", [letter_id]).fetchone()
    return None if row is None else bytes(row[0])


def replay(
    home: Path | str,
    systems: Iterable[System],
    ids: Sequence[str] | None = None,
    control: str | Path | None = None,
    by: str = "replay",
) -> list[Replayed]:
    """Try open dead letters again: those with these ids, or all. Letters that fail again stay open with one attempt
    more. `by` is recorded as who closed them."""
    results: list[Replayed] = []
    for system in systems:
        landing = landing_of(home, system.system)
        if not landing.path.exists():
            continue
        with landing.session():
            found = [_one(system, landing, letter, by) for letter in _open(landing, ids)]
        if found:
            complete = _complete_up_to(Path(home), system.system, control)
            position = landed_position(home, system, control)
            mirror(Path(home), landing, position=position, complete_up_to=complete, control=control)
        results += found
    return results


def _open(landing: Landing, ids: Sequence[str] | None) -> list[Letter]:
    with landing.session() as db:
        rows = db.execute(
            "select id, stream, key, position, reason, raw, first_seen from _land.dead_letter where state = 'open' "
            "order by first_seen, id"
        ).fetchall()
    wanted = None if ids is None else set(ids)
    return [
        Letter(id_, stream, key, position, reason, bytes(raw or b""), first_seen)
        for id_, stream, key, position, reason, raw, first_seen in rows
        if wanted is None or id_ in wanted
    ]


def _one(system: System, landing: Landing, letter: Letter, by: str) -> Replayed:
    verdict = CUT if is_cut(letter.raw) and not letter.is_read_anew else replayer_of(system)(system, letter)
    rows: list[Row] = []
    outcome, reason = "faulty", verdict.reason or letter.reason
    if verdict.is_closed:
        rows = _not_superseded(landing, letter, verdict.rows)
        outcome, reason = ("replayed" if rows or not verdict.rows else "superseded"), ""
    elif not verdict.is_possible:
        outcome = "not replayable"
    _close(landing, letter, verdict, rows, outcome, by)
    return Replayed(letter.id, system.system, letter.stream, outcome, len(rows), reason)


def _not_superseded(landing: Landing, letter: Letter, rows: list[Row]) -> list[Row]:
    """Rows whose key is not there yet, or is there with an older stamp. Where one has no stamp, what was seen first is
    older: a document when its batch landed, or the letter that it came from was written."""
    if letter.stream not in landing.streams():
        return rows
    with landing.session() as db:
        found = db.execute(
            f"select s.doc_key, s.updated_at_raw, coalesce(l.first_seen, b.committed_at) "
            f"from {state_of(landing.system, letter.stream)} s left join _land.batch b on b.batch_id = s._batch_id "
            "left join _land.dead_letter l on b.correlation_id = 'replay:' || l.id "
            "where s.doc_key in (select unnest(?::varchar[]))",
            [[row[0] for row in rows]],
        ).fetchall()
    known = {key: (instant(stamp), seen) for key, stamp, seen in found}
    kept = []
    for row in rows:
        before, seen = known.get(row[0], (None, None))
        now = instant(row[2])
        newer = now > before if now and before else seen is None or letter.first_seen > seen
        if row[0] not in known or newer:
            kept.append(row)
    return kept


def _close(landing: Landing, letter: Letter, verdict: Verdict, rows: list[Row], outcome: str, by: str) -> None:
    state = {"replayed": "replayed", "superseded": "resolved"}.get(outcome, "open")
    if verdict.is_left:
        state = "open"
    cursor = landing.cursor(letter.stream) or {}
    if not rows:
        with landing.session() as db:
            db.execute("begin")
            _mark(db, letter, state, by)
            if verdict.on_close is not None and verdict.is_closed:
                verdict.on_close(db)
            db.execute("commit")
        return
    with landing.commit(letter.stream, cursor, correlation_id=f"replay:{letter.id}") as commit:
        write_documents(commit, letter.stream, rows, None)
        _mark(commit.db, letter, state, by)
        if verdict.on_close is not None:
            verdict.on_close(commit.db)
    if landing.on_commit is not None and commit.record is not None:
        landing.on_commit(commit.record)


def _mark(db: Any, letter: Letter, state: str, by: str) -> None:
    resolved_by = None if state == "open" else by
    db.execute(
        "update _land.dead_letter set state = ?, attempts = attempts + 1, resolved_by = ? where id = ?",
        [state, resolved_by, letter.id],
    )


def _complete_up_to(home: Path, system: str, control: str | Path | None) -> Any:
    store = read_control(control_of(home, control))
    try:
        found = Mirror(store).landed(system)
        return None if found is None else found.complete_up_to_utc
    finally:
        store.close()
