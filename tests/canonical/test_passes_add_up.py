"""Tables that passes merged day by day are those that one build makes anew from the same sources."""

from datetime import UTC, timedelta

import duckdb
import pytest

from sandbox.world.simulated import SimulatedWorld


def contents(scratch) -> dict[str, list[tuple]]:
    """Every row of every table that dbt made, in one order."""
    with duckdb.connect(str(scratch.warehouse), read_only=True) as con:
        con.execute(f"attach '{scratch.folder / 'marts' / 'crossdock.duckdb'}' as crossdock (read_only)")
        tables = con.execute(
            "select database_name, schema_name, table_name from duckdb_tables() where schema_name not like 'raw%'"
        ).fetchall()
        return {
            f"{schema}.{table}": con.execute(f'from "{database}"."{schema}"."{table}" order by all').fetchall()
            for database, schema, table in tables
        }


@pytest.mark.verify
def test_what_passes_merged_equals_what_one_build_makes(new_scratch, world_loader) -> None:
    world = SimulatedWorld(seed=5, days=40, orders_per_day=10)
    emissions = [world.advance(world.now + timedelta(days=30))]
    merged = new_scratch("merged")
    for _ in range(4):
        merged.as_of = world.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with merged.connected() if merged.warehouse.exists() else merged.raw() as con:
            world_loader(con, emissions)
        merged.dbt("build", "--exclude-resource-type", "unit_test")
        emissions.append(world.advance(world.now + timedelta(days=2)))
    anew = new_scratch("anew", as_of=merged.as_of)
    with anew.raw() as con:
        world_loader(con, emissions[:-1])
    anew.dbt("build", "--exclude-resource-type", "unit_test")
    after_passes, after_one = contents(merged), contents(anew)
    assert after_passes.keys() == after_one.keys() and len(after_one) > 60
    assert [name for name, rows in after_one.items() if after_passes[name] != rows] == []
