"""A company invented from a seed: facts full of the awkward cases, for both programs to agree on.

Nothing here knows a KPI rule. Instants fall on, just before and just after deadlines; children ship before their
roots; parcels are voided; quantities are fractional now and then; the as-of instant lies in the middle of things.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

AS_OF = datetime(2025, 2, 12, 18, 0, 0)
FIRST_DAY = date(2024, 11, 18)
SITES = {"EWR": 5, "ORD": 6, "LAX": 8}  # hours behind UTC, in winter
SITE_CODES = list(SITES)
CATEGORIES = ["Retail", "Novelty", "Corporate"]
GROUPS = ["Toys", "Tools", "Garden"]
PRICES = ["0.00", "1.25", "3.3333", "10.00", "199.99"]


def facts(seed: int, orders: int = 240) -> dict[str, Any]:
    """Facts of `orders` root orders with their backorders, changes, releases, shipments and invoices."""
    return Company(Random(seed)).build(orders)


class Company:
    """The dice and what they have made so far."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.facts: dict[str, Any] = {name: {} for name in ("orders", "lines", "releases", "shipments", "invoices")} | {
            "changes": []
        }

    def build(self, orders: int) -> dict[str, Any]:
        """Make every order and the postings without an order."""
        for number in range(orders):
            self.order(f"O{number:04d}")
        for number in range(orders // 10):
            self.posting(f"P{number:03d}")
        return self.facts

    def chance(self, share: float) -> bool:
        """True in this share of throws."""
        return self.dice.random() < share

    def near(self, instant: datetime) -> datetime:
        """An instant on, a second beside, or hours to days around the given one."""
        steps = [0, -1, 1, -3600, -7200, -86_400, 3600, 90_000, 400_000]
        weights = [3, 2, 2, 6, 8, 8, 4, 4, 4]
        return instant + timedelta(seconds=self.dice.choices(steps, weights)[0])

    def order(self, name: str) -> None:
        """One root order, its chain, and everything that happens to it."""
        dice = self.dice
        site = dice.choice(SITE_CODES)
        commit = FIRST_DAY + timedelta(days=dice.randrange(90))
        deadline = datetime.combine(commit + timedelta(days=1), time(hour=SITES[site]))
        received = datetime.combine(
            commit - timedelta(days=dice.randrange(1, 6)), time(dice.randrange(8, 22), dice.randrange(60))
        )
        head = {
            "site": site,
            "category": dice.choice(CATEGORIES),
            "commit": commit,
            "current_commit": commit + timedelta(days=dice.choice([0, 0, 0, 2, 9])),
            "deadline": AS_OF if self.chance(0.02) else deadline,
            "delivery_deadline": deadline + timedelta(hours=dice.choice([-1, 0, 3])),
            "received": received,
            "received_max": received + timedelta(seconds=dice.choice([0, 0, 0, 900, 901, 40_000])),
            "in_scope": not self.chance(0.05),
        }
        self.facts["orders"][name] = head
        lines = [self.line(f"{name}.{number}", name) for number in range(dice.randrange(1, 6))]
        chain = [name]
        for depth in range(1, 1 + dice.choice([0, 0, 0, 1, 1, 2])):
            chain.append(f"{name}-b{depth}")
            self.facts["orders"][chain[-1]] = head | {"root": name, "depth": depth}
        for line in lines:
            self.amend(line, deadline)
            self.move(line, chain)
        self.ship_chain(name, chain, deadline)

    def line(self, name: str, order: str) -> str:
        """One line, sometimes free of charge, a text, or replaced by a substitute."""
        dice = self.dice
        quantity = dice.choice(["1", "2", "4", "6", "10", "2.5", "24"])
        line = {
            "order": order,
            "qty": quantity,
            "price": dice.choice(PRICES),
            "group": dice.choice(GROUPS),
            "is_goods": not self.chance(0.05),
        }
        self.facts["lines"][name] = line
        if self.chance(0.06):
            self.facts["lines"][f"{name}s"] = line | {"substitutes": name, "is_goods": True}
            self.change(name, "substitute", f"-{quantity}", "seller", AS_OF - timedelta(days=200))
        return name

    def change(self, line: str, kind: str, delta: str, by: str, at: datetime) -> None:
        """Record one change of a line."""
        self.facts["changes"].append({"line": line, "kind": kind, "delta": delta, "by": by, "at": at})

    def amend(self, line: str, deadline: datetime) -> None:
        """Sometimes an amendment or a cancellation, by anyone, around the deadline."""
        dice, quantity = self.dice, self.facts["lines"][line]["qty"]
        if self.chance(0.3):
            by = dice.choice(["customer", "customer", "seller", "unknown"])
            self.change(line, "quantity", dice.choice(["-1", "-2", "3", "0.5"]), by, self.near(deadline))
        if self.chance(0.12):
            self.change(
                line, "cancel", f"-{quantity}", dice.choice(["customer", "seller", "unknown"]), self.near(deadline)
            )
        if self.chance(0.05):
            self.change(line, "price", "-1", "customer", self.near(deadline))

    def move(self, line: str, chain: list[str]) -> None:
        """Sometimes move the line to a backorder, or leave a remainder there."""
        if len(chain) == 1 or not self.chance(0.5):
            return
        if self.chance(0.4):
            self.facts["lines"][line]["order"] = self.dice.choice(chain[1:])
            return
        for child in chain[1:]:
            self.facts["lines"][f"{line}@{child}"] = self.facts["lines"][line] | {
                "order": child,
                "root": line,
                "qty": "2",
            }
            if self.chance(0.2):
                self.change(f"{line}@{child}", "quantity", "-1", "customer", AS_OF - timedelta(days=200))

    def ship_chain(self, name: str, chain: list[str], deadline: datetime) -> None:
        """Release and ship every order of the chain, in one or two events each, in any temporal order."""
        for order in chain:
            mine = [
                line for line, row in self.facts["lines"].items() if row["order"] == order and line.startswith(name)
            ]
            for number in range(self.dice.choice([1, 1, 2])):
                if not mine or self.chance(0.06):
                    continue
                event = f"{order}r{number}"
                at = None if self.chance(0.15) else self.near(deadline - timedelta(hours=4))
                self.facts["releases"][event] = {"order": order, "at": at, "lines": self.some(mine)}
                for parcel in range(self.dice.choice([1, 1, 1, 2])):
                    self.ship(f"{event}s{parcel}", order, event, self.some(mine), deadline)

    def some(self, names: list[str]) -> list[str]:
        """Most of the names, at least one."""
        return [name for name in names if self.chance(0.8)] or names[:1]

    def ship(self, name: str, order: str, event: str, lines: list[str], deadline: datetime) -> None:
        """One parcel: short, exact or over, perhaps void, uncertain, untracked, delivered, invoiced."""
        dice = self.dice
        at = AS_OF + timedelta(seconds=dice.choice([0, 1])) if self.chance(0.03) else self.near(deadline)
        shipment: dict[str, Any] = {
            "order": order,
            "event": None if self.chance(0.05) else event,
            "at": at,
            "lines": {line: dice.choice([self.facts["lines"][line]["qty"]] * 4 + ["1", "3"]) for line in lines},
            "is_void": self.chance(0.06),
            "has_tracking": not self.chance(0.15),
        }
        if self.chance(0.2):
            shipment["site"] = dice.choice(SITE_CODES)
        if self.chance(0.15):
            shipment["at_min"] = at - timedelta(seconds=dice.choice([0, 900, 5000]))
            shipment["at_max"] = at + timedelta(seconds=dice.choice([0, 1, 3600]))
        elif self.chance(0.1):
            shipment["at"] = deadline + timedelta(seconds=dice.choice([-1800, 1200]))
            shipment["at_min"], shipment["at_max"] = deadline - timedelta(hours=1), deadline + timedelta(hours=1)
        if not self.chance(0.15):
            self.deliver(shipment, deadline)
        self.facts["shipments"][name] = shipment
        if not self.chance(0.1):
            self.invoice(name, shipment)

    def deliver(self, shipment: dict[str, Any], deadline: datetime) -> None:
        """A delivery instant, exact, date-only or loosely known."""
        at = self.near(self.facts["orders"][shipment["order"]]["delivery_deadline"])
        if self.chance(0.25):
            shipment["delivered_min"], shipment["delivered_max"] = deadline + timedelta(days=-1), deadline
            at = deadline - timedelta(seconds=1)
        elif self.chance(0.2):
            shipment["delivered_min"] = at - timedelta(seconds=self.dice.choice([1, 600, 50_000]))
            shipment["delivered_max"] = at + timedelta(seconds=self.dice.choice([1, 299, 300, 50_000]))
        shipment["delivered"] = AS_OF + timedelta(seconds=self.dice.choice([0, 1])) if self.chance(0.04) else at

    def invoice(self, name: str, shipment: dict[str, Any]) -> None:
        """One or two invoices of a parcel, and sometimes a credit note."""
        order = self.facts["orders"][shipment["order"]]
        for number in range(self.dice.choice([1, 1, 1, 2])):
            created = shipment["at"] + timedelta(seconds=self.dice.choice([-600, 60, 3600, 90_000]))
            note = {
                "shipment": name,
                "site": order["site"],
                "category": order["category"],
                "posted": min(created, AS_OF).date(),
                "created": None if self.chance(0.05) else created,
                "created_max": created + timedelta(seconds=self.dice.choice([0, 0, 0, 86_000])),
            }
            lines = [self.billed(line, quantity, 1) for line, quantity in shipment["lines"].items()]
            self.facts["invoices"][f"{name}i{number}"] = note | {"lines": lines[number:]}
            if self.chance(0.15):
                credit = note | {"is_credit": True, "created": shipment["at"] + timedelta(seconds=5)}
                self.facts["invoices"][f"{name}c{number}"] = credit | {
                    "lines": [self.billed(line, "1", -1) for line in shipment["lines"]]
                }

    def billed(self, line: str, quantity: str, sign: int) -> dict[str, Any]:
        """One invoice or credit line with amounts in cents."""
        cents = self.dice.randrange(50, 90_000)
        cogs = 0 if sign < 0 and self.chance(0.4) else int(cents * self.dice.choice([0.5, 0.8, 1.1]))
        group = self.facts["lines"][line]["group"]
        return {
            "line": line,
            "group": group,
            "qty": quantity,
            "net": money(sign * cents),
            "tax": money(sign * 7),
            "cogs": money(sign * cogs),
        }

    def posting(self, name: str) -> None:
        """An invoice or credit note without an order, some of them posted after the as-of day."""
        sign = self.dice.choice([1, -1])
        posted = AS_OF.date() + timedelta(days=self.dice.choice([-40, -3, 0, 1, 20]))
        lines = [{"group": "Tools", "net": money(sign * 30_000), "cogs": money(sign * 12_345), "qty": sign}]
        self.facts["invoices"][name] = {
            "posted": posted,
            "is_credit": sign < 0,
            "site": self.dice.choice(SITE_CODES),
            "lines": lines,
        }


def money(cents: int) -> str:
    """Cents as an amount."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
