"""dbt's models seen as the company's domains: pure functions from the manifest to what one asset stands for.

An asset per model would be a graph of more than a hundred nodes that nobody reads, and some 45 ms of event log each;
an asset per
domain is a map of the company, and its metadata lists the models. The order of DOMAINS is the order of the graph: an
edge is kept
only from an earlier domain to a later one, so that two domains that know each other never make a cycle (dbt orders
the models).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Key = tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """One asset of the dbt project: its key, what it means, and which models belong to it."""

    key: Key
    title: str
    group: str
    models: tuple[str, ...] = ()


DOMAINS: tuple[Domain, ...] = tuple(
    Domain((group, name), title, group, tuple(models.split()))
    for group, name, title, models in (
        ("reference", "code_lists", "Code lists and the time-zone offset table, under version control.", ""),
        ("canonical", "chains", "Backorder chains of the ERP and the OMS orders that match them.", ""),
        (
            "canonical", "organisation", "Legal entities, sites and sales channels.",
            "can_legal_entity can_site can_channel",
        ),
        ("canonical", "parties", "Customers and suppliers: who buys, who pays, who delivers.", "can_party"),
        ("canonical", "items", "What is sold and what it costs.", "can_item can_item_cost"),
        (
            "canonical", "orders", "Sales orders, lines, promises, changes, holds and reservations.",
            "can_sales_order can_order_line can_schedule_line can_line_change can_hold can_reservation",
        ),
        (
            "canonical", "fulfilment", "What was released to a warehouse, what left it and when it arrived.",
            "can_release can_shipment can_shipment_line can_handling_unit",
        ),
        (
            "canonical", "billing", "Invoices and credits: net, tax and cost of goods.",
            "can_invoice can_invoice_line can_credit_line",
        ),
        ("canonical", "returns", "What customers sent back and what became of it.", "can_return can_return_line"),
        ("canonical", "procurement", "Purchase orders and receipts.", "can_purchase_order can_po_line can_receipt"),
        ("canonical", "inventory", "Stock movements and balances.", "can_stock_movement can_stock_balance"),
        (
            "canonical", "events", "Every event in UTC with its bounds, and the edges that tie one order's records.",
            "can_event can_correlation_edge can_ownership",
        ),
        ("canonical", "other", "The rest of the canonical model.", ""),
        ("intermediate", "steps", "Steps between the canonical model and the marts.", ""),
        ("marts", "dimensions", "Dimensions for reports.", ""),
        ("marts", "facts", "Facts for reports.", ""),
        ("kpi", "cells", "Every KPI by period and dimension: numerator, denominator, value and bounds.", ""),
        ("ops", "quality", "What operations look at: exceptions, freshness, quality.", ""),
    )
)  # fmt: skip
RESOURCES = ("model", "seed", "snapshot")
KEY_TESTS = frozenset({"contract_holds", "key_is_unique", "unique", "not_null", "relationships", "accepted_values"})


@dataclass(frozen=True)
class Check:
    """A group of dbt tests on one domain: `keys` ask for keys, references and allowed values, `rules` for what the
    business knows. Blocking unless all only warn."""

    domain: Key
    name: str
    tests: tuple[str, ...]
    blocking: bool


def domain_of(node: Mapping[str, Any]) -> Key:
    """The domain of a model, seed or snapshot, by its name first and its folder second."""
    name, path = node["name"], tuple(node["fqn"][1:-1])
    if node["resource_type"] == "seed":
        return ("reference", "code_lists")
    if path[:2] in (("staging", "codes"), ("staging", "time")):
        return ("reference", "code_lists")
    if path[:1] == ("staging",):
        return ("staging", path[1] if len(path) > 1 else "other")
    if path[:2] == ("canonical", "parts"):
        return ("canonical", "chains")
    for domain in DOMAINS:
        if name in domain.models:
            return domain.key
    if path[:1] == ("intermediate",):
        return ("intermediate", "steps")
    if path[:1] == ("ops",):
        return ("ops", "quality")
    if "kpi" in path or name.startswith("kpi_"):
        return ("kpi", "cells")
    if path[:1] == ("marts",):
        return ("marts", "dimensions" if name.startswith("dim_") else "facts")
    return ("canonical", "other")


def members(manifest: Mapping[str, Any]) -> dict[Key, list[Mapping[str, Any]]]:
    """The models of each domain that has any, domains in the order of the graph, staging first."""
    found: dict[Key, list[Mapping[str, Any]]] = {}
    for node in sorted(manifest["nodes"].values(), key=lambda n: n["name"]):
        if node["resource_type"] in RESOURCES:
            found.setdefault(domain_of(node), []).append(node)
    return {key: found[key] for key in sorted(found, key=rank)}


def rank(key: Key) -> tuple[int, Key]:
    """Where a domain stands in the order of the graph."""
    if key[0] == "staging":
        return (1, key)
    if key[0] == "reference":
        return (0, key)
    return (2 + next(i for i, domain in enumerate(DOMAINS) if domain.key == key), key)


def upstream(manifest: Mapping[str, Any], nodes: Iterable[Mapping[str, Any]]) -> tuple[set[Key], set[tuple[str, str]]]:
    """What a domain is built from: earlier domains, and (role or system, stream) of the landed sources."""
    domains: set[Key] = set()
    streams: set[tuple[str, str]] = set()
    for node in nodes:
        own = domain_of(node)
        for parent in node.get("depends_on", {}).get("nodes", []):
            if parent in manifest["sources"]:
                source = manifest["sources"][parent]
                streams.add((source["source_name"].removeprefix("raw_"), source["name"]))
            elif parent in manifest["nodes"] and rank(domain_of(manifest["nodes"][parent])) < rank(own):
                domains.add(domain_of(manifest["nodes"][parent]))
    return domains, streams


def checks(manifest: Mapping[str, Any]) -> list[Check]:
    """The checks of every domain, made of dbt's tests; a test belongs to the model it is attached to, else to the
    first it reads."""
    grouped: dict[tuple[Key, str], list[Mapping[str, Any]]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] != "test":
            continue
        parents = [node.get("attached_node"), *node["depends_on"]["nodes"]]
        owner = next((manifest["nodes"][parent] for parent in parents if parent in manifest["nodes"]), None)
        if owner is not None and owner["resource_type"] in RESOURCES:
            kind = (node.get("test_metadata") or {}).get("name")
            grouped.setdefault((domain_of(owner), "keys" if kind in KEY_TESTS else "rules"), []).append(node)
    return [
        Check(
            domain,
            name,
            tuple(sorted(node["unique_id"] for node in nodes)),
            any(str(node["config"].get("severity", "error")).lower() == "error" for node in nodes),
        )
        for (domain, name), nodes in sorted(grouped.items(), key=lambda item: (rank(item[0][0]), item[0][1]))
    ]


def title(key: Key) -> str:
    """One sentence about a domain."""
    if key[0] == "staging":
        return f"What {key[1]} says, renamed and typed, one view per stream; times stay as they came."
    return next(domain.title for domain in DOMAINS if domain.key == key)


def group(key: Key) -> str:
    return "staging" if key[0] == "staging" else next(domain.group for domain in DOMAINS if domain.key == key)
