"""What the marts are made of, noted in the warehouse: whoever publishes them, in whatever run and however much landed
or was loaded since, claims no more than is in them.

Marts are published only when all of them are of one base: the same batches, models and instant. A build that failed or
was killed leaves marts that are not, and so does one of some models after more was loaded; then nobody publishes them,
and the next pass builds all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

TABLES = """
create schema if not exists _load;
create table if not exists _load.complete (system varchar, complete_up_to_utc timestamp, behind varchar);
create table if not exists _load.building (since_utc timestamp);
"""
LOADED = """
select system, coalesce(max(batch_id)::varchar, '') || ' ' || coalesce(max(landing_began)::varchar, '')
    || ' ' || coalesce(max(batch_began)::varchar, '') as batch
from _load.loaded where system in (select system from _load.complete) group by system
"""
"""The last batch of each connected system: its number, and when its file and itself began, since another file counts
from 1 again."""


@dataclass(frozen=True)
class Built:
    """The last batch of each system, the instant (naive UTC) up to which that system's word is complete, why what it
    said since is not there, for those that could not be read or loaded, the version of the models, and business now."""

    loaded: dict[str, str]
    complete_up_to: dict[str, datetime | None]
    behind: dict[str, str]
    code: str
    as_of: datetime


def loaded_state(warehouse: Path) -> dict[str, str]:
    """The last batch loaded per connected system; empty when nothing was loaded."""
    if not warehouse.exists():
        return {}
    with duckdb.connect(str(warehouse), read_only=True) as db:
        try:
            return dict(db.execute(f"{LOADED} order by 1").fetchall())
        except duckdb.CatalogException:
            return {}


def note_load(
    warehouse: Path, complete: Mapping[str, tuple[datetime | None, str | None]], left_out: Mapping[str, str]
) -> None:
    """Notes up to which instant each system is loaded, and why not further, as it was known before the load: so never
    more than is there. Of those left out the instant noted before stands."""
    with duckdb.connect(str(warehouse)) as db:
        db.execute(TABLES)
        db.execute("begin")
        before = dict(db.execute("select system, complete_up_to_utc from _load.complete").fetchall())
        db.execute("delete from _load.complete")
        for system, (until, behind) in complete.items():
            row = (before.get(system), left_out[system]) if system in left_out else (until, behind)
            db.execute("insert into _load.complete values (?, ?, ?)", [system, *row])
        db.execute("commit")


def begin(warehouse: Path, marts: Path) -> Built | None:
    """Notes that a build is under way; what the marts were made of until now, as `built` says it."""
    whole = built(warehouse) if marts.exists() else None
    with duckdb.connect(str(warehouse)) as db:
        db.execute(TABLES)
        if db.execute("select 1 from _load.building").fetchone() is None:
            db.execute("insert into _load.building values (now()::timestamp)")
    return whole


def end(warehouse: Path, code: str, as_of: datetime) -> None:
    """Notes that all models were built, of what is loaded now, as of business now."""
    with duckdb.connect(str(warehouse)) as db:
        db.execute("begin")
        db.execute("delete from _load.building")
        db.execute(
            "create or replace table _load.built as select system, any_value(batch) as batch, "
            "any_value(complete_up_to_utc) as complete_up_to_utc, any_value(behind) as behind, "
            "?::varchar as code, ?::timestamp as as_of_utc "
            f"from ({LOADED}) full join _load.complete using (system) group by system",
            [code, as_of.astimezone(UTC).replace(tzinfo=None)],
        )
        db.execute("commit")


def end_of_some(warehouse: Path, whole: Built | None, code: str) -> None:
    """Notes that some models were built, as of the instant of the others. Marts that were `whole` are so again when
    these are of the same batches and version."""
    if whole is not None and whole.code == code and whole.loaded == loaded_state(warehouse):
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
            rows = db.execute(
                "select system, batch, complete_up_to_utc, behind, code, as_of_utc from _load.built order by 1"
            ).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException):  # none yet, or as an earlier version kept it
            return None
    if not rows:
        return None
    return Built(
        {system: batch for system, batch, *_ in rows if batch is not None},
        {system: until for system, _, until, *_ in rows},
        {system: why for system, _, _, why, *_ in rows if why},
        rows[0][4],
        rows[0][5].replace(tzinfo=UTC),
    )
