"""X12 004010 writer for 945 warehouse shipping advices: one interchange per shift, one transaction set per shipment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .state import Shipment

RECEIVER = "CROSSDOCK"


@dataclass(slots=True)
class Advice:
    """One 945: its shipment, the site-local ship time, and the purpose (N original, V void)."""

    shipment: Shipment
    shipped_local: datetime
    purpose: str = "N"


@dataclass(slots=True)
class Interchange:
    """The advices of one shift under one interchange control number."""

    site_code: str
    site_name: str
    control: int
    sent_local: datetime
    advices: list[Advice] = field(default_factory=list)

    def text(self) -> str:
        """The whole interchange, one segment after the other, `~` at the end of each."""
        sent, control = self.sent_local, f"{self.control:09d}"
        out = [
            f"ISA*00*{'':10}*00*{'':10}*ZZ*{self.site_code:15}*ZZ*{RECEIVER:15}*{sent:%y%m%d}*{sent:%H%M}*U*00401"
            f"*{control}*0*P*>",
            f"GS*SW*{self.site_code}*{RECEIVER}*{sent:%Y%m%d}*{sent:%H%M%S}*{self.control}*X*004010",
        ]
        for number, advice in enumerate(self.advices, 1):
            body = _advice(advice, self.site_code, self.site_name)
            out.append(f"ST*945*{number:04d}")
            out.extend(body)
            out.append(f"SE*{len(body) + 2}*{number:04d}")
        out.append(f"GE*{len(self.advices)}*{self.control}")
        out.append(f"IEA*1*{control}")
        return "~".join(out) + "~"


def _clean(text: str) -> str:
    """Element text without the characters that delimit."""
    return text.replace("*", " ").replace("~", " ").replace(">", " ")


def _advice(advice: Advice, site_code: str, site_name: str) -> list[str]:
    shipment, at = advice.shipment, advice.shipped_local
    release = shipment.work.release
    customer = release.order.customer
    day = f"{at:%Y%m%d}"
    out = [
        f"W06*{advice.purpose}*{release.order.order_id}*{day}*{shipment.number}*{release.key}",
        f"N1*ST*{_clean(customer.name)}*92*{customer.customer_id}",
        f"N1*SF*{_clean(site_name)}*92*{site_code}",
        f"N9*RE*{release.key}",
    ]
    if shipment.tracking:
        out.append(f"N9*CN*{shipment.tracking}")
    out.append(f"G62*11*{day}*8*{at:%H%M%S}")
    out.append(f"W27*M*{shipment.carrier_code}*{shipment.service}")
    total, assigned = 0, 0
    shipped = shipment.quantities()
    for carton in shipment.cartons:
        for line, qty in carton.contents:
            assigned += 1
            total += qty
            lacking = line.requested - shipped[line.segment]
            status = "SH" if lacking <= 0 else "PR"
            out.append(f"LX*{assigned}")
            out.append(f"MAN*GM*{carton.sscc}")
            item_id = line.segment.line.item.item_id
            out.append(f"W12*{status}*{line.requested}*{qty}*{lacking}*EA**VN*{item_id}")
            out.append(f"N9*LI*{line.segment.line_id}")
    pounds = max(1, round(shipment.weight_grams / 453.592))
    out.append(f"W03*{total}*{pounds}*LB")
    return out


def sscc(serial: int) -> str:
    """An 18-digit serial shipping container code with its GS1 check digit."""
    body = f"0037{serial:013d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)
