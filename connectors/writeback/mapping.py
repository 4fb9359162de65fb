"""What may be written where: entities, fields, types and guard rails, read from contracts/write/ as data."""

import re
from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from connectors.writeback.canonical import UNPRINTABLE, printable
from connectors.writeback.errors import Refused

EXACT = Context(prec=100)
LONGEST = 1 << 20
CONTRACTS = Path(__file__).resolve().parents[2] / "contracts" / "write"


class FieldRule(BaseModel):
    """One writable field: `text`, `integer`, `boolean` or `decimal(p,s)`; `blank` says whether it may be emptied."""

    model_config = ConfigDict(extra="forbid")
    type: str
    blank: bool = False
    four_eyes: bool = False
    max_change_ratio: float | None = None

    def canonical(self, value: Any) -> str | None:
        """The one text form that plans, hashes and comparisons use. Raises Refused for a value of another type."""
        if value is None or (isinstance(value, str) and value == ""):
            return None
        if self.type == "text":
            if UNPRINTABLE.search(str(value)) or "\ufffd" in str(value):
                raise Refused("it holds half a character, or one that no text keeps")
            return str(value)
        if self.type == "boolean":
            text = str(value).strip().lower()
            if text not in {"true", "false"}:
                raise Refused(f"{value!r} is not a boolean; write true or false")
            return text
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite():
            raise Refused(f"{value!r} is not a number; the field takes {self.type}")
        precision, scale = self._digits()
        if number.copy_abs() >= Decimal(10) ** (precision - scale):
            raise Refused(f"{value!r} does not fit {self.type}")
        exact = number.quantize(Decimal(1).scaleb(-scale), context=EXACT)
        if exact != number:
            raise Refused(f"{value!r} has more decimals than {self.type} keeps")
        return format(exact if exact else exact.copy_abs(), "f")

    def told(self, value: Any) -> str | None:
        """What a target or its log says, whatever that is: `canonical` where it fits, else a text that is not what any
        value of this field looks like, so that it counts as another one and stops nobody."""
        try:
            return self.canonical(value)
        except (ValueError, ArithmeticError):
            return printable(value, LONGEST)

    def outgoing(self, text: str | None) -> Any:
        """The canonical text as the JSON value that the target takes; decimals stay text, so no digit is lost."""
        if text is None or self.type == "text" or self.type.startswith("decimal"):
            return text
        return text == "true" if self.type == "boolean" else int(text)

    def _digits(self) -> tuple[int, int]:
        found = re.fullmatch(r"decimal\((\d+),(\d+)\)", self.type)
        return (int(found[1]), int(found[2])) if found else (18, 0)


class EntityRule(BaseModel):
    """One writable entity: the stream it is observed through, its key and version columns, its path at the target."""

    model_config = ConfigDict(extra="forbid")
    stream: str
    key: str
    path: str
    version: str
    fields: dict[str, FieldRule]


class Guards(BaseModel):
    model_config = ConfigDict(extra="forbid")
    max_rows: int = 200
    expires_hours: float = 24


class Mapping(BaseModel):
    """The write contract of one target dialect."""

    model_config = ConfigDict(extra="forbid")
    version: int
    entities: dict[str, EntityRule]
    guards: Guards = Guards()

    def entity(self, name: str) -> EntityRule:
        if name not in self.entities:
            raise Refused(f"unknown entity {name!r}; one of: {', '.join(sorted(self.entities))}")
        return self.entities[name]

    def rule(self, entity: str, name: str) -> FieldRule | None:
        """The rule of a field; None when the contract does not have it, or not any more."""
        found = self.entities.get(entity)
        return found.fields.get(name) if found is not None else None

    def missing(self, entity: str, names: Iterable[str]) -> str | None:
        """Which of these fields the contract does not have, or not any more, in words; None when it has all."""
        gone = ", ".join(name for name in names if self.rule(entity, name) is None)
        return f"the write contract has no {entity} {gone} any more" if gone else None

    def field(self, entity: str, name: str) -> FieldRule:
        fields = self.entity(entity).fields
        if name not in fields:
            raise Refused(f"{entity} has no writable field {name!r}; one of: {', '.join(sorted(fields))}")
        return fields[name]


def load_mapping(dialect: str = "wwi_http") -> Mapping:
    """The mapping of contracts/write/<dialect>.yaml; Refused when there is none of that name."""
    path = CONTRACTS / f"{dialect}.yaml"
    if not path.is_file() or path.parent != CONTRACTS:
        known = ", ".join(sorted(file.stem for file in CONTRACTS.glob("*.yaml")))
        raise Refused(f"no write contract {dialect!r}; one of: {known}")
    return Mapping.model_validate(yaml.safe_load(path.read_text()))
