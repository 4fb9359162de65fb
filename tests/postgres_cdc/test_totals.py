"""Control totals: landing and source at one position, of every type, while the source goes on."""

import threading

import psycopg
import pytest

from connectors.model import PermanentError
from connectors.postgres.totals import Total, control_totals

from .conftest import Source, Spec
from .test_every_type import ONLY_VALUES, TYPES, literals


def totals(source: Source, *tables: str) -> dict[str, Total]:
    streams = [Spec(name, f"s.{name}") for name in tables]
    found = control_totals(
        "erp", source.landing, dsn=source.dsn, publication="crossdock", slot=source.slot, streams=streams
    )
    return {total.stream: total for total in found}


def test_totals_of_every_type_are_equal_and_a_row_that_differs_is_told_by_column(source: Source) -> None:
    source.run(
        "create type s.mood as enum ('sad', 'very happy'); create domain s.code as char(5); "
        "create domain s.host as inet; create type s.pair as (a int, b text)"
    )
    columns = {f"v{number}": pair for number, pair in enumerate((TYPES | ONLY_VALUES).items())}
    source.run(f"create table s.wide (id int primary key, {', '.join(f'{n} {t}' for n, (t, _) in columns.items())})")
    for i in (0, 1):
        source.run(f"insert into s.wide values ({i}, {', '.join(literals(v)[i] for _, v in columns.values())})")
    source.run("insert into s.wide (id) values (2)")
    with pytest.raises(PermanentError, match="has not landed"):
        totals(source, "wide")
    source.sync("wide")
    source.run("insert into s.wide (id, v12) values (3, 'mäé')")
    found = totals(source, "wide")["wide"]
    assert found.there["rows"] == 4 and found.differences == [] and len(found.there) > 60
    with source.landing.session() as db:
        db.execute("update raw_erp.wide set v12 = 'm' where id = 3")
    (said,) = totals(source, "wide")["wide"].differences
    assert said.startswith("v12 sum: ")


def test_totals_are_of_one_position_while_the_source_goes_on_and_leave_out_what_is_known_to_lack_rows(
    source: Source,
) -> None:
    source.run("create table s.busy (id int primary key, n int); create table s.odd (id int primary key, d date)")
    source.run("insert into s.odd values (1, 'infinity'); create view s.seen as select 1 as id")
    source.sync("busy", "odd")
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(source.owner_dsn, autocommit=True) as connection:
            i = 0
            while not stop.is_set():
                i += 1
                connection.execute("insert into s.busy values (%s, %s)", [i, i])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            found = totals(source, "busy", "odd", "seen")
            assert found["busy"].differences == [] and found["busy"].why_not == ""
            assert found["busy"].there["rows"] > 0
    finally:
        stop.set()
        writer.join()
    assert "dead letters" in found["odd"].why_not and "a view" in found["seen"].why_not
