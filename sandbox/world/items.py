"""The assortment: what is sold, at what list price and cost, how often and in what quantities."""

from __future__ import annotations

from dataclasses import dataclass

from .chance import Draw, stream, zipf
from .company import FAMILIES
from .parties import Supplier
from .settings import Settings

_NOUNS = {
    "Fasteners": ("Hex Bolt", "Wood Screw", "Anchor", "Washer", "Rivet"),
    "Electrical": ("Breaker", "Conduit Fitting", "Receptacle", "Wire Connector", "Junction Box"),
    "Plumbing": ("Ball Valve", "Coupling", "Elbow", "Pipe Clamp", "Supply Line"),
    "Hand Tools": ("Wrench", "Pliers", "Hammer", "Screwdriver", "Level"),
    "Power Tools": ("Drill", "Grinder", "Saw Blade", "Sander", "Battery"),
    "Safety": ("Gloves", "Goggles", "Ear Plugs", "Vest", "Respirator"),
    "Packaging": ("Carton", "Stretch Film", "Tape", "Bubble Wrap", "Strapping"),
    "Lighting": ("LED Tube", "Flood Light", "Bulb", "Ballast", "Exit Sign"),
    "Heating": ("Heater", "Thermostat", "Element", "Duct", "Igniter"),
    "Cooling": ("Fan", "Filter", "Capacitor", "Coil Cleaner", "Hose"),
    "Lawn and Garden": ("Sprinkler", "Rake", "Hose Reel", "Trimmer Line", "Planter"),
}


@dataclass(slots=True)
class Item:
    """A stock item. Money: list price in cents, cost in hundredths of a cent, both per each."""

    item_id: int
    name: str
    family: int
    supplier: Supplier
    pack: int
    price_cents: int
    cost4: int
    tax_permille: int
    weight_grams: int
    lead_days: int
    barcode: str | None
    weight: float
    qty_median: float
    home_only: bool

    @property
    def family_name(self) -> str:
        """Name of the item group."""
        return str(FAMILIES[self.family][0])


def _ean13(body: str) -> str:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)


def make_items(settings: Settings, suppliers: list[Supplier]) -> list[Item]:
    """Items in id order; popularity follows a power law over shuffled ranks, so that the id says nothing."""
    chance = stream(settings.seed, "items")
    family_draw = Draw([family[1] for family in FAMILIES])
    by_family = {
        n: [s for s in suppliers if s.supplier_id % len(FAMILIES) == n] or suppliers for n in range(len(FAMILIES))
    }
    weights = zipf(settings.items, 0.74)
    chance.shuffle(weights)
    typical = 1.0 / settings.items**0.74
    made = []
    for item_id in range(1, settings.items + 1):
        family = family_draw(chance)
        name, _, margin, _ = FAMILIES[family]
        price = max(35, min(95_000, round(chance.skewed(1150, 1.0))))
        below_cost = chance.random() < 0.036
        real_margin = -0.04 if below_cost else max(0.12, min(0.55, chance.gauss(margin + 0.045, 0.05)))
        fast = (weights[item_id - 1] / typical) ** 0.12
        made.append(
            Item(
                item_id=item_id,
                name=f"{chance.choice(_NOUNS[name])} {chance.choice('ABCDEFGHKMPRSTX')}{chance.between(10, 999)}",
                family=family,
                supplier=chance.choice(by_family[family]),
                pack=chance.choice((1, 1, 6, 10, 12, 24)) if price < 4000 else 1,
                price_cents=price,
                cost4=max(1, round(price * 100 * (1 - real_margin))),
                tax_permille=chance.choice((0, 60, 60, 60, 85)),
                weight_grams=max(20, round(chance.skewed(600, 0.9))),
                lead_days=0,
                barcode=_ean13(f"04{item_id:010d}") if chance.random() < 0.75 else None,
                weight=weights[item_id - 1],
                qty_median=max(1.0, min(14.0, 2.75 * fast * (1150 / price) ** 0.18)),
                home_only=weights[item_id - 1] < typical * 1.6 and chance.random() < 0.09,
            )
        )
        made[-1].lead_days = made[-1].supplier.lead_days
    return made
