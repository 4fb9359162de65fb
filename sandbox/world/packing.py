"""Cartons: how picked lines are put into handling units, and when they leave as two parcels."""

from __future__ import annotations

from .chance import Chance
from .kernel import Kernel
from .state import Carton, WarehouseLine
from .x12 import sscc

PARCEL_GRAMS = 68_000
"""Heavier shipments go by LTL (150 lb)."""

_CARTON_GRAMS = 18_000
_PALLET_GRAMS = 350_000
_MOST_CARTONS = 8


def split(lines: list[WarehouseLine], chance: Chance, share: float) -> list[list[WarehouseLine]]:
    """One group of lines, or two when a larger order leaves in two parcels."""
    if len(lines) >= 4 and chance.random() < share:
        cut = chance.between(1, len(lines) - 1)
        return [lines[:cut], lines[cut:]]
    return [lines]


def pack(lines: list[WarehouseLine], kernel: Kernel) -> tuple[list[Carton], int]:
    """Fill cartons (pallets when heavy) in line order; a line may run over several. Returns cartons and grams."""
    grams = sum(part.picked * part.segment.line.item.weight_grams for part in lines)
    limit = _CARTON_GRAMS if grams <= PARCEL_GRAMS else _PALLET_GRAMS
    limit = max(limit, grams // _MOST_CARTONS + 1)
    cartons: list[Carton] = []
    room = 0
    for part in lines:
        left, unit = part.picked, part.segment.line.item.weight_grams
        while left:
            if room < unit:
                cartons.append(Carton(sscc(kernel.number("sscc")), []))
                room = max(limit, unit)
            take = min(left, room // unit)
            cartons[-1].contents.append((part, take))
            room -= take * unit
            left -= take
    return cartons, grams
