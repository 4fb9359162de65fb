"""The sandbox's own little API: what time it is in the world, let time pass, turn the fault knobs, what is still held
back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.systems.box import Box
from sandbox.systems.web import json_response, refusal


def zulu(moment: datetime) -> str:
    """An aware instant as 2016-06-02T07:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def control_app(box: Box, advance: Callable[[float], datetime]) -> Starlette:
    """GET /now, GET /healthz, POST /advance {"days": 1}, POST /faults {"oms": {"error_rate": 0.1}, "erp": null}.

    `advance` lets that many days pass and returns when all is visible. 422 for a bad body, 500 with the reason when the
    world fails.
    """

    async def now(_: Request) -> Response:
        return refusal(503, "still loading") if box.now is None else json_response({"now": zulu(box.now)})

    async def health(_: Request) -> Response:
        return json_response({"status": "ok" if box.now else "loading", "waiting": box.waiting})

    async def pass_time(request: Request) -> Response:
        try:
            days = (await request.json())["days"]
            if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 3660:
                raise ValueError
        except (ValueError, KeyError, TypeError):
            return refusal(422, 'the body must be like {"days": 1}')
        try:
            return json_response({"now": zulu(await run_in_threadpool(advance, days))})
        except Exception as error:
            return refusal(500, f"{type(error).__name__}: {error}")

    async def faults(request: Request) -> Response:
        try:
            wanted = await request.json()
            for system, knobs in wanted.items():
                if system not in box.faults:
                    raise ValueError(f"unknown system {system}; systems are {', '.join(box.faults)}")
                box.faults[system].set(knobs)
        except (ValueError, AttributeError) as error:
            return refusal(422, str(error))
        return json_response({system: each.knobs for system, each in box.faults.items()})

    return Starlette(
        routes=[
            Route("/now", now),
            Route("/healthz", health),
            Route("/advance", pass_time, methods=["POST"]),
            Route("/faults", faults, methods=["POST"]),
        ]
    )
