"""The wwi world: replaying day by day ends where loading everything ends, and backorders move as they did."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from sandbox.systems.erp import filling
from sandbox.systems.erp.database import ErpDatabase
from sandbox.systems.postgres import PostgresServer
from sandbox.wwi.invoices import before_delivery
from sandbox.wwi.source import PROOF, wwi_folder
from sandbox.wwi.world import END, WwiWorld


@pytest.fixture(scope="module")
def world(wwi_data: Path) -> WwiWorld:
    return WwiWorld(wwi_data)


def table(world: WwiWorld, name: str, until: datetime) -> pl.DataFrame:
    return next(each for each in world.tables if each.table == name).state(until)


def moved_line(world: WwiWorld) -> tuple[int, int, int, datetime]:
    """A line of a chain of three orders: the line, the root, the middle order, the first move."""
    orders = table(world, "sales.orders", END).filter(pl.col("backorder_order_id").is_not_null())
    chain = orders.join(orders, left_on="backorder_order_id", right_on="order_id", suffix="_next").row(0, named=True)
    lines = table(world, "sales.order_lines", END).filter(pl.col("order_id") == chain["backorder_order_id_next"])
    return lines["order_line_id"][0], chain["order_id"], chain["backorder_order_id"], chain["last_edited_when"]


def test_a_backorder_appears_when_its_parent_was_picked_and_its_lines_move_then(world: WwiWorld) -> None:
    line, root, middle, moved = moved_line(world)
    before = table(world, "sales.order_lines", moved).row(by_predicate=pl.col("order_line_id") == line, named=True)
    after = table(world, "sales.order_lines", moved + timedelta(seconds=1)).row(
        by_predicate=pl.col("order_line_id") == line, named=True
    )
    assert (before["order_id"], before["picked_quantity"], before["picking_completed_when"]) == (root, 0, None)
    assert after["order_id"] == middle
    assert middle not in table(world, "sales.orders", moved)["order_id"]
    orders = {
        row["order_id"]: row for row in table(world, "sales.orders", moved + timedelta(seconds=1)).iter_rows(named=True)
    }
    assert orders[root]["backorder_order_id"] == middle and orders[middle]["order_date"] == orders[root]["order_date"]


def test_no_row_knows_its_future(world: WwiWorld) -> None:
    day = datetime(2014, 7, 15)
    for each in world.tables:
        rows = each.state(day)
        for name, kind in rows.schema.items():
            if name != "expected_delivery_date" and kind in (pl.Date, pl.Datetime("us")) and rows.height:
                latest = rows[name].cast(pl.Datetime("us")).max()
                assert latest is None or latest < day, f"{each.table}.{name} shows {latest} on {day}"


def test_no_line_is_on_an_order_that_does_not_exist_yet(world: WwiWorld) -> None:
    for day in (datetime(2013, 1, 20), datetime(2015, 3, 3), END):
        orders = table(world, "sales.orders", day)
        lines = table(world, "sales.order_lines", day)
        assert lines.join(orders, on="order_id", how="anti").is_empty()
        assert orders.join(lines, on="order_id", how="anti").is_empty() or day != END


def test_a_delivery_is_known_when_it_happened_and_its_log_ends_as_published(world: WwiWorld) -> None:
    final = table(world, "sales.invoices", END)
    invoice = final.filter(pl.col("confirmed_delivery_time").is_not_null()).row(0, named=True)
    delivered = invoice["confirmed_delivery_time"]
    same = pl.col("invoice_id") == invoice["invoice_id"]
    before = table(world, "sales.invoices", delivered).row(by_predicate=same, named=True)
    assert [each["Event"] for each in json.loads(before["returned_delivery_data"])["Events"]] == [
        "Ready for collection"
    ]
    assert before["confirmed_delivery_time"] is None and before["confirmed_received_by"] is None
    assert json.loads(invoice["returned_delivery_data"])["DeliveredWhen"] == delivered.isoformat()
    assert final["returned_delivery_data"].drop_nulls().len() == 1948
    assert before_delivery(before["returned_delivery_data"]) == before["returned_delivery_data"]


def contents(database: ErpDatabase) -> dict[str, Any]:
    with psycopg.connect(database.owner_dsn) as connection:
        return {
            name: connection.execute(
                f"select count(*), md5(string_agg(t::text, ';' order by {each.key})) from {name} as t"
            ).fetchone()
            for name, each in database.tables.items()
        }


def replay_equals_load(world: WwiWorld, folder: Path, since: datetime, until: datetime) -> ErpDatabase:
    """Loads one database up to `until` and another up to `since`, then steps it there; returns the first."""
    server = PostgresServer(folder / "both").start()
    first = ErpDatabase(server).create()
    world.seek(world.utc(until))
    filling.load_csv(first, world.csv_tables())
    loaded = contents(first)
    with psycopg.connect(first.owner_dsn) as connection:
        connection.execute("truncate " + ", ".join(first.tables))
    world.seek(world.utc(since))
    filling.load_csv(first, world.csv_tables())
    assert contents(first) != loaded
    while world.now < world.utc(until):
        filling.apply(first, world.advance(world.now + timedelta(days=1)).erp)
    assert contents(first) == loaded
    return first


def test_steps_end_in_the_same_rows_as_a_load(world: WwiWorld, tmp_path: Path) -> None:
    database = replay_equals_load(world, tmp_path, datetime(2013, 1, 20), datetime(2013, 1, 27))
    database.server.discard()


@pytest.mark.verify
def test_the_last_month_replayed_ends_in_the_same_rows_as_a_load_of_everything(world: WwiWorld, tmp_path: Path) -> None:
    database = replay_equals_load(world, tmp_path, datetime(2016, 5, 1), END)
    with psycopg.connect(database.reader_dsn) as connection:
        sums = "sum(extended_price - tax_amount), sum(line_profit), count(order_line_id)"
        found = connection.execute(f"select {sums} from sales.invoice_lines").fetchone()
    database.server.discard()
    assert found == (Decimal("172261341.20"), Decimal("85729180.90"), 228265)


def test_steps_tell_every_version_once(world: WwiWorld) -> None:
    since, until = world.utc(datetime(2013, 3, 4)), world.utc(datetime(2013, 3, 9))
    world.seek(since)
    whole = world.advance(until).erp
    world.seek(since)
    daily: list[Any] = []
    while world.now < until:
        daily += world.advance(min(until, world.now + timedelta(hours=11))).erp
    assert [(each.table, each.row) for each in daily] == [(each.table, each.row) for each in whole]
    assert len(whole) > 3000


def test_absent_data_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_DATA", str(tmp_path))
    monkeypatch.setattr("sandbox.wwi.source.__file__", str(tmp_path / "a" / "b" / "c" / "source.py"))
    with pytest.raises(FileNotFoundError, match="set CROSSDOCK_DATA to the folder that holds wwi/"):
        wwi_folder()
    (tmp_path / "wwi").mkdir()
    (tmp_path / "wwi" / PROOF).touch()
    assert wwi_folder() == tmp_path / "wwi"
