"""Customers and suppliers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .chance import Chance, Draw, stream, zipf
from .company import CATEGORY_SHARE, CHANNEL_SHARE, SHIP_ZONES
from .settings import HISTORY_START, Settings

_FIRST = """
Allied Harbor Summit Union Prairie Beacon Granite Cedar Liberty Pioneer Keystone Lakeside Metro Northern Pacific Redwood
Sterling Tri-State Valley Wexford
""".split()  # noqa: SIM905
_SECOND = """
Supply Hardware Builders Mechanical Electric Industrial Facilities Outfitters Trading Contracting
""".split()  # noqa: SIM905


@dataclass(slots=True)
class Customer:
    """A sold-to party with its habits; `weight` is its share of orders, `bulk` scales its quantities."""

    customer_id: int
    name: str
    bill_to: int
    category: int
    buying_group: int | None
    zone: str
    postal_code: str
    address: str
    phone: str
    channel: int
    weight: float
    bulk: float
    discount: float
    hold_risk: float
    weekly_invoice: bool
    backorder_child: bool
    credit_limit_cents: int | None
    payment_days: int
    opened: date


@dataclass(slots=True)
class Supplier:
    """A vendor; `lead_days` is the mean of its lead time."""

    supplier_id: int
    name: str
    category: int
    lead_days: int
    on_time: float
    payment_days: int
    phone: str
    review_weekday: int


def _phone(chance: Chance) -> str:
    return f"({chance.between(201, 989)}) 555-01{chance.between(0, 99):02d}"


def _behind(volumes: list[float], chance: Chance) -> int:
    """A channel that is behind its share of the volume given out so far, so that few large customers do not decide."""
    total = sum(volumes) or 1.0
    gaps = [max(0.004, share - volume / total) for share, volume in zip(CHANNEL_SHARE, volumes, strict=True)]
    return Draw(gaps)(chance)


def make_customers(settings: Settings) -> list[Customer]:
    """Customers by falling weight; ids are shuffled so that the rank is not the id."""
    chance = stream(settings.seed, "customers")
    weights = zipf(settings.customers, 0.72)
    ids = list(range(1, settings.customers + 1))
    chance.shuffle(ids)
    zones = list(SHIP_ZONES)
    zone_draw = Draw([SHIP_ZONES[z][0] for z in zones])
    category_draw = Draw(CATEGORY_SHARE)
    channels = [0.0] * len(CHANNEL_SHARE)
    risky = set(chance.sample(range(settings.customers), max(1, settings.customers // 12)))
    made: list[Customer] = []
    for rank, customer_id in enumerate(ids):
        where = zones[zone_draw(chance)]
        name = f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {customer_id:03d}"
        head = made[chance.between(0, len(made) - 1)].bill_to if made and chance.random() < 0.12 else customer_id
        weight, bulk = (
            weights[rank] * chance.skewed(1.0, 0.25),
            max(0.6, 1.55 - 0.84 * (rank / settings.customers) ** 0.5),
        )
        channel = _behind(channels, chance)
        channels[channel] += weight * bulk
        made.append(
            Customer(
                customer_id=customer_id,
                name=name,
                bill_to=head,
                category=category_draw(chance),
                buying_group=chance.between(1, 2) if chance.random() < 0.15 else None,
                zone=where,
                postal_code=f"{SHIP_ZONES[where][4]}{chance.between(0, 999):03d}",
                address=f"{chance.between(1, 9900)} {chance.choice(_FIRST)} Road",
                phone=_phone(chance),
                channel=channel,
                weight=weight,
                bulk=bulk,
                discount=round(max(0.0, min(0.15, 0.12 - 0.12 * rank / settings.customers + chance.gauss(0, 0.02))), 3),
                hold_risk=9.0 if rank in risky else 0.28,
                weekly_invoice=chance.random() < settings.weekly_customers,
                backorder_child=chance.random() < 0.85,
                credit_limit_cents=chance.between(20, 900) * 100_000 if chance.random() < 0.9 else None,
                payment_days=chance.choice((7, 14, 30, 30, 45)),
                opened=HISTORY_START.date() - timedelta(days=chance.between(40, 4000)),
            )
        )
    mean_risk = sum(c.weight * c.hold_risk for c in made) / sum(c.weight for c in made)
    for customer in made:
        customer.hold_risk /= mean_risk
    return made


def make_suppliers(settings: Settings) -> list[Supplier]:
    """Suppliers; one in seven imports with about 65 days of lead time."""
    chance = stream(settings.seed, "suppliers")
    made = []
    for supplier_id in range(1, settings.suppliers + 1):
        imports = supplier_id % 7 == 3
        lead = 65 if imports else max(4, round(chance.skewed(9, 0.25)))
        made.append(
            Supplier(
                supplier_id=supplier_id,
                name=f"{chance.choice(_FIRST)} {chance.choice(('Works', 'Manufacturing', 'Imports', 'Products'))} "
                f"{supplier_id:02d}",
                category=1 if imports else chance.choice((0, 0, 2)),
                lead_days=lead,
                on_time=max(0.70, min(0.93, chance.gauss(settings.supplier_on_time, 0.05))),
                payment_days=chance.choice((14, 30, 60)),
                phone=_phone(chance),
                review_weekday=supplier_id % 5,
            )
        )
    return made
