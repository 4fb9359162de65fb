"""The first copy is whole or not there: a server that ends it too early, a table that must be read twice."""

import pytest

from connectors.model import TransientError
from connectors.postgres import table_copy
from connectors.postgres.reader import sync_postgres

from .conftest import Source, Spec

MANY = "create table s.{0} (id int primary key, note text, on_date date); insert into s.{0} "
ROWS = "select i, repeat(chr(97 + i % 26), 150), '2024-02-29' from generate_series(1, 120000) i; "


@pytest.mark.parametrize("ends", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_copy_that_the_server_ends_too_early_lands_nothing(source: Source, ends: str, monkeypatch) -> None:
    monkeypatch.setattr(table_copy, "AHEAD", 1)  # or all would have been read before the first of it is written
    source.run(MANY.format("items") + ROWS)
    told: list[int] = []

    def end(_stream: str, rows: int) -> None:
        told.append(rows)
        source.there(
            f"select {ends}(pid) from pg_stat_activity where query ilike 'copy%' and datname = current_database()"
        )

    with pytest.raises(TransientError):
        sync_postgres(
            "erp",
            source.landing,
            dsn=source.dsn,
            publication="crossdock",
            streams=[Spec("items", "s.items")],
            slot=source.slot,
            on_progress=end,
        )
    assert told and told[-1] < 120000
    assert source.landing.cursor("*") is None and source.landing.streams() == []
    assert source.sync("items").rows == 120000


def test_a_table_that_must_be_read_again_leaves_the_tables_around_it_whole(source: Source, monkeypatch) -> None:
    monkeypatch.setattr(table_copy, "AHEAD", 1)  # so that the rest of the odd one is left unread
    for name in ("first", "odd", "last"):
        first = "values (0, 'odd', '0044-03-15 BC'); insert into s.odd " if name == "odd" else ""
        source.run(MANY.format(name) + first + ROWS)
    source.run("update s.odd set on_date = '0044-03-15 BC' where id = 119999")
    counts = source.sync("first", "odd", "last")
    assert (counts.rows, counts.dead) == (3 * 120000 - 1, 2)
    for name in ("first", "odd", "last"):
        (here,) = source.here(f"select count(*), sum(id), md5(string_agg(note, '' order by id)) from raw_erp.{name}")
        fine = "on_date > '0001-01-01'"
        (there,) = source.there(
            f"select count(*), sum(id), md5(string_agg(note, '' order by id)) from s.{name} where {fine}"
        )
        assert here == there
        assert source.landing.duplicates(name) == 0


@pytest.mark.parametrize("phase", ["snapshot", "writing", "committing"])
def test_a_new_snapshot_that_was_killed_is_taken_by_the_next_pass(two: Source, phase: str) -> None:
    def die(name: str) -> None:
        if name == phase:
            raise KeyboardInterrupt

    two.run("insert into s.items values (6, 'f', null)")
    two.landing.on_phase = die
    with pytest.raises(KeyboardInterrupt):
        two.sync("items", "other", resnapshot=True)
    two.landing.on_phase = None
    two.run("insert into s.items values (7, 'g', null)")
    for rows in (10, 0):  # of each of two streams a truncate, and eight rows: once
        assert two.sync("items", "other").rows == rows
    two.assert_equal("items", "id", "name", "made")
