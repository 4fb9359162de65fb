"""The code location always loads, and a stranger reads the company in it."""

from pathlib import Path

import dagster as dg
from world import World, system

from orchestration.definitions import build_defs
from orchestration.instance import prepare_instance
from orchestration.settings import Settings


def test_without_any_system_the_location_loads_and_says_what_is_missing(tmp_path: Path, world: World) -> None:
    settings = Settings(home=tmp_path, systems=tmp_path / "none")
    specs = build_defs(settings, dbt=world.dbt()).resolve_all_asset_specs()
    assert [spec.key.to_user_string() for spec in specs] == ["setup/missing"]
    assert "is not a folder" in (specs[0].description or "")


def test_with_an_unset_variable_the_streams_are_shown_and_nothing_runs_by_itself(tmp_path: Path, world: World) -> None:
    folder = tmp_path / "systems"
    folder.mkdir()
    (folder / "erp.yaml").write_text(
        "system: erp\nrole: erp\ntitle: ERP\nread: {kind: postgres, dsn: '${NOT_SET_ANYWHERE}'}\n"
        "streams:\n  - {name: sales_orders, table: sales.orders, key: [order_id]}\n"
    )
    defs = build_defs(Settings(home=tmp_path, systems=folder), dbt=world.dbt())
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    assert "landing/erp/sales_orders" in specs
    assert "NOT_SET_ANYWHERE" in (specs["setup/missing"].description or "")
    assert not defs.sensors


def test_every_asset_tells_its_group_and_what_it_is(world: World) -> None:
    defs = build_defs(world.settings, systems=[system()], tools=world.tools(), dbt=world.dbt())
    for spec in defs.resolve_all_asset_specs():
        assert spec.description and spec.group_name != "default" and spec.kinds, spec.key
        assert "docs" in spec.metadata, spec.key


def test_the_graph_runs_from_the_source_to_the_published_version(world: World) -> None:
    defs = build_defs(world.settings, systems=[system()], tools=world.tools(), dbt=world.dbt())
    graph = defs.resolve_asset_graph()
    reached = {key.to_user_string() for key in graph.get_ancestor_asset_keys(dg.AssetKey(["published", "snapshot"]))}
    assert reached == {
        "source/erp",
        "landing/erp/sales_orders",
        "warehouse/loaded",
        "canonical/other",
        "marts/dimensions",
        "kpi/cells",
        "kpi/agreement",
    }


def test_an_instance_file_its_owner_took_over_is_left_alone(tmp_path: Path) -> None:
    prepare_instance(tmp_path)
    generated = (tmp_path / "dagster.yaml").read_text()
    assert "ProcessRunLauncher" in generated
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    prepare_instance(tmp_path)
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry:\n  enabled: false\n"
