"""Write models/canonical/can_*.yml from contracts/canonical/*.yaml: columns, types, constraints and tests.

Run `python dbt_project/generate_yaml.py` after a contract changes; a test fails while the two differ. What a contract
cannot say (unit tests, identities) stands in hand-written YAML and in dbt_project/tests.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent
CONTRACTS = PROJECT.parent / "contracts" / "canonical"
MODELS = PROJECT / "models" / "canonical"
# Tables that grow with every order are merged, so that a pass writes what is new; the others are small, and replaced.
MERGED = {
    "can_event",
    "can_handling_unit",
    "can_invoice",
    "can_invoice_line",
    "can_order_line",
    "can_po_line",
    "can_receipt",
    "can_release",
    "can_reservation",
    "can_sales_order",
    "can_shipment",
    "can_shipment_line",
    "can_stock_balance",
    "can_stock_movement",
}
HEADER = "# Generated from contracts/canonical/{name}.yaml by dbt_project/generate_yaml.py; edit the contract.\n"


def column(spec: dict[str, Any], is_table: bool) -> dict[str, Any]:
    """One dbt column: type always, not_null as a constraint the database enforces (a view has none: a test)."""
    out: dict[str, Any] = {"name": spec["name"], "description": spec["description"], "data_type": spec["type"]}
    if not spec["nullable"] and is_table:
        out["constraints"] = [{"type": "not_null"}]
    return out


def tests(contract: dict[str, Any]) -> list[dict[str, Any]]:
    """One test per model, one query: the key, all parents, all closed lists, and what a view must fill."""
    found = [spec for spec in contract["columns"] if "references" in spec]
    parents = [{"column": spec["name"], "key": spec["references"].split(".")[1]} for spec in found]
    arguments: dict[str, Any] = {"key": contract["key"]}
    if parents:
        arguments["parents"] = parents
        arguments["models"] = [f"ref('{spec['references'].split('.')[0]}')" for spec in found]
    if lists := {spec["name"]: spec["values"] for spec in contract["columns"] if "values" in spec}:
        arguments["lists"] = lists
    if contract.get("materialized") == "view":
        arguments["filled"] = [spec["name"] for spec in contract["columns"] if not spec["nullable"]]
    return [{"contract_holds": {"arguments": arguments}}]


def render(contract: dict[str, Any]) -> str:
    """The whole YAML of one model."""
    is_table = contract.get("materialized") != "view"
    model = {
        "name": contract["name"],
        "description": f"{contract['description']} Grain: {contract['grain']}.",
        "config": {
            "materialized": contract.get("materialized", "table"),
            **({"unique_key": list(contract["key"])} if contract["name"] in MERGED else {}),
            "contract": {"enforced": True},
            "meta": {
                "contract_version": contract["version"],
                "owner_role": contract["owner"],
                "key": list(contract["key"]),
            },
        },
        "columns": [column(spec, is_table) for spec in contract["columns"]],
        "data_tests": tests(contract),
    }
    body = yaml.safe_dump({"version": 2, "models": [model]}, sort_keys=False, width=118, allow_unicode=True)
    return HEADER.format(name=contract["name"]) + body


def outputs() -> dict[Path, str]:
    """Path and content of every generated file."""
    contracts = [yaml.safe_load(path.read_text()) for path in sorted(CONTRACTS.glob("*.yaml"))]
    return {MODELS / f"{contract['name']}.yml": render(contract) for contract in contracts}


def stale() -> list[Path]:
    """Generated files that are missing or differ from their contract."""
    return [path for path, text in outputs().items() if not path.exists() or path.read_text() != text]


if __name__ == "__main__":
    for target, text in outputs().items():
        target.write_text(text)
    sys.stdout.write(f"{len(outputs())} files\n")
