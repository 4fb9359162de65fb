"""The offset table says what the pinned tz release says, around every transition of every zone."""

from __future__ import annotations

import importlib.util
import random
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "contracts" / "time"
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_offsets", FOLDER / "build_offsets.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def periods(builder: ModuleType) -> dict[str, list[dict[str, Any]]]:
    builder.use_packaged_zones()
    zones: dict[str, list[dict[str, Any]]] = {}
    for row in pq.read_table(FOLDER / "utc_offset.parquet").to_pylist():
        zones.setdefault(row["zone"], []).append(row)
    return zones


def offset(zone: str, instant: datetime) -> int:
    return int(instant.replace(tzinfo=UTC).astimezone(zoneinfo.ZoneInfo(zone)).utcoffset().total_seconds())  # type: ignore[union-attr]


def test_every_zone_of_the_release_is_there(builder: ModuleType, periods: dict[str, Any]) -> None:
    version = builder.use_packaged_zones()
    assert set(periods) == zoneinfo.available_timezones()
    assert {row["tzdb_version"] for rows in periods.values() for row in rows} == {version}


def test_periods_cover_2010_to_2036_without_a_hole(periods: dict[str, Any]) -> None:
    for rows in periods.values():
        assert rows[0]["utc_from"] == datetime(2010, 1, 1)
        assert rows[-1]["utc_until"] == datetime(2037, 1, 1)
        assert all(a["utc_until"] == b["utc_from"] for a, b in zip(rows, rows[1:], strict=False))


def test_offsets_equal_zoneinfo_around_every_transition(periods: dict[str, Any]) -> None:
    for zone, rows in periods.items():
        for row in rows:
            width = timedelta(seconds=row["utc_offset_s"])
            assert (row["local_from"], row["local_until"]) == (row["utc_from"] + width, row["utc_until"] + width)
            for instant in (row["utc_from"], row["utc_from"] + SECOND, row["utc_until"] - SECOND):
                assert offset(zone, instant) == row["utc_offset_s"], (zone, instant)


def test_offsets_equal_zoneinfo_at_random_instants(periods: dict[str, Any]) -> None:
    dice = random.Random(7)
    for zone, rows in periods.items():
        for _ in range(25):
            instant = datetime(2010, 1, 1) + dice.randrange(27 * 365 * 86400) * SECOND
            row = next(r for r in rows if r["utc_from"] <= instant < r["utc_until"])
            assert offset(zone, instant) == row["utc_offset_s"], (zone, instant)


def test_a_new_release_is_reported_zone_by_zone(builder: ModuleType) -> None:
    table = pq.read_table(FOLDER / "utc_offset.parquet")
    assert builder.differences(table, table) == []
    shorter = table.filter([zone != "America/New_York" for zone in table.column("zone").to_pylist()])
    assert builder.differences(shorter, table) == ["America/New_York: added or removed"]


def test_generator_finds_the_fold_and_the_gap_of_new_york(builder: ModuleType) -> None:
    builder.use_packaged_zones()
    found = {start: int(width.total_seconds()) for start, _, width, _, _ in builder.periods("America/New_York")}
    assert found[datetime(2026, 3, 8, 7, tzinfo=UTC)] == -4 * 3600
    assert found[datetime(2026, 11, 1, 6, tzinfo=UTC)] == -5 * 3600
