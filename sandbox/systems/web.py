"""What the HTTP systems share: faults and a rate limit around an app, keys, errors, and servers in a thread."""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
import uvicorn
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.systems.faults import Faults

Result = TypeVar("Result")


def json_response(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer; decimals as strings, so that no cent is lost in a float."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def refusal(status: int, reason: str, headers: dict[str, str] | None = None, **more: object) -> Response:
    """An error answer: {"error": reason, ...}."""
    return json_response({"error": reason, **more}, status, headers)


def has_key(request: Request, header: str, wanted: str) -> bool:
    """Whether the request carries the key, compared in constant time."""
    return secrets.compare_digest(request.headers.get(header, "").encode(), wanted.encode())


class Moody:
    """ASGI middleware: the rate limit (429 with Retry-After), then the knobs slow, error and truncate."""

    def __init__(self, app: ASGIApp, faults: Faults, requests_per_second: float) -> None:
        self._app = app
        self._faults = faults
        self._rate = requests_per_second
        self._tokens = math.inf
        self._filled = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wait = self._wait_for_token()
        if wait > 0:
            answer = refusal(429, "too many requests", {"retry-after": str(math.ceil(wait))})
            await answer(scope, receive, send)
            return
        await asyncio.sleep(self._faults.delay())
        failure = self._faults.failure()
        if failure == "error":
            await refusal(secrets.choice((500, 502, 503)), "try again later")(scope, receive, send)
        elif failure == "truncate" and scope["method"] == "GET":
            await self._app(scope, receive, _halving(send))
        else:
            await self._app(scope, receive, send)

    def _wait_for_token(self) -> float:
        """0 when the request may pass, else the seconds until the next one may; a burst of two seconds is allowed."""
        rate = self._faults.knobs.requests_per_second or self._rate
        now = time.monotonic()
        self._tokens = min(rate * 2, self._tokens + (now - self._filled) * rate)
        self._filled = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / rate


def _halving(send: Send) -> Send:
    """Pass on the header, with its full length, and half the body: the connection then breaks off."""

    async def half(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2]}
        await send(message)

    return half


LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class OwnMachineOnly:
    """ASGI middleware: these systems have no pages, so a request that a page made, or that was led here by another
    name (DNS rebinding), is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or re.sub(r":\d+$", "", hosts[0].lower()) not in LOOPBACK:
            await refusal(421, "this system is not at that host")(scope, receive, send)
        elif "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
            await refusal(403, "pages do not use this system")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Servers:
    """One thread with one event loop that carries every server of the sandbox except the database."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="sandbox-servers", daemon=True)
        self._running: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, Result], timeout: float = 30.0) -> Result:
        """Run a coroutine on the servers' loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def every(self, seconds: float, work: Callable[[], object]) -> None:
        """Call `work` on the loop at this interval until the servers stop."""

        def again() -> None:
            work()
            self.loop.call_later(seconds, again)

        self.loop.call_soon_threadsafe(again)

    def serve(self, app: ASGIApp) -> str:
        """Serve the app on a free loopback port; returns its base URL once it answers."""
        return self.call(self._serve(app))

    async def _serve(self, app: ASGIApp) -> str:
        guarded = OwnMachineOnly(app)
        config = uvicorn.Config(
            guarded,
            host="127.0.0.1",
            port=0,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            date_header=False,  # a system's clock is its world's
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            if task.done():
                raise RuntimeError(f"a sandbox server did not start: {task.exception()}")
            await asyncio.sleep(0.01)
        self._running.append((server, task))
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Stop all servers and the thread; open connections are closed, not waited for."""
        for server, _ in self._running:
            server.force_exit = server.should_exit = True
        for _, task in self._running:
            asyncio.run_coroutine_threadsafe(_ended(task), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)


async def _ended(task: asyncio.Task[None]) -> None:
    await asyncio.wait([task], timeout=5)
