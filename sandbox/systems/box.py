"""Everything one world needs to be told: the database, the HTTP systems and the drop, started, filled and stopped
together."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncssh
import psycopg

from sandbox.systems import rest
from sandbox.systems.documents import Documents
from sandbox.systems.erp import filling
from sandbox.systems.erp.api import erp_api
from sandbox.systems.erp.database import READER, ErpDatabase
from sandbox.systems.erp.state import State, read_state
from sandbox.systems.faults import SYSTEMS, Faults
from sandbox.systems.held import Held
from sandbox.systems.postgres import PostgresServer
from sandbox.systems.sftp import USER, Outbox, host_key, serve_sftp, stop_sftp
from sandbox.systems.web import Servers


class Box:
    """The systems of one sandbox. `start`, then `fill` once, then `step` as often as the world moves; `stop` ends all.

    `identity` names the world and its settings; a database that tells of another world is refused with ValueError.
    `now` is what the systems have told up to: it moves only after a step is visible everywhere.
    """

    def __init__(self, folder: Path, identity: dict[str, Any], erp_zone: str, *, only_erp: bool = False) -> None:
        self.folder = folder
        self.identity = identity
        self.zone = ZoneInfo(erp_zone)
        self.only_erp = only_erp
        self.faults = {name: Faults(seed=number) for number, name in enumerate(SYSTEMS)}
        self.now: datetime | None = None
        self.database = ErpDatabase(PostgresServer(folder / "erp"))
        self.orders = Documents(rest.OMS.key, self.faults["oms"])
        self.trackers = Documents(rest.CARRIER.key, self.faults["carrier"])
        self.outbox = Outbox(folder / "wms", self.faults["wms"])
        self.servers = Servers()
        self.env: dict[str, str] = {}
        self._rows_held: Held[Any] = Held(self.faults["erp"])
        self._drop: asyncssh.SSHAcceptor | None = None
        self._dropped_at = time.monotonic()

    def start(self) -> State | None:
        """Start every server; returns the state of a database filled earlier, None for an empty one."""
        self.database.server.start()
        self.database.create()
        state = read_state(self.database)
        if state is not None and state.world != self.identity:
            raise ValueError(f"{self.folder} holds another world, {state.world}: choose another home or remove it")
        token = secrets.token_urlsafe(24)
        self.env = {
            "ERP_DSN": self.database.reader_dsn,
            "ERP_API": self.servers.serve(erp_api(self.database, self.faults["erp"], token, self.local_now)),
            "ERP_API_TOKEN": token,
        }
        if not self.only_erp:
            self._start_others()
        return state

    def _start_others(self) -> None:
        oms, wms, carrier = (secrets.token_urlsafe(24) for _ in range(3))
        key = host_key(self.folder)

        def clock() -> datetime | None:
            return self.now

        self._drop = self.servers.call(serve_sftp(self.outbox, self.faults["wms"], key, wms))
        self.env |= {
            "OMS_URL": self.servers.serve(rest.rest_app(rest.OMS, self.orders, self.faults["oms"], oms, clock)),
            "OMS_API_KEY": oms,
            "WMS_SFTP_HOST": "127.0.0.1",
            "WMS_SFTP_PORT": str(self._drop.get_port()),
            "WMS_SFTP_USER": USER,
            "WMS_SFTP_PASSWORD": wms,
            "WMS_SFTP_HOST_KEY": key.export_public_key().decode().strip(),
            "CARRIER_URL": self.servers.serve(
                rest.rest_app(rest.CARRIER, self.trackers, self.faults["carrier"], carrier, clock)
            ),
            "CARRIER_TOKEN": carrier,
        }

    def local_now(self) -> datetime:
        """The ERP's clock: naive local time."""
        assert self.now is not None
        return self.now.astimezone(self.zone).replace(tzinfo=None)

    def fill_documents(self, emission: Any, now: datetime) -> None:
        """Take in history for the systems that keep it in memory or in a folder; no faults apply."""
        self.orders.add(emission.oms, now, bulk=True)
        self.trackers.add(emission.carrier, now, bulk=True)
        self.outbox.add(emission.wms, now, bulk=True)
        self.now = now

    def step(self, emission: Any, now: datetime) -> None:
        """Tell what happened up to `now` in all systems, as the knobs have it; visible when this returns."""
        rows = self._writers([each for each in emission.erp if not self._rows_held.hold(self._key(each), each, now)])
        filling.apply(self.database, rows, self._state(now))
        self.orders.add(emission.oms, now)
        self.trackers.add(emission.carrier, now)
        self.outbox.add(emission.wms, now)
        self.now = now
        self.tick()

    def tick(self) -> None:
        """Tell what was held back and is due; let the database drop readers or go down if a knob says so."""
        if self.now is None:
            return
        if due := self._rows_held.due(self.now):
            filling.apply(self.database, due, self._state(self.now))
        for system in (self.orders, self.trackers, self.outbox):
            system.release(self.now)  # type: ignore[attr-defined]
        knobs = self.faults["erp"].knobs
        if knobs.drop_next > 0 and time.monotonic() - self._dropped_at > knobs.drop_every_seconds:
            self._dropped_at = time.monotonic()
            knobs.drop_next -= 1
            with psycopg.connect(self.database.server.superuser_dsn()) as connection:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [READER]
                )
        if knobs.down_seconds > 0:
            down, knobs.down_seconds = knobs.down_seconds, 0.0
            self.database.server.stop()
            time.sleep(down)
            self.database.server.start()

    def _state(self, now: datetime) -> State | None:
        """What the database may remember: no moment whose rows are partly held back, or a restart would lose them."""
        return None if len(self._rows_held) else State(self.identity, now)

    @property
    def waiting(self) -> dict[str, int]:
        """How many changes each system still holds back."""
        return {
            "erp": len(self._rows_held),
            "oms": self.orders.waiting,
            "wms": self.outbox.waiting,
            "carrier": self.trackers.waiting,
        }

    def stop(self) -> None:
        """Stop everything this object started."""
        with contextlib.suppress(Exception):
            if self._drop is not None:
                self.servers.call(stop_sftp(self._drop))
        self.servers.stop()
        self.database.server.stop()

    def _key(self, change: Any) -> tuple[str, Any]:
        return change.table, change.row[self.database.tables[change.table].key]

    def _writers(self, changes: list[Any]) -> list[Any]:
        """The changes as several writers would commit them: by table when out of order, some rows written twice."""
        faults = self.faults["erp"]
        tables: dict[str, list[Any]] = {}
        for change in changes:
            tables.setdefault(change.table, []).append(change)
        shuffled = faults.shuffled(list(tables))
        ordered = changes if shuffled == list(tables) else [each for table in shuffled for each in tables[table]]
        return list(_twice(ordered, lambda: faults.hits(faults.knobs.duplicate_rate)))


def _twice(changes: Iterable[Any], is_hit: Callable[[], bool]) -> Iterable[Any]:
    for change in changes:
        yield change
        if "row_version" not in change.row and is_hit():
            yield change
