"""The ERP's HTTP API for master data: GET and PATCH /v1/{items|customers|suppliers}/{id}, guarded by row versions."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.systems.erp.database import ErpDatabase
from sandbox.systems.erp.masters import MASTERS, Master
from sandbox.systems.faults import Faults
from sandbox.systems.web import Moody, has_key, json_response, refusal

REQUESTS_PER_SECOND = 50.0
LARGEST_KEY = 2**31 - 1
Row = dict[str, Any]


def erp_api(database: ErpDatabase, faults: Faults, token: str, local_now: Callable[[], datetime]) -> Moody:
    """The API. `local_now` is the ERP's own clock, naive local time, for last_edited_when.

    200 with the row and its ETag; 401 wrong token; 404 unknown; 412 stale If-Match (answers the current ETag); 422
    unknown field or bad value; 428 without If-Match or with `*`; 429 with Retry-After; 503 while the database is
    down.
    """

    async def endpoint(request: Request) -> Response:
        if not has_key(request, "authorization", f"Bearer {token}"):
            return refusal(401, "the bearer token is not valid")
        master = MASTERS.get(request.path_params["kind"])
        key = request.path_params["key"]
        if master is None or not key.isascii() or not key.isdigit() or int(key) > LARGEST_KEY:
            return refusal(404, "no such record")
        try:
            if request.method == "GET":
                row = await run_in_threadpool(_read, database, master, int(key))
                return refusal(404, "no such record") if row is None else _answer(row)
            return await change(request, master, int(key))
        except psycopg.OperationalError:
            return refusal(503, "the database does not answer", {"retry-after": "1"})

    async def change(request: Request, master: Master, key: int) -> Response:
        expected = request.headers.get("if-match", "").strip()
        if expected in ("", "*"):
            return refusal(428, "say which version you mean: If-Match with the ETag you read")
        try:
            body = json.loads(await request.body(), parse_float=Decimal)
        except ValueError:
            return refusal(422, "the body is not JSON")
        values, refused = master.checked(body)
        if refused:
            return refusal(422, "some fields were refused", fields=refused)
        versions = [int(found) for found in re.findall(r'(?<!W/)"(\d{1,18})"', expected)]
        row = await run_in_threadpool(_write, database, master, key, values, versions, local_now())
        if row is None:
            current = await run_in_threadpool(_read, database, master, key)
            if current is None:
                return refusal(404, "no such record")
            return refusal(412, "the record has changed since", _etag(current))
        if faults.take_timeout():
            await asyncio.sleep(faults.knobs.hang_seconds)
            return refusal(504, "no answer in time")
        return _answer(row)

    app = Starlette(routes=[Route("/v1/{kind}/{key}", endpoint, methods=["GET", "PATCH"])])
    return Moody(app, faults, REQUESTS_PER_SECOND)


def _answer(row: Row) -> Response:
    return json_response(row, headers=_etag(row))


def _etag(row: Row) -> dict[str, str]:
    return {"etag": f'"{row["row_version"]}"'}


def _read(database: ErpDatabase, master: Master, key: int) -> Row | None:
    table = database.tables[master.table]
    query = sql.SQL("select * from {} where {} = %s").format(table.identifier, sql.Identifier(master.key))
    with psycopg.connect(database.owner_dsn, row_factory=dict_row) as connection:
        return connection.execute(query, [key]).fetchone()


def _write(
    database: ErpDatabase, master: Master, key: int, values: Row, versions: list[int], local_now: datetime
) -> Row | None:
    """One UPDATE, if the row still has one of the versions; None when it has not, or is not there."""
    table = database.tables[master.table]
    assignments = [sql.SQL("{} = %s").format(sql.Identifier(field)) for field in values]
    statement = sql.SQL(
        "update {} set {}, row_version = row_version + 1, last_edited_when = %s"
        " where {} = %s and row_version = any(%s) returning *"
    ).format(table.identifier, sql.SQL(", ").join(assignments), sql.Identifier(master.key))
    with psycopg.connect(database.owner_dsn, row_factory=dict_row) as connection:
        row = connection.execute(statement, [*values.values(), local_now, key, versions]).fetchone()
        if row is not None:
            connection.cursor().executemany(
                "insert into erp_api.written values (%s, %s, %s) on conflict do nothing",
                [(master.table, key, field) for field in values],
            )
        return row
