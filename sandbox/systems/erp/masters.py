"""What may be changed through the ERP's API: the writable fields of items, customers and suppliers, and their rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

Rule = Callable[[Any], Any]


def text(value: Any) -> str:
    """Text that is not blank, at most 200 characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise ValueError("must be text of 1 to 200 characters")
    return value


def whole(least: int) -> Rule:
    """A whole number from `least` to a million."""

    def rule(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 1_000_000:
            raise ValueError(f"must be a whole number from {least} to 1000000")
        return value

    return rule


def money(value: Any) -> Decimal:
    """An amount of 0 or more with at most two decimals, as a JSON number or as text."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("must be an amount such as 21.50")
    try:
        amount = Decimal(value)
        exact = amount.quantize(Decimal("0.01"))
    except InvalidOperation as error:
        raise ValueError("must be an amount such as 21.50") from error
    if not amount.is_finite() or amount < 0 or amount != exact or amount >= Decimal("1e12"):
        raise ValueError("must be an amount of 0 or more with at most two decimals")
    return exact


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def nullable(rule: Rule) -> Rule:
    """The rule, or null."""
    return lambda value: None if value is None else rule(value)


@dataclass(frozen=True)
class Master:
    """One kind of master row: its table, its key, and the rule of each writable field."""

    table: str
    key: str
    writable: dict[str, Rule]

    def checked(self, body: object) -> tuple[dict[str, Any], dict[str, str]]:
        """The accepted values, and the reason for each field refused."""
        if not isinstance(body, dict) or not body:
            return {}, {"": "must be an object with at least one field"}
        values: dict[str, Any] = {}
        refused: dict[str, str] = {}
        for field, value in body.items():
            rule = self.writable.get(field)
            if rule is None:
                refused[field] = f"cannot be written; writable are {', '.join(self.writable)}"
                continue
            try:
                values[field] = rule(value)
            except ValueError as error:
                refused[field] = str(error)
        return values, refused


MASTERS = {
    "items": Master(
        "warehouse.stock_items",
        "stock_item_id",
        {
            "unit_price": money,
            "stock_item_name": text,
            "lead_time_days": whole(0),
            "barcode": nullable(text),
            "quantity_per_outer": whole(1),
        },
    ),
    "customers": Master(
        "sales.customers",
        "customer_id",
        {
            "customer_name": text,
            "phone_number": text,
            "delivery_address_line": text,
            "delivery_postal_code": text,
            "payment_days": whole(0),
            "credit_limit": nullable(money),
            "is_on_credit_hold": flag,
        },
    ),
    "suppliers": Master(
        "purchasing.suppliers",
        "supplier_id",
        {"supplier_name": text, "phone_number": text, "payment_days": whole(0)},
    ),
}
