"""Equality with the world's ledger has teeth: without any one connector, fold rule or dedupe it breaks."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.dbt import Dbt, systems_by_role
from orchestration.settings import DBT_PROJECT, Settings
from tests.e2e.demo import ROOT, demo_once, differences, truth
from tests.e2e.demo import cells_of as cells_in

pytestmark = [pytest.mark.verify, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo home after its first pass over a world whose days hold the repeated hour of autumn."""
    home = tmp_path_factory.mktemp("finished")
    demo_once(home, "--world", "simulated", "--seed", "1", "--days", "60")
    return home


class Rebuilt:
    """The marts of `finished`, built again from a changed warehouse or by changed models."""

    def __init__(self, finished: Path, scratch: Path) -> None:
        self.home, self.project = scratch, scratch / "dbt_project"
        shutil.copy(finished / "warehouse.duckdb", scratch)
        shutil.copytree(finished / "sandbox", scratch / "sandbox", ignore=shutil.ignore_patterns("pg*", "wms"))
        shutil.copytree(DBT_PROJECT, self.project, ignore=shutil.ignore_patterns("target", "logs"))
        (scratch / "contracts").symlink_to(ROOT / "contracts")
        with duckdb.connect(str(finished / "published/current/crossdock.duckdb"), read_only=True) as published:
            self.as_of = published.execute("select max(as_of_utc) from kpi.kpi_cell").fetchall()[0][0]

    def sql(self, statement: str) -> None:
        with duckdb.connect(str(self.home / "warehouse.duckdb")) as warehouse:
            warehouse.execute(statement)

    def empty(self, system: str) -> None:
        """As if nothing had ever come from this system."""
        with duckdb.connect(str(self.home / "warehouse.duckdb")) as warehouse:
            query = "select table_name from duckdb_tables() where schema_name = ?"
            for (table,) in warehouse.execute(query, [f"raw_{system}"]).fetchall():
                warehouse.execute(f'delete from "raw_{system}"."{table}"')

    def change(self, file: str, old: str, new: str) -> None:
        path = self.project / file
        text = path.read_text()
        assert old in text, f"{file} no longer says {old!r}: this test breaks nothing"
        path.write_text(text.replace(old, new))

    def wrong_cells(self, systems: list) -> list[str]:
        settings = Settings.from_env({"CROSSDOCK_HOME": str(self.home)})
        dbt = Dbt(self.project, settings.dbt_target, settings.warehouse, settings.marts, systems_by_role(systems))
        dbt.build(self.as_of, tests=False)
        return differences(truth(self.home), cells_in(settings.marts))


@pytest.fixture
def rebuilt(finished: Path, tmp_path: Path) -> Rebuilt:
    return Rebuilt(finished, tmp_path)


@pytest.fixture(scope="module")
def systems() -> list:
    from connectors.config import load_systems

    return load_systems(ROOT / "sandbox" / "systems_yaml" / "simulated", {}, require_env=False)


def test_unchanged_it_equals_the_truth(rebuilt: Rebuilt, systems: list) -> None:
    assert rebuilt.wrong_cells(systems) == []


@pytest.mark.parametrize("system", ["erp", "oms", "wms", "carrier"])
def test_without_one_connector_it_does_not(rebuilt: Rebuilt, systems: list, system: str) -> None:
    rebuilt.empty(system)
    assert rebuilt.wrong_cells(systems)


PARTS = "models/canonical/parts"
FOLDS: dict[str, Callable[[Rebuilt], None]] = {
    "backorders fold into their root order": lambda it: it.change(
        f"{PARTS}/prt_erp_order_chain.sql", "coalesce(chain.root_id, orders.order_id) as", "orders.order_id as"
    ),
    "remainders fold into their root line": lambda it: it.change(
        f"{PARTS}/prt_erp_line_chain.sql", "coalesce(chain.root_id, lines.order_line_id)", "lines.order_line_id"
    ),
    "a void takes its shipment away": lambda it: it.change(
        f"{PARTS}/prt_shipment.sql", "shipment.purpose = 'V' or voids.shipment_number is not null", "false"
    ),
    "in the repeated hour the first instant counts": lambda it: it.change(
        "macros/time_zone.sql", "({{ local }} - to_seconds({{ alias }}.first_utc_offset_s))",
        "({{ local }} - to_seconds({{ alias }}.second_utc_offset_s))",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", FOLDS)
def test_without_one_fold_rule_it_does_not(rebuilt: Rebuilt, systems: list, rule: str) -> None:
    FOLDS[rule](rebuilt)
    assert rebuilt.wrong_cells(systems)


def send_again(it: Rebuilt) -> None:
    """Every confirmation comes a second time, as another document."""
    again = "select * replace ('again|' || doc_key as doc_key) from raw_wms.ship_confirmation"
    it.sql(f"insert into raw_wms.ship_confirmation {again}")


def test_a_confirmation_that_is_sent_again_counts_once(rebuilt: Rebuilt, systems: list) -> None:
    send_again(rebuilt)
    assert rebuilt.wrong_cells(systems) == []


def let_every_confirmation_speak(it: Rebuilt) -> None:
    send_again(it)
    it.change("models/staging/wms/stg_wms__ship_confirmation.sql", "where ranked.newest_rank = 1", "")


DEDUPES: dict[str, Callable[[Rebuilt], None]] = {
    "one row per ERP key": lambda it: it.sql(
        "insert into raw_erp.sales_invoice_lines"
        " select * from raw_erp.sales_invoice_lines where invoice_line_id % 20 = 0"
    ),
    "the newest confirmation of a shipment speaks": let_every_confirmation_speak,
}


@pytest.mark.parametrize("rule", DEDUPES)
def test_without_one_dedupe_it_does_not(rebuilt: Rebuilt, systems: list, rule: str) -> None:
    DEDUPES[rule](rebuilt)
    assert rebuilt.wrong_cells(systems)
