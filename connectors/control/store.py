"""Opening the control store: SQLite in WAL mode with full sync, or Postgres by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from connectors.config_transport import protected_url
from connectors.control.tables import metadata
from connectors.model import PermanentError


@dataclass(frozen=True)
class Control:
    """The control store. Every method of the ledger and the mirror goes through `transaction()`."""

    engine: Engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One durable transaction: committed at the end, rolled back on any error. Never held across a network call."""
        with self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_control(where: str | Path) -> Control:
    """`where` is a SQLAlchemy URL or the path of a SQLite file, created with its folder when it is not there.

    SQLite runs in WAL mode with synchronous = FULL: a SENT that a power cut forgets would be sent again. A second
    writer waits up to 30 s. Raises PermanentError for a Postgres elsewhere that would not be verified.
    """
    text_form = str(where)
    if "://" in text_form:
        try:
            engine = create_engine(protected_url(text_form), pool_pre_ping=True)
        except ValueError as error:
            raise PermanentError(
                f"The control store's URL {error}.", "CROSSDOCK_CONTROL_INSECURE=true says that it is meant."
            ) from None
    else:
        path = Path(where).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
        event.listen(engine, "begin", _take_write_lock)
    metadata.create_all(engine)
    return Control(engine)


def _durable(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy begins; the driver must not begin by itself
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on"):
        connection.execute(f"pragma {pragma}")


def _take_write_lock(connection: Connection) -> None:
    # immediate, or two readers that both turn writers would deadlock instead of waiting
    connection.exec_driver_sql("begin immediate")


def utc_now() -> datetime:
    """The wall's clock as naive UTC, as every instant is stored."""
    return datetime.now(UTC).replace(tzinfo=None)
