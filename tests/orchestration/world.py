"""A tiny company for orchestration tests: one system whose 'source' is a counter, a three-model dbt project."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import polars as pl

from connectors.config_model import Defaults
from orchestration.dbt import Dbt
from orchestration.settings import Settings
from orchestration.tools import Tools

PROJECT = Path(__file__).parent / "mini_dbt"


def system(name: str = "erp", role: str = "erp") -> Any:
    stream = SimpleNamespace(name="sales_orders", key=("order_key",), contract="evolve", table="sales.orders")
    return SimpleNamespace(
        system=name,
        role=role,
        title="The ERP",
        owner="finance",
        read=SimpleNamespace(kind="postgres", poll=timedelta(seconds=15)),
        defaults=Defaults(zone="America/Chicago"),
        streams=(stream,),
        write=None,
    )


@dataclass
class World:
    """`position` is what the source says, `rows` what a landing brings; the flags break one step each."""

    settings: Settings
    parsed: Path
    position: str = "1"
    rows: list[tuple[int | None, int | None]] = field(default_factory=lambda: [(1, 2), (2, 4)])
    landed: str | None = None
    batches: int = 0
    zone: str = "America/Chicago"
    landing_began: datetime = datetime(2024, 3, 1)
    landing_fails: Exception | None = None
    reference_is_wrong: bool = False
    reference_is_empty: bool = False
    stopped: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def system(self) -> Any:
        """The one system, in the zone that its file names."""
        one = system()
        one.defaults = Defaults(zone=self.zone)
        return one

    def tools(self) -> Tools:
        return Tools(
            sync=self.sync,
            source_position=lambda _system, _landed: self.position,
            landed=lambda _name: SimpleNamespace(position=self.landed),
            dead_letters=lambda _name: [],
            load=self.load,
            agree=self.agree,
            verify=lambda _system: [],
            push=lambda _system: {"plans": 0},
            approved=list,
        )

    def dbt(self) -> Dbt:
        return Dbt(PROJECT, self.parsed, self.settings.warehouse, self.settings.marts)

    def sync(self, _system: Any, _on_progress: Any = None) -> Any:
        self.calls.append("sync")
        self.settings.landing.mkdir(exist_ok=True)
        (self.settings.landing / "erp.duckdb").touch()
        if self.landing_fails is not None:
            raise self.landing_fails
        self.batches += self.landed != self.position
        self.landed = self.position
        return SimpleNamespace(
            rows=len(self.rows),
            position=self.position,
            complete_up_to=None,
            seconds=0.1,
            per_stream={"sales_orders": 2},
            stopped=self.stopped,
        )

    def load(self, systems: Sequence[Any]) -> Any:
        self.calls.append("load")
        with duckdb.connect(str(self.settings.warehouse)) as connection:
            connection.execute("create schema if not exists raw_erp; create schema if not exists _load")
            connection.execute("create or replace table raw_erp.sales_orders (order_key integer, qty integer)")
            connection.executemany("insert into raw_erp.sales_orders values (?, ?)", self.rows)
            connection.execute(
                "create table if not exists _load.loaded (system varchar, stream varchar, batch_id bigint, "
                "landing_began timestamp, batch_began timestamp)"
            )
            connection.execute("delete from _load.loaded")
            connection.executemany(
                "insert into _load.loaded values (?, '*', ?, ?, null)",
                [(one.system, self.batches, self.landing_began) for one in systems],
            )
        return SimpleNamespace(rows={"erp.sales_orders": len(self.rows)}, changed=True)

    def agree(self, _as_of: Any) -> Any:
        self.calls.append("agree")
        with duckdb.connect(str(self.settings.marts), read_only=True) as connection:
            keys = "kpi_id, period_kind, period, dimension, dimension_value"
            cells = connection.execute(f"select {keys} from kpi.kpi_cell").pl()
        if self.reference_is_empty:
            cells = cells.clear()
        said = "disagreed" if self.reference_is_wrong else "agreed"
        return SimpleNamespace(
            ok=not self.reference_is_wrong and not cells.is_empty(),
            cells=cells.with_columns(agreement=pl.lit(said)),
            summary=lambda: said,
        )
