"""A real HTTP server in a thread, told per test how to misbehave."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.config_kinds import RestRead, RestStream
from connectors.config_model import System

KEY = "canary-key-5d1f"
Answer = Callable[[Request], Response | None]


class Api:
    """Orders by (updated_at, number) in pages; `misbehave` answers first and returns None to let the API answer."""

    def __init__(self) -> None:
        self.orders: list[dict] = []
        self.requests: list[dict[str, str]] = []
        self.misbehave: list[Answer] = []
        self.url = ""

    async def list(self, request: Request) -> Response:
        self.requests.append(dict(request.query_params))
        if self.misbehave:
            answer = self.misbehave.pop(0)(request)
            if answer is not None:
                return answer
        if request.headers.get("x-api-key") != KEY:
            return Response(f"bad key {request.headers.get('x-api-key')}", 401)
        return self.page(request)

    def page(self, request: Request) -> Response:
        since, limit = request.query_params.get("updated_since", ""), int(request.query_params["limit"])
        found = sorted(
            (o for o in self.orders if o["updated_at"] >= since), key=lambda o: (o["updated_at"], o["number"])
        )
        cursor = request.query_params.get("cursor")
        if cursor:
            try:
                at, number = json.loads(cursor)
            except ValueError:
                return Response('{"detail": "unknown cursor"}', 422)
            found = [o for o in found if (o["updated_at"], o["number"]) > (at, number)]
        page = found[:limit]
        more = json.dumps([page[-1]["updated_at"], page[-1]["number"]]) if len(found) > limit else None
        return json_answer({"orders": page, "next_cursor": more})


def json_answer(body: object, status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(body), status, headers, "application/json")


def order(number: int, minute: int = 0, **more: object) -> dict:
    hour = number // 60
    stamp = f"2024-03-{1 + hour // 24:02d}T{hour % 24:02d}:{number % 60:02d}:{minute:02d}Z"
    return {"number": f"S-{number:06d}", "updated_at": stamp, "lines": [{"unit_price": "21.50"}], **more}


@pytest.fixture(scope="session")
def served() -> Iterator[Api]:
    api = Api()
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/v1/orders", api.list), Route("/moved", api.list)])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, date_header=False))
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    api.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    yield api
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def api(served: Api) -> Api:
    served.orders, served.requests, served.misbehave = [], [], []
    return served


@pytest.fixture
def read(api: Api) -> RestRead:
    return RestRead.model_validate(
        {
            "kind": "rest",
            "base_url": api.url,
            "auth": {"header": "X-Api-Key", "value": KEY},
            "budget": {"requests_per_second": 5000, "burst": 100},
            "timeout": "2s",
            "attempts": 3,
        }
    )


@pytest.fixture
def stream() -> RestStream:
    return RestStream.model_validate(
        {
            "name": "orders",
            "path": "/v1/orders",
            "records": "orders",
            "key": ["number"],
            "cursor": {"param": "updated_since", "field": "updated_at"},
            "next_cursor": "next_cursor",
            "page_size": 10,
            "overlap": "1m",
            "document": "order",
        }
    )


@pytest.fixture
def oms(read: RestRead, stream: RestStream) -> System:
    return System(system="oms", role="oms", read=read, streams=(stream,))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"
