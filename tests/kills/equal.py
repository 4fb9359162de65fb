"""What must hold after every kill: what is published equals the world, what landed equals each source, each once."""

import json
import shutil
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from connectors.config import load_systems
from connectors.landing import Landing
from tests.e2e.box import Box
from tests.e2e.demo import ROOT, differences, published, truth
from tests.kills import warm

FOLDER = ROOT / "sandbox" / "systems_yaml" / "simulated"
WHEN_WE_LEARNT = {"known_from_utc", "first_known_utc", "last_known_utc", "source_batch_id", "last_batch_id",
                  "complete_up_to_utc"}  # fmt: skip
"""Columns that tell when a row came to us and with which batch, which is another one in a home that began later."""


def unlike_the_world(home: Path) -> list[str]:
    """KPI cells that are not what the world's own ledger says."""
    return differences(truth(home), published(home))


def unlike_the_sources(box: Box) -> list[str]:
    """Rows, documents and files that a source has and the landing has not, or otherwise, or twice."""
    found = []
    for system in load_systems(FOLDER, dict(box.env), require_env=False):
        landing = Landing(box.home / "landing" / f"{system.system}.duckdb", system.system)
        for stream in system.streams:
            if twice := landing.duplicates(stream.name):
                found.append(f"doubled: {twice} rows in the log of {system.system}.{stream.name}")
            if not (check := landing.check_state(stream.name)).ok:
                found.append(f"lost: the state of {system.system}.{stream.name} is not what its log says: {check}")
        with landing.session() as here:
            found += {"postgres": _rows, "rest": _documents, "sftp": _files}[system.read.kind](box, system, here)
    return found


def unlike_one_build(box: Box, scratch: Path) -> list[str]:
    """Tables of what is published that differ from those of a home that lands and builds everything from nothing, once.

    The last thing to do with a home: the new one takes over the database's slot.
    """
    (scratch / "sandbox").mkdir(parents=True)
    shutil.copy(box.home / "sandbox" / "env.json", scratch / "sandbox")
    warm.answer(scratch, "run", within_s=600)
    found = []
    with duckdb.connect() as both:
        for name, home in (("many", box.home), ("one", scratch)):
            both.execute(f"attach '{home}/published/current/crossdock.duckdb' as {name} (read_only)")
        tables = "select schema_name, table_name from duckdb_tables() where database_name = 'many'"
        for schema, table in both.execute(tables).fetchall():
            where = "database_name = 'many' and schema_name = ? and table_name = ?"
            query = f"select column_name from duckdb_columns() where {where} order by column_index"
            names = [row[0] for row in both.execute(query, [schema, table]).fetchall()]
            columns = ", ".join(f'"{name}"' for name in names if name not in WHEN_WE_LEARNT)
            many, one = (Counter(both.execute(f'select {columns} from {side}."{schema}"."{table}"').fetchall())
                         for side in ("many", "one"))  # fmt: skip
            if many != one:
                found.append(f"{schema}.{table}: {list((many - one) + (one - many))[:2]}")
    return found


def _rows(box: Box, system: Any, here: Any) -> list[str]:
    found = []
    with psycopg.connect(box.env["ERP_DSN"]) as there:
        for stream in system.streams:
            relation = f'raw_{system.system}."{stream.name}"'
            described = here.execute(f"describe {relation}").fetchall()
            columns = ", ".join(f'"{row[0]}"' for row in described if not row[0].startswith("_"))
            landed = Counter(map(repr, here.execute(f"select {columns} from {relation}").fetchall()))
            source = Counter(map(repr, there.execute(f"select {columns} from {stream.table}").fetchall()))
            found += _unlike(f"{system.system}.{stream.name}", source, landed)
    return found


def _documents(box: Box, system: Any, here: Any) -> list[str]:
    (stream,) = system.streams
    if system.system == "oms":
        path, records, key, headers = "/v1/orders", "orders", "number", {"x-api-key": box.env["OMS_API_KEY"]}
    else:
        path, records, key = "/v1/trackers", "trackers", "tracking_number"
        headers = {"authorization": f"Bearer {box.env['CARRIER_TOKEN']}"}
    source: Counter[str] = Counter()
    cursor = ""
    while cursor is not None:
        url = box.env[f"{system.system.upper()}_URL"] + path + (f"?cursor={cursor}" if cursor else "")
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
            page = json.load(answer)
        source.update(repr((one[key], one["updated_at"])) for one in page[records])
        cursor = page["next_cursor"]
    rows = here.execute(f'select doc_key, updated_at_raw from raw_{system.system}."{stream.name}"').fetchall()
    landed = Counter(repr((name.rpartition("|")[2], updated)) for name, updated in rows)
    return _unlike(f"{system.system}.{stream.name}", source, landed)


def _files(box: Box, system: Any, here: Any) -> list[str]:
    root = box.home / "sandbox" / "wms"
    source = Counter(
        repr(path.name) for path in root.rglob("*") if path.is_file() and path.suffix in (".x12", ".jsonl", ".csv")
    )
    landed = Counter(repr(Path(row[0]).name) for row in here.execute("select path from _land.file").fetchall())
    return _unlike(f"{system.system} files", source, landed)


def _unlike(name: str, source: Counter[str], landed: Counter[str]) -> list[str]:
    lost, more = source - landed, landed - source
    found = [f"lost: {lost.total()} of {name}, such as {next(iter(lost))[:300]}"] if lost else []
    return found + ([f"doubled: {more.total()} of {name}, such as {next(iter(more))[:300]}"] if more else [])
