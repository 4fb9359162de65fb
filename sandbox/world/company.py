"""The fixed facts of the simulated company: sites, lanes, channels, categories, families, code tables."""

from __future__ import annotations

from dataclasses import dataclass

ENTITY = {"legal_entity_id": 1, "legal_entity_name": "Crossdock Distribution", "currency": "USD"}
ERP_ZONE = "America/Chicago"


@dataclass(frozen=True, slots=True)
class Site:
    """A distribution centre."""

    site_id: int
    code: str
    name: str
    zone: str
    city: str
    postal_code: str


SITES = (
    Site(1, "EWR", "Newark DC", "America/New_York", "Newark", "07114"),
    Site(2, "ORD", "Chicago DC", "America/Chicago", "Elk Grove Village", "60007"),
    Site(3, "LAX", "Los Angeles DC", "America/Los_Angeles", "Carson", "90745"),
)

SHIP_ZONES = {
    # zone: (share of customers, sites by distance, transit in working days per site index, city, postal prefix)
    "America/New_York": (0.34, (0, 1, 2), (1, 2, 4), "Philadelphia", "19"),
    "America/Chicago": (0.27, (1, 0, 2), (2, 1, 3), "Milwaukee", "53"),
    "America/Denver": (0.09, (1, 2, 0), (3, 2, 2), "Denver", "80"),
    "America/Phoenix": (0.07, (2, 1, 0), (4, 3, 1), "Phoenix", "85"),
    "America/Los_Angeles": (0.23, (2, 1, 0), (4, 3, 1), "San Diego", "92"),
}
OWN_TRUCK_ZONES = {0: "America/New_York", 1: "America/Chicago", 2: "America/Los_Angeles"}

CHANNELS = ("edi", "portal", "inside", "branch", "marketplace")
CHANNEL_NAMES = ("EDI", "Web portal", "Inside sales", "Branch counter", "Marketplace")
CHANNEL_SHARE = (0.40, 0.25, 0.25, 0.07, 0.03)

DELIVERY_METHODS = ("Parcel", "LTL freight", "Own truck", "Customer pick-up")
TRANSACTION_TYPES = {
    1: "Customer Invoice", 2: "Customer Credit Note", 3: "Customer Payment Received", 10: "Stock Issue",
    11: "Stock Receipt", 12: "Stock Adjustment", 13: "Customer Return", 14: "Opening Balance",
}  # fmt: skip
CATEGORIES = ("Wholesaler", "Retail Chain", "Contractor", "Institution", "Online Reseller")
CATEGORY_SHARE = (0.28, 0.22, 0.25, 0.13, 0.12)
BUYING_GROUPS = ("Tailwind Buying Co-op", "Midland Purchasing Alliance")
SUPPLIER_CATEGORIES = ("Manufacturer", "Importer", "Master Distributor")

FAMILIES = (
    # name, share of items, gross margin, peak month of the year (0 = no season)
    ("Fasteners", 0.16, 0.31, 0),
    ("Electrical", 0.14, 0.27, 0),
    ("Plumbing", 0.12, 0.27, 0),
    ("Hand Tools", 0.10, 0.29, 12),
    ("Power Tools", 0.07, 0.22, 12),
    ("Safety", 0.10, 0.31, 0),
    ("Packaging", 0.09, 0.25, 11),
    ("Lighting", 0.08, 0.28, 11),
    ("Heating", 0.05, 0.25, 1),
    ("Cooling", 0.04, 0.25, 7),
    ("Lawn and Garden", 0.05, 0.27, 5),
)

HOUR_SHARE = (0, 0, 0, 0, 0, 0.3, 0.8, 2, 6, 8, 9, 9.5, 12, 9, 9, 11.5, 9, 7, 4, 1.2, 0.8, 0.5, 0.2, 0)
WEEKDAY_FACTOR = (1.15, 1.0, 1.0, 1.0, 0.92, 0.25, 0.0)

CARRIERS = {
    # name: (X12 carrier code, service, on time, on time in December)
    "UPS": ("UPSN", "GND", 0.97, 0.97),
    "FedEx": ("FDEG", "GND", 0.95, 0.92),
    "LTL": ("SAIA", "STD", 0.94, 0.90),
}
OWN_TRUCK = ("OWNF", "DLY")
PICK_UP = ("CPUP", "WCL")


def season(family: int, month: int) -> float:
    """Demand factor of a family in a month: 3:1 between peak and trough for seasonal ones, else 1."""
    peak = FAMILIES[family][3]
    if not peak:
        return 1.0
    apart = min((month - peak) % 12, (peak - month) % 12)
    return 1.5 - apart / 6.0
