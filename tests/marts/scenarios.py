"""Orders written by hand, one site per story, so that a story's cells are the cells of its site."""

from __future__ import annotations

from typing import Any

IN_TIME, TOO_LATE = "2024-03-05 18:00:00", "2024-03-09 18:00:00"
BEFORE_CUT_OFF = "2024-03-04 09:00:00"
DEADLINE = "2024-03-06 00:00:00"
VARIANTS = ("first_event", "first_pass", "to_date")
Rows = dict[str, list[dict[str, Any]]]
Expected = dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]]


class Story:
    """One root order of one site; `o1` and `o2` are its backorders."""

    def __init__(self, site: str, rows: Rows, depth: int = 0, due: str = DEADLINE, **order: Any) -> None:
        self.site, self.rows, self.root = site, rows, f"{site}-o0"
        for level in range(depth + 1):
            self._add(
                "can_sales_order", order_key=f"{site}-o{level}", root_order_key=self.root, chain_depth=level,
                site_code=site, customer_category="trade", first_commit_date=due[:8] + "05",
                commit_deadline_utc=due,
                delivery_deadline_utc=due, is_in_scope=True, is_inferred=False, **order,
            )  # fmt: skip

    def _add(self, entity: str, **row: Any) -> None:
        self.rows.setdefault(entity, []).append(row)

    def line(
        self, name: str, qty: float, price: float = 1, order: int = 0, parent: str | None = None, **row: Any
    ) -> None:
        key = f"{self.site}-{name}"
        root = f"{self.site}-{parent}" if parent else key
        self._add(
            "can_order_line", order_line_key=key, order_key=f"{self.site}-o{order}", root_order_key=self.root,
            root_order_line_key=root, item_group="goods", ordered_original_qty=qty, base_qty_factor=1, unit_price=price,
            **{"is_goods": True} | row,
        )  # fmt: skip
        self._add(
            "can_release", release_line_key=f"{key}-r", release_key=f"r{order}",
            release_event_key=f"{self.site}-r{order}", order_key=f"{self.site}-o{order}", order_line_key=key,
            root_order_key=self.root, root_order_line_key=root, chain_depth=order,
            released_utc=f"2024-03-0{order + 2} 08:00:00",
        )  # fmt: skip

    def ship(
        self, name: str, qty: float, at: str = IN_TIME, release: int = 0, root: str | None = None, **row: Any
    ) -> None:
        count = len(self.rows.get("can_shipment_line", []))
        self._add(
            "can_shipment_line", shipment_line_key=f"sl{count}", shipment_key=f"{self.site}-s{count}",
            order_line_key=f"{self.site}-{name}", root_order_key=self.root,
            root_order_line_key=f"{self.site}-{root or name}",
            release_event_key=f"{self.site}-r{release}", shipped_qty=qty, shipped_utc=at, shipped_utc_min=at,
            shipped_utc_max=at, **{"is_void": False} | row,
        )  # fmt: skip
        self._add(
            "can_shipment", shipment_key=f"{self.site}-s{count}", order_key=self.root, root_order_key=self.root,
            shipment_number=f"{count}", site_code=self.site, has_tracking=False, shipped_utc=at, shipped_utc_min=at,
            shipped_utc_max=at, shipped_date=at[:10], **{"is_void": False} | row,
        )  # fmt: skip

    def change(self, name: str, delta: float, initiator: str, kind: str = "quantity", at: str = BEFORE_CUT_OFF) -> None:
        key = f"{self.site}-{name}"
        self._add(
            "can_line_change", line_change_key=f"{key}-{kind}-{delta}", order_line_key=key, root_order_line_key=key,
            change_kind=kind, qty_delta=delta, initiator=initiator,
            changed_utc=at, changed_utc_min=at, changed_utc_max=at,
        )  # fmt: skip


