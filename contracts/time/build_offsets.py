"""Build utc_offset.parquet: the UTC offset of every IANA zone, 2010 to 2036, from the pinned `tzdata` package.

Run `python contracts/time/build_offsets.py` after changing the pin; it prints what a new release changes for past and
future, so that a data change is reviewed as one. The operating system's zone files are never read.

Columns of the table, one row per zone and period of constant offset (all bounds half-open, instants naive UTC):
zone, utc_from, utc_until, local_from, local_until (the same bounds on that period's own clock), utc_offset_s,
is_dst, abbreviation, tzdb_version.
"""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
TABLE = HERE / "utc_offset.parquet"
FIRST, END = datetime(2010, 1, 1, tzinfo=UTC), datetime(2037, 1, 1, tzinfo=UTC)
STEP = timedelta(days=1)  # shorter than any two neighbouring transitions in the range


def use_packaged_zones() -> str:
    """Make zoneinfo read the `tzdata` package only; return its IANA version (2026c and the like)."""
    import tzdata

    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    return str(tzdata.IANA_VERSION)


def state(zone: zoneinfo.ZoneInfo, at: datetime) -> tuple[timedelta, bool, str]:
    """Offset, daylight flag and abbreviation that hold at one instant."""
    local = at.astimezone(zone)
    return local.utcoffset() or timedelta(0), bool(local.dst()), local.tzname() or ""


def transition(zone: zoneinfo.ZoneInfo, low: datetime, high: datetime) -> datetime:
    """First second in (low, high] whose state differs from that at low; the states at both ends must differ."""
    before = state(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if state(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def periods(name: str) -> Iterator[tuple[datetime, datetime, timedelta, bool, str]]:
    """Periods of constant state of one zone, in order, covering FIRST to END without a hole."""
    zone = zoneinfo.ZoneInfo(name)
    start, at = FIRST, FIRST
    while at < END:
        following = min(at + STEP, END)
        if state(zone, following) != state(zone, at) and following < END:
            change = transition(zone, at, following)
            yield (start, change, *state(zone, start))
            start = at = change
        else:
            at = following
    yield (start, END, *state(zone, start))


def build() -> pa.Table:
    """The whole table, sorted by zone and time."""
    version = use_packaged_zones()
    rows = []
    for name in sorted(zoneinfo.available_timezones()):
        for start, end, offset, is_dst, abbreviation in periods(name):
            utc_from, utc_until = start.replace(tzinfo=None), end.replace(tzinfo=None)
            rows.append(
                (
                    name,
                    utc_from,
                    utc_until,
                    utc_from + offset,
                    utc_until + offset,
                    int(offset.total_seconds()),
                    is_dst,
                    abbreviation,
                    version,
                )
            )
    instant = pa.timestamp("us")
    schema = pa.schema(
        [
            ("zone", pa.string()),
            ("utc_from", instant),
            ("utc_until", instant),
            ("local_from", instant),
            ("local_until", instant),
            ("utc_offset_s", pa.int32()),
            ("is_dst", pa.bool_()),
            ("abbreviation", pa.string()),
            ("tzdb_version", pa.string()),
        ]
    )
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=schema)


def differences(old: pa.Table, new: pa.Table) -> list[str]:
    """One line per zone whose periods differ, with the first instant that is read differently."""

    def by_zone(table: pa.Table) -> dict[str, set[tuple[datetime, int]]]:
        zones: dict[str, set[tuple[datetime, int]]] = {}
        for row in table.select(["zone", "utc_from", "utc_offset_s"]).to_pylist():
            zones.setdefault(row["zone"], set()).add((row["utc_from"], row["utc_offset_s"]))
        return zones

    before, after = by_zone(old), by_zone(new)
    return [
        f"{zone}: {'differs from ' + str(min(change)[0]) if zone in before and zone in after else 'added or removed'}"
        for zone in sorted(before.keys() | after.keys())
        if (change := before.get(zone, set()) ^ after.get(zone, set()))
    ]


if __name__ == "__main__":
    table = build()
    changed = differences(pq.read_table(TABLE), table) if TABLE.exists() else []
    pq.write_table(table, TABLE, compression="zstd")
    sys.stdout.write("\n".join([f"{table.num_rows} periods", *changed]) + "\n")
