"""Reads the world's documents back, the slow and obvious way, into what the systems know.

Shares nothing with the world but the formats: used to show that the documents tell what the ledger of truth holds.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world.base import DropFile, Emission

SITE_ZONES = {"EWR": "America/New_York", "ORD": "America/Chicago", "LAX": "America/Los_Angeles"}
ERP = "America/Chicago"
Tables = dict[str, dict[Any, dict[str, Any]]]


def tables(emissions: list[Emission]) -> Tables:
    """Final row images by table and key (the first column of the row)."""
    out: Tables = defaultdict(dict)
    for emission in emissions:
        for change in emission.erp:
            key = next(iter(change.row.values()))
            if change.op == "delete":
                out[change.table].pop(key)
            else:
                out[change.table][key] = change.row
    return out


def utc_of(naive: datetime, zone: str) -> tuple[int, int]:
    """First and last instant a naive local time can mean."""
    first, last = (int(naive.replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) for fold in (0, 1))
    return (first, last) if last > first else (first, first)


def end_of(day: Any, zone: str) -> int:
    """Exclusive end of a local date."""
    following = day + timedelta(days=1)
    return int(datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(zone)).timestamp())


def segments(content: bytes) -> list[list[str]]:
    """X12 segments as lists of elements; checks the envelope's counts and control numbers."""
    rows = [part.split("*") for part in content.decode("ascii").split("~") if part.strip()]
    assert rows[0][0] == "ISA" and rows[-1][0] == "IEA" and rows[0][13] == rows[-1][2]
    assert len("*".join(rows[0])) == 105, "ISA is fixed width"
    assert rows[1][0] == "GS" and rows[-2][0] == "GE" and rows[1][6] == rows[-2][2]
    assert int(rows[-2][1]) == sum(row[0] == "ST" for row in rows)
    return rows


def shipments(files: list[DropFile]) -> dict[str, dict[str, Any]]:
    """Shipments that were advised and not voided, by number."""
    out: dict[str, dict[str, Any]] = {}
    for file in files:
        if not file.name.startswith("945_"):
            continue
        doc: dict[str, Any] = {}
        count = 0
        for row in segments(file.content):
            count += 1
            if row[0] == "ST":
                doc, count = {"site": file.site, "lines": [], "tracking": None}, 1
            elif row[0] == "W06":
                doc.update(purpose=row[1], order=int(row[2]), number=row[4], release=row[5])
            elif row[0] == "N9" and row[1] == "CN":
                doc["tracking"] = row[2]
            elif row[0] == "G62":
                local = datetime.strptime(row[2] + row[4], "%Y%m%d%H%M%S")
                doc["shipped"] = utc_of(local, SITE_ZONES[file.site])
                doc["day"] = local.date()
            elif row[0] == "W12":
                doc["lines"].append([None, int(row[3])])
            elif row[0] == "N9" and row[1] == "LI":
                doc["lines"][-1][0] = int(row[2])
            elif row[0] == "W03":
                assert int(row[1]) == sum(qty for _, qty in doc["lines"])
            elif row[0] == "SE":
                assert int(row[1]) == count
                if doc["purpose"] == "V":
                    del out[doc["number"]]
                else:
                    assert doc["number"] not in out
                    out[doc["number"]] = doc
    return out


def events(files: list[DropFile]) -> list[dict[str, Any]]:
    """All warehouse events."""
    return [json.loads(line) for f in files if f.name.startswith("events_") for line in f.content.decode().splitlines()]


def snapshots(files: list[DropFile]) -> list[dict[str, str]]:
    """All rows of the stock snapshots, in the order of the files."""
    names = [f for f in files if f.name.startswith("stock_")]
    return [row for f in names for row in csv.DictReader(io.StringIO(f.content.decode()))]


def latest(documents: list[list[dict[str, Any]]], key: str) -> dict[str, dict[str, Any]]:
    """Last version of each whole document."""
    return {doc[key]: doc for batch in documents for doc in batch}
