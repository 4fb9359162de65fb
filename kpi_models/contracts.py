"""Does the canonical contract still offer what the reference reads?"""

from __future__ import annotations

import re
from pathlib import Path

from kpi_models.golden.tables import CONTRACTS, contracts
from kpi_models.reference import TABLES


def contract_gaps(folder: Path = CONTRACTS) -> list[str]:
    """One sentence per column that the reference reads and the contract lacks or types otherwise; empty when all is
    well."""
    offered = contracts(folder)
    gaps = []
    for table, columns in TABLES.items():
        if table not in offered:
            gaps.append(f"{table}: no contract in {folder.name}/")
            continue
        types = {column["name"]: _plain(column["type"]) for column in offered[table]["columns"]}
        for name, wanted in columns.items():
            if types.get(name) != _plain(wanted):
                gaps.append(
                    f"{table}.{name}: the reference reads {wanted}, the contract has {types.get(name, 'nothing')}"
                )
    return gaps


def _plain(kind: str) -> str:
    bare = re.sub(r"\s", "", kind.lower())
    return {"int": "integer", "text": "varchar", "string": "varchar", "bool": "boolean"}.get(bare, bare)