def stories() -> tuple[Rows, dict[str, Expected]]:
    """The rows of all stories, and per site the (numerator, denominator) of each basis in the order of VARIANTS."""
    rows: Rows = {}
    expected: dict[str, Expected] = {}

    for site, initiator in [("GOLDEN", "seller"), ("GOLDEN-CUSTOMER", "customer")]:
        story = Story(site, rows)
        for name, qty, price in [("A", 100, 1), ("B", 50, 10), ("C", 10, 5), ("D", 20, 2)]:
            story.line(name, qty, price)
        story.ship("A", 100)
        story.ship("B", 30)
        story.ship("B", 20, TOO_LATE, release=1)
        story.ship("C", 12)
        story.change("D", -20, initiator, "cancel")
    expected["GOLDEN"] = {
        "unit": ((140, 180), (140, 180), (160, 180)), "line": ((2, 4), (2, 4), (3, 4)),
        "order": ((0, 1), (0, 1), (0, 1)), "value": ((450, 690), (450, 690), (650, 690)),
    }  # fmt: skip
    expected["GOLDEN-CUSTOMER"] = {
        "unit": ((140, 160), (140, 160), (160, 160)), "line": ((2, 3), (2, 3), (3, 3)),
        "order": ((0, 1), (0, 1), (1, 1)), "value": ((450, 650), (450, 650), (650, 650)),
    }  # fmt: skip

    # one line filled in part, its remainder on the child; one line moved there whole
    story = Story("BACKORDER", rows, depth=1)
    story.line("part", 10, 3)
    story.line("rest", 4, 3, order=1, parent="part")
    story.line("moved", 5, 2, order=1)
    story.ship("part", 6)
    story.ship("moved", 5, release=1)
    story.ship("rest", 4, TOO_LATE, release=1, root="part")
    expected["BACKORDER"] = {
        "unit": ((6, 15), (11, 15), (15, 15)), "line": ((0, 2), (1, 2), (2, 2)),
        "order": ((0, 1), (0, 1), (1, 1)), "value": ((18, 40), (28, 40), (40, 40)),
    }  # fmt: skip

    story = Story("SPLIT", rows)  # one release, two parcels, the second after the deadline
    story.line("a", 10)
    story.ship("a", 4)
    story.ship("a", 6, TOO_LATE)
    story.ship("a", 10, is_void=True)
    expected["SPLIT"] = {
        "unit": ((10, 10), (4, 10), (10, 10)), "line": ((1, 1), (0, 1), (1, 1)), "order": ((1, 1), (0, 1), (1, 1)),
    }  # fmt: skip

    story = Story("OVER", rows)  # too much of one line pays for nothing
    story.line("a", 10)
    story.line("b", 5)
    story.ship("a", 15)
    expected["OVER"] = {"unit": ((10, 15),) * 3, "line": ((1, 2),) * 3, "order": ((0, 1),) * 3}

    story = Story("CHANGES", rows)  # more, less and cancelled by the customer; cancelled too late; cut by the seller
    for name, qty, delta, initiator, kind, at, shipped in [
        ("more", 10, 5, "customer", "quantity", BEFORE_CUT_OFF, 12),
        ("less", 8, -5, "customer", "quantity", BEFORE_CUT_OFF, 3),
        ("gone", 7, -7, "customer", "cancel", BEFORE_CUT_OFF, 0),
        ("late", 4, -4, "customer", "cancel", DEADLINE, 0),
        ("cut", 6, -4, "seller", "quantity", BEFORE_CUT_OFF, 2),
        ("whoever", 3, -3, "unknown", "cancel", BEFORE_CUT_OFF, 0),
    ]:
        story.line(name, qty)
        story.change(name, delta, initiator, kind, at)
        if shipped:
            story.ship(name, shipped)
    expected["CHANGES"] = {"unit": ((17, 31),) * 3, "line": ((1, 5),) * 3, "order": ((0, 1),) * 3}

    story = Story("SUBSTITUTE", rows)  # strict: a substitute fills nothing; freight is no goods
    story.line("a", 10)
    story.line("b", 10, substitutes_order_line_key="SUBSTITUTE-a")
    story.line("freight", 1, is_goods=False)
    story.ship("b", 10)
    expected["SUBSTITUTE"] = {"unit": ((0, 10),) * 3, "line": ((0, 1),) * 3, "order": ((0, 1),) * 3}

    story = Story("GIFT", rows)  # a line without a price leaves the value measure only
    story.line("free", 5, 0)
    story.line("paid", 2, 4)
    story.ship("paid", 2)
    expected["GIFT"] = {"unit": ((2, 7),) * 3, "line": ((1, 2),) * 3, "value": ((8, 8),) * 3}

    story = Story("GONE", rows)  # every line cancelled by the customer in time: no order is left
    story.line("a", 10)
    story.change("a", -10, "customer", "cancel")
    expected["GONE"] = {}

    story = Story("EARLY", rows, due="2024-04-06 00:00:00")  # not due yet
    story.line("a", 10)
    story.ship("a", 10)
    expected["EARLY"] = {}
    return rows, expected
