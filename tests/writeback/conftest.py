"""A target with ETags over real HTTP, and a landing file that shows what change-data-capture saw of it."""

import asyncio
import importlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.config_model import Write
from connectors.control import Control, open_control
from connectors.control.store import utc_now
from connectors.writeback.mapping import Mapping, load_mapping
from orchestration.settings import Settings
from tests.writeback import steps

CLOCKED = ("approve", "chain", "close", "correct", "ledger", "look", "plan", "resolve", "sending", "target", "apply")
COLUMNS = "stock_item_id integer, unit_price decimal(18,2), stock_item_name varchar, lead_time_days integer, " \
    "barcode varchar, quantity_per_outer integer, row_version bigint"  # fmt: skip


@dataclass
class Erp:
    """One item, 142. Each PATCH takes one of `behave`: ok, throttle, unavailable, die_before, die_after; gone_before,
    gone_after (whoever asked is gone before it takes effect, or before the answer); or a status that it answers with
    after taking effect (`effect_401`) or without (`refuse_401`). `on_get` and `on_patch` answer in its place."""

    price: str = "20.00"
    version: int = 7
    behave: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    requests: int = 0
    readable: bool = True
    headers: dict = field(default_factory=dict)
    on_get: Callable[[Request], Response] | None = None
    on_patch: Callable[[Request], Response] | None = None
    url: str = ""

    def edit(self, price: str) -> None:
        """A person changes the price in the ERP itself."""
        self.price, self.version = price, self.version + 1

    def row(self) -> dict:
        return {"stock_item_id": 142, "unit_price": self.price, "stock_item_name": "mug", "lead_time_days": 7,
                "barcode": None, "quantity_per_outer": 1, "row_version": self.version}  # fmt: skip

    def answer(self) -> Response:
        return JSONResponse(self.row(), headers={"ETag": f'"{self.version}"'})

    async def get(self, request: Request) -> Response:
        if self.on_get is not None:
            return self.on_get(request)
        if not self.readable:
            return JSONResponse({}, 503)
        if request.path_params["key"] != "142":
            return JSONResponse({"error": "no such item"}, 404)
        return self.answer()

    async def patch(self, request: Request) -> Response:
        self.requests += 1
        self.headers = dict(request.headers)
        if self.on_patch is not None:
            return self.on_patch(request)
        behave = self.behave.pop(0) if self.behave else "ok"
        if behave == "throttle":
            return JSONResponse({}, 429, headers={"Retry-After": "0"})
        if behave == "unavailable":
            return JSONResponse({}, 503)
        if behave.startswith("refuse_"):
            return JSONResponse({}, int(behave.removeprefix("refuse_")))
        if behave == "gone_before":
            await _is_gone(request)
        if behave == "die_before":
            return JSONResponse({}, 500)
        match = request.headers.get("if-match", "").strip('"')
        if not match:
            return JSONResponse({}, 428)
        if match != str(self.version):
            return JSONResponse({}, 412, headers={"ETag": f'"{self.version}"'})
        body = await request.json()
        self.edit(str(body["unit_price"]))
        self.applied.append(self.price)
        if behave.startswith("effect_"):
            return JSONResponse({}, int(behave.removeprefix("effect_")), headers={"Retry-After": "0"})
        if behave == "gone_after":
            await _is_gone(request)
        return JSONResponse({}, 500) if behave == "die_after" else self.answer()


async def _is_gone(request: Request) -> None:
    await request.body()
    while not await request.is_disconnected():
        await asyncio.sleep(0.02)


@pytest.fixture
def erp() -> Iterator[Erp]:
    erp = Erp()
    app = Starlette(
        routes=[
            Route("/v1/items/{key}", erp.get, methods=["GET"]),
            Route("/v1/items/{key}", erp.patch, methods=["PATCH"]),
        ]
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    erp.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    yield erp
    server.should_exit = True
    thread.join(5)


@dataclass
class Landed:
    """The landing file of `erp`; `see` does what change-data-capture does after a commit in the ERP."""

    path: Path
    erp: Erp

    def see(self) -> None:
        row = self.erp.row()
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("create schema if not exists raw_erp")
            for name in ("warehouse_stock_items", "warehouse_stock_items__log"):
                connection.execute(f"create table if not exists raw_erp.{name} (_op varchar, {COLUMNS})")
            connection.execute("delete from raw_erp.warehouse_stock_items")
            for name in ("warehouse_stock_items", "warehouse_stock_items__log"):
                connection.execute(f"insert into raw_erp.{name} values ('u', ?, ?, ?, ?, ?, ?, ?)", list(row.values()))

    def run(self, sql: str) -> None:
        """Does `sql` to the stream and its log, each as `{}`."""
        with duckdb.connect(str(self.path)) as connection:
            for name in ("warehouse_stock_items", "warehouse_stock_items__log"):
                connection.execute(sql.format(f"raw_erp.{name}"))


@pytest.fixture
def landed(tmp_path: Path, erp: Erp) -> Landed:
    landed = Landed(tmp_path / "landing" / "erp.duckdb", erp)
    landed.path.parent.mkdir()
    landed.see()
    return landed


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_control(tmp_path / "control.sqlite")
    yield control
    control.close()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Moves the clock of every step, from what it really is, by a time such as `hours=1`; nothing given: back."""

    def move(**by: float) -> None:
        for name in CLOCKED:
            module = importlib.import_module(f"connectors.writeback.{name}")
            monkeypatch.setattr(module, "utc_now", lambda: utc_now() + timedelta(**by))

    return move


@pytest.fixture
def mapping() -> Mapping:
    return load_mapping()


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, systems=tmp_path)


@pytest.fixture
def system(erp):
    write = Write.model_validate(
        {"kind": "http", "base_url": erp.url, "token": "token", "timeout": "2s", "entities": ["item"]}
    )
    return SimpleNamespace(system="erp", write=write)


@pytest.fixture
def approved(control, landed) -> str:
    steps.correct(control, landed.path, "21.50")
    return steps.approved_plan(control, landed.path)
