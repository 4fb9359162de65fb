"""What the marts are made of, noted in the warehouse: whoever publishes them, in whatever run and however much landed
or was loaded since, claims no more than is in them.

A build that failed or was killed, and one of some models only, leaves marts of several ages. The first two are not
published, whoever asks, and the next pass builds again; after the third the marts count as old as their oldest part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

TABLES = """
create schema if not exists _load;
create table if not exists _load.complete (system varchar, complete_up_to_utc timestamp, behind varchar);
create table if not exists _load.building (since_utc timestamp);
create table if not exists _load.built
    (system varchar, batch_id bigint, complete_up_to_utc timestamp, behind varchar, code varchar);
"""


@dataclass(frozen=True)
class Built:
    """The last batch of each system, the instant (naive UTC) up to which that system's word is complete, why what it
    said since is not there, for those that could not be read or loaded, and the version of the models."""

    loaded: dict[str, int]
    complete_up_to: dict[str, datetime | None]
    behind: dict[str, str]
    code: str


def note_load(
    warehouse: Path, complete: Mapping[str, tuple[datetime | None, str | None]], left_out: Mapping[str, str]
) -> None:
    """Notes up to which instant each system is loaded, and why not further, as it was known before the load: so never
    more than is there. Of those left out the instant noted before stands."""
    with duckdb.connect(str(warehouse)) as db:
        db.execute(TABLES)
        db.execute("begin")
        db.execute("delete from _load.complete where not list_contains(?, system)", [list(left_out)])
        for system, (until, behind) in complete.items():
            if system in left_out:
                db.execute("update _load.complete set behind = ? where system = ?", [left_out[system], system])
            else:
                db.execute("insert into _load.complete values (?, ?, ?)", [system, until, behind])
        db.execute("commit")


def begin(warehouse: Path) -> bool:
    """Notes that a build is under way; whether the marts were whole until now."""
    with duckdb.connect(str(warehouse)) as db:
        db.execute(TABLES)
        was_whole = db.execute("select 1 from _load.building").fetchone() is None
        if was_whole:
            db.execute("insert into _load.building values (now()::timestamp)")
        return was_whole


def end(warehouse: Path, code: str) -> None:
    """Notes that all models were built, of what is loaded now."""
    with duckdb.connect(str(warehouse)) as db:
        db.execute("begin")
        db.execute("delete from _load.built; delete from _load.building")
        db.execute(
            "insert into _load.built "
            "select system, max(batch_id), any_value(complete_up_to_utc), any_value(behind), ? "
            "from _load.loaded full join _load.complete using (system) group by system",
            [code],
        )
        db.execute("commit")


def end_of_some(warehouse: Path, *, was_whole: bool) -> None:
    """Notes that some models were built. What was whole before is so again, as old as it was."""
    if was_whole:
        with duckdb.connect(str(warehouse)) as db:
            db.execute("delete from _load.building")


def built(warehouse: Path) -> Built | None:
    """What the marts are made of; None when no build of all models ended well, or a later one did not."""
    if not warehouse.exists():
        return None
    with duckdb.connect(str(warehouse), read_only=True) as db:
        try:
            if db.execute("select 1 from _load.building").fetchone() is not None:
                return None
            rows = db.execute("select system, batch_id, complete_up_to_utc, behind, code from _load.built order by 1")
            found = rows.fetchall()
        except duckdb.CatalogException:
            return None
    if not found:
        return None
    return Built(
        {system: batch for system, batch, _, _, _ in found if batch is not None},
        {system: until for system, _, until, _, _ in found},
        {system: why for system, _, _, why, _ in found if why},
        found[0][4],
    )
