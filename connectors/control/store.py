"""Opening the control store to write: SQLite in WAL mode with full sync, or Postgres by URL. To look: `reading`."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError

from connectors.config_transport import protected_url
from connectors.control.faults import damaged, missing, told
from connectors.control.keeping import ANCHOR_FILE, Head, Keeping
from connectors.control.tables import metadata, transition
from connectors.model import ConnectorError, PermanentError

WAIT_S = 30.0
"""How long a writer waits for another one."""
HEAD, KEEPING = "ledger_head", "ledger_keeping"


@dataclass(frozen=True)
class Control:
    """The control store. Every method of the ledger and the mirror goes through `transaction()`."""

    engine: Engine
    where: str
    keeping: Keeping
    copied: "TemporaryDirectory[str] | None" = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One durable transaction: committed at the end, rolled back on any error. Never held across a network call.

        What the ledger appended in it is anchored after the commit. An anchor that cannot be written then is left
        behind, which is no fault: whoever decides next writes it first. Raises TransientError or PermanentError with
        the way out when the database is locked, full, damaged or cannot be reached.
        """
        head: Head | None = None
        try:
            with self.engine.begin() as connection:
                connection.info.pop(HEAD, None)
                yield connection
                head = connection.info.pop(HEAD, None)
        except DBAPIError as error:
            raise told(error, self.where) from error
        if head is not None:
            with suppress(ConnectorError):
                self.keeping.write(head)

    def check_pages(self) -> None:
        """Reads the structure of a SQLite file; raises PermanentError where it is damaged."""
        if self.engine.dialect.name == "sqlite":
            with self.transaction() as connection:
                said = connection.exec_driver_sql("pragma quick_check(1)").scalar()
            if said != "ok":
                raise damaged(self.where, str(said).splitlines()[0])

    def close(self) -> None:
        self.engine.dispose()
        if self.copied is not None:
            self.copied.cleanup()


def open_control(where: str | Path, *, keeping: Keeping | None = None, anew: bool = False) -> Control:
    """`where` is a SQLAlchemy URL or the path of a SQLite file, created with its folder when neither it nor anything
    else of a home is there yet; `anew` creates it in a home that was used too.

    SQLite runs in WAL mode with synchronous = FULL: a SENT that a power cut forgets would be sent again. A second
    writer waits up to `WAIT_S`. `keeping` has the ledger's key and anchors, for a SQLite file those beside it. Raises
    TransientError, or PermanentError for a store that is damaged or missing from a home that was used, and for a
    Postgres elsewhere that would not be verified.
    """
    text_form = str(where)
    folder = None if "://" in text_form else Path(where).expanduser().parent
    keeping = keeping or Keeping(folder)
    options: dict[str, Any] = {"execution_options": {KEEPING: keeping}}
    may_begin = anew
    if folder is None:
        try:
            engine = create_engine(protected_url(text_form), pool_pre_ping=True, **options)
        except ValueError as error:
            raise PermanentError(
                f"The control store's URL {error}.", "CROSSDOCK_CONTROL_INSECURE=true says that it is meant."
            ) from None
        name, may_begin = engine.url.render_as_string(hide_password=True), True
    else:
        path = Path(where).expanduser()
        name, may_begin = str(path), anew or not was_used(folder)
        if not may_begin and not path.exists():
            raise missing(name)
        folder.mkdir(parents=True, exist_ok=True)
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": WAIT_S}, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
        event.listen(engine, "begin", _take_write_lock)
    try:
        with engine.begin() as connection:
            there = inspect(connection)
            if not may_begin and not there.get_table_names():
                raise missing(name)
            metadata.create_all(connection)
            if "body" not in {column["name"] for column in there.get_columns(transition.name)}:
                connection.exec_driver_sql("alter table transition add column body text")
    except DBAPIError as error:
        engine.dispose()
        raise told(error, name) from error
    except ConnectorError:
        engine.dispose()
        raise
    return Control(engine, name, keeping)


def was_used(home: Path) -> bool:
    """Whether something landed, was published or was written in a home: then it had a control store."""
    published = home / "published"
    traces = (home / "landing").glob("*.duckdb"), published.glob("v[0-9]*")
    return (home / ANCHOR_FILE).exists() or (published / "current").is_symlink() or any(map(any, traces))


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
