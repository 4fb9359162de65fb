"""What a system's YAML may say: one model per part, closed to unknown keys.

Nothing here reads a file or the environment; `connectors.config` does. Fields that may hold a secret are `SecretStr`,
so that neither `repr` nor a log line shows them.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from connectors.config_part import Part
from connectors.config_transport import HttpTls

Role = Literal["erp", "oms", "wms", "carrier", "supplier", "crm", "storefront"]
Precision = Literal["day", "minute", "s", "ms", "us"]

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_ZONES = available_timezones()
LONGEST = timedelta(days=366)


def parse_duration(value: Any) -> Any:
    """`15s`, `500ms`, `2m`, `1h`, `1d` to a timedelta; anything else is refused with the allowed form."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", str(value).strip())
    if match is None:
        raise ValueError("is not a duration; allowed: a number and ms, s, m, h or d, such as 15s")
    try:
        found = timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError:
        found = timedelta.max
    if found > LONGEST:
        raise ValueError(f"is longer than {LONGEST.days} days")
    return found


def _known_zone(name: str) -> str:
    if _ZONES and name not in _ZONES:
        raise ValueError("is not a time zone name; allowed: names of the IANA database, such as America/Chicago")
    return name


def _legal_entity(value: Any) -> Any:
    """A number would lose its leading zeros in YAML, so only text is taken."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,32}", value):
        raise ValueError(
            "is not a legal entity's code; allowed: up to 32 letters, digits, dots, dashes and underscores, in quotes"
        )
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
LegalEntity = Annotated[str, BeforeValidator(_legal_entity)]


class Auth(Part):
    """How a caller proves who it is: one header, or a bearer token. Never logged."""

    header: str | None = None
    value: SecretStr | None = None
    bearer: SecretStr | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Auth":
        if self.bearer is None and (self.header is None or self.value is None):
            raise ValueError("needs either `header` and `value`, or `bearer`")
        if self.bearer is not None and (self.header is not None or self.value is not None):
            raise ValueError("takes either `header` and `value`, or `bearer`, not both")
        return self

    def headers(self) -> dict[str, str]:
        """The header to send; the only place where the secret leaves its wrapping."""
        if self.bearer is not None:
            return {"Authorization": f"Bearer {self.bearer.get_secret_value()}"}
        assert self.header is not None and self.value is not None
        return {self.header: self.value.get_secret_value()}


class TimeColumn(Part):
    """What one time column means: how fine it is, and whose clock it shows when it carries no offset."""

    precision: Precision | None = None
    zone: Zone | None = None
    format: str | None = None


class Defaults(Part):
    """What holds for every stream unless a column says otherwise.

    `legal_entity` begins every key of the system (default 1); `erp` names the ERP whose numbers the system quotes
    (default: the first one connected).
    """

    zone: Zone | None = None
    legal_entity: LegalEntity | None = None
    erp: Identifier | None = None


class Write(HttpTls):
    """Where corrections go, and what the target makes possible (guarantee A to D, proven by a contract test)."""

    kind: Literal["http"]
    token: SecretStr | None = None
    auth: Auth | None = None
    guarantee: Literal["A", "B", "C", "D"] = "C"
    entities: tuple[Identifier, ...] = ()
    timeout: Duration = timedelta(seconds=10)

    def headers(self) -> dict[str, str]:
        if self.auth is not None:
            return self.auth.headers()
        return {} if self.token is None else {"Authorization": f"Bearer {self.token.get_secret_value()}"}


class Read(Part):
    """What every way of reading shares."""

    kind: str
    poll: Duration = timedelta(seconds=15)


def _no_log(name: str) -> str:
    if name.endswith("__log"):
        raise ValueError("ends in __log, which the log of every stream is called by; allowed: another name")
    return name


class Stream(Part):
    """What every stream shares: one entity of a system, and its key. Nothing reads `times` yet."""

    name: Annotated[Identifier, AfterValidator(_no_log)]
    key: tuple[str, ...] = ()
    times: dict[str, TimeColumn] = Field(default_factory=dict)


class System(Part):
    """One connected application. `read` and `streams` are of the classes its kind registered."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)

    system: Identifier
    role: Role
    title: str = ""
    owner: str = ""
    read: Any
    defaults: Defaults = Defaults()
    streams: tuple[Any, ...]
    write: Write | None = None

    def stream(self, name: str) -> Any:
        """The declared stream of that name; KeyError names those that exist."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(f"{self.system} declares no stream {name!r}; it has {', '.join(s.name for s in self.streams)}")
