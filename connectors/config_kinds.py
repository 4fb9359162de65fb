"""The kinds of connector a system file may name, each with the model of its `read` part and of its streams.

A new kind registers itself with `register_kind`; nothing else in the configuration changes.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connectors.config_model import Auth, Duration, Read, Stream, Zone
from connectors.config_part import Part
from connectors.config_transport import HttpTls, Tls, protected_dsn


class PostgresRead(Read, Tls):
    """Logical replication: one publication and one slot per system. `dsn` says how it is protected, once validated."""

    kind: Literal["postgres"]
    dsn: SecretStr
    publication: str = "crossdock"
    slot: str | None = Field(default=None, pattern=r"^[a-z0-9_]{1,63}$")

    @model_validator(mode="after")
    def _protected(self) -> "PostgresRead":
        object.__setattr__(self, "dsn", protected_dsn(self.dsn, self))
        return self


class PostgresStream(Stream):
    """A table. `contract` says what happens when its columns change: they land (`evolve`), the stream stands still
    until somebody accepts it (`freeze`), or rows under other columns are dead letters (`dead_letter`). A document is
    kept whole, so only tables have one."""

    contract: Literal["evolve", "freeze", "dead_letter"] = "evolve"
    table: str = Field(pattern=r"^[^.\s]+\.[^.\s]+$")


class Budget(Part):
    """How much of the API is ours to use: a steady rate, and how many requests may come at once."""

    requests_per_second: float = Field(default=10, gt=0)
    burst: int = Field(default=5, ge=1)


class RestRead(Read, HttpTls):
    """A JSON API. The body limit is on what a response expands to, so that a small zip cannot fill the memory.

    `connect_timeout` bounds a connection, `timeout` the wait for the first byte and each silence, `deadline` one answer
    with its attempts; a stream takes at most `max_pages` and `longest` of one pass, and goes on in the next."""

    kind: Literal["rest"]
    auth: Auth | None = None
    budget: Budget = Budget()
    connect_timeout: Duration = timedelta(seconds=10)
    timeout: Duration = timedelta(seconds=30)
    deadline: Duration = timedelta(minutes=5)
    longest: Duration = timedelta(minutes=15)
    max_pages: int = Field(default=10_000, ge=1)
    max_body_mb: float = Field(default=256, gt=0)
    attempts: int = Field(default=6, ge=1)


class Cursor(Part):
    """The parameter that asks for what changed since, and the field of a record that it compares with."""

    param: str = "updated_since"
    field: str = "updated_at"


class RestStream(Stream):
    """Records of one path. `next_cursor` names the field of a page that holds the next page's token."""

    path: str = Field(pattern=r"^/")
    records: str
    key: tuple[str, ...] = Field(min_length=1)
    cursor: Cursor | None = None
    next_cursor: str | None = None
    cursor_param: str = "cursor"
    limit_param: str = "limit"
    page_size: int = Field(default=200, ge=1)
    overlap: Duration = timedelta(minutes=5)
    document: str
    params: dict[str, str] = Field(default_factory=dict)


class SftpRead(Read):
    """A folder on an SFTP server whose host key is pinned; `zones` says whose clock each site's files show.

    A file is read when two looks, `settle` apart, show the same size and time; one whose content stays unfinished for
    `patience` is taken as it is."""

    kind: Literal["sftp"]
    host: str
    port: int = Field(default=22, ge=1, le=65535)
    username: str
    password: SecretStr
    host_key: str = Field(min_length=16)
    root: Annotated[str, Field(pattern=r"^/")] = "/"
    zones: dict[str, Zone] = Field(default_factory=dict)
    settle: Duration = timedelta(seconds=1)
    patience: Duration = timedelta(minutes=15)
    max_file_mb: float = Field(default=128, gt=0)
    timeout: Duration = timedelta(seconds=30)


def _relative_pattern(value: str) -> str:
    if value.startswith("/") or any(part in ("", ".", "..") for part in value.split("/")):
        raise ValueError("leaves the root folder; allowed: a pattern below it, such as */945_*.x12")
    return value


class SftpStream(Stream):
    """Whole files whose path below the root matches `pattern` (`*` and `?` never match a slash)."""

    pattern: Annotated[str, BeforeValidator(_relative_pattern)]
    format: Literal["x12_945", "jsonl", "csv"]
    accept_test: bool = False


@dataclass(frozen=True)
class Kind:
    """A registered kind: its name in `read.kind`, and the two models."""

    name: str
    read: type[Read]
    stream: type[Stream]


KINDS: dict[str, Kind] = {}


def register_kind(name: str, read: type[Read], stream: type[Stream]) -> None:
    """Make `read: {kind: name}` valid. Registering a name twice is a programming error."""
    if name in KINDS:
        raise ValueError(f"kind {name!r} is registered already")
    KINDS[name] = Kind(name, read, stream)


register_kind("postgres", PostgresRead, PostgresStream)
register_kind("rest", RestRead, RestStream)
register_kind("sftp", SftpRead, SftpStream)
