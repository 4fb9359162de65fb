"""The simulated world, read through the product's own parsers and models, says what really happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest


def test_nothing_is_inferred_once_everything_has_arrived(simulated: Any) -> None:
    scratch, _ = simulated
    for entity in ("can_sales_order", "can_order_line", "can_item", "can_party", "can_site"):
        assert scratch.query(f"select count(*) > 0, count(*) filter (is_inferred) from {entity}") == [(True, 0)], entity


def test_time_troubles_of_the_world_are_seen_and_flagged(simulated: Any) -> None:
    scratch, _ = simulated
    seen = dict(
        scratch.query("""
        select flag, count(*) from (select unnest(string_split(time_flags, ',')) as flag from can_event) group by 1""")
    )
    assert {"fold", "date_only", "assumed_zone"} <= set(seen)
    assert "future" not in seen


def test_every_event_carries_its_raw_time_and_the_rule_that_read_it(simulated: Any) -> None:
    scratch, _ = simulated
    assert scratch.query("""
        select count(*) filter (event_time_raw is null or event_time_utc is null or time_rule not like 'T%'),
            count(distinct source_system) from can_event""") == [(0, 4)]


def test_canonical_time_follows_the_sites_clock(simulated: Any) -> None:
    """UTC minus local is the offset of the site's zone, by zoneinfo, for every shipment outside a fold."""
    import zoneinfo

    scratch, _ = simulated
    rows = scratch.query("""
        select site.zone, event.event_time_local, event.event_time_utc from can_event as event
        inner join can_site as site using (site_code)
        where event.event_type = 'ship_confirmed' and event.time_flags is null""")
    assert len(rows) > 300
    for zone, local, instant in rows:
        assert local.replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None) == instant


@pytest.mark.slow
def test_kpis_read_from_canonical_equal_the_worlds_own_ledger(simulated: Any) -> None:
    from kpi_models.reference import evaluate

    scratch, world = simulated
    as_of: datetime = world.now
    told = {
        (row["kpi_id"], row["period"], row["dimension"] or "", row["dimension_value"] or ""): row
        for row in evaluate(scratch.warehouse, as_of).to_dicts()
    }
    figures = ("numerator", "denominator", "value", "value_min", "value_max")
    wrong = []
    truth = world.truth()
    for row in truth:
        name, value = next(iter(row["dimensions"].items()), ("", ""))
        mine = told.get((row["kpi_id"], row["period"], name, value))
        if mine is None or any(not same(row[figure], mine[figure]) for figure in figures):
            wrong.append(json.dumps(row))
    assert len(truth) > 1000
    assert wrong == []


def same(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return abs(float(left) - float(right)) <= 1e-9 * max(1.0, abs(float(left)))
