"""A data engineer lands one stream by itself, and sees at the asset when a stream stands still."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import dagster as dg
from world import World, system

from orchestration.assets.landing import FOLLOWS, landing_asset, landing_key
from orchestration.assets.totals import check_key
from orchestration.cli.run import standing_still
from orchestration.definitions import build_defs
from orchestration.jobs import PASS, TOTALS
from orchestration.progress import Progress


def two_streams() -> Any:
    one = system()
    lines = SimpleNamespace(name="lines", key=("line_key",), contract="evolve", table="sales.lines")
    one.streams = (*one.streams, lines)
    return one


def land(world: World, sync: Any, *streams: str) -> dg.ExecuteInProcessResult:
    asset = landing_asset(two_streams(), world.settings, replace(world.tools(), sync=sync), Progress())
    selection = [landing_key("erp", stream) for stream in streams]
    return dg.materialize([asset], selection=selection or None)


def test_one_stream_of_a_system_is_materialized_by_itself(world: World) -> None:
    asked: list[Any] = []

    def sync(one: Any, _on_progress: Any, **more: Any) -> Any:
        asked.append(more)
        return world.sync(one)

    result = land(world, sync, "lines")
    assert result.success and asked == [{"only": ["lines"]}]
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [landing_key("erp", "lines")]
    assert land(world, sync).success and asked[-1] == {}


def test_a_stream_that_stands_still_is_a_failed_check_with_the_reason_and_the_others_land(world: World) -> None:
    world.stopped = {"lines": "a column came; accept it with crossdock run --snapshot erp.lines"}
    result = land(world, lambda one, _on_progress: world.sync(one))
    assert result.success
    failed = [check.check_name for check in result.get_asset_check_evaluations() if not check.passed]
    assert failed == [FOLLOWS]
    assert standing_still(result) == [f"erp.lines: {world.stopped['lines']}"]


def test_control_totals_are_a_check_of_their_own_and_no_part_of_a_pass(world: World) -> None:
    equal = SimpleNamespace(stream="lines", differences=[], why_not="", there={"rows": 2})
    other = SimpleNamespace(stream="sales_orders", differences=["rows: 3 in the source, 2 here"], why_not="", there={})
    tools = replace(world.tools(), totals=lambda _system: [equal, other])
    defs = build_defs(world.settings, systems=[two_streams()], tools=tools, dbt=world.dbt())
    key = check_key(two_streams())
    assert key not in defs.resolve_job_def(PASS).asset_layer.asset_graph.asset_check_keys
    result = defs.resolve_job_def(TOTALS).execute_in_process(raise_on_error=False)
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed and check.asset_check_key == key
    assert check.metadata["sales_orders"].value == "rows: 3 in the source, 2 here"
    assert check.metadata["lines"].value == "2 rows, all equal"
