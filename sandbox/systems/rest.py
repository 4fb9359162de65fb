"""The OMS and the carrier: REST lists with `updated_since`, cursor pages, a key and a rate limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.systems.documents import Documents, instant
from sandbox.systems.faults import Faults
from sandbox.systems.web import Moody, has_key, json_response, refusal

LARGEST_PAGE = 200


@dataclass(frozen=True)
class Dialect:
    """How one REST system speaks: where the list is, what it is called, and which header carries the key."""

    path: str
    records: str
    key: str
    header: str
    prefix: str
    requests_per_second: float


OMS = Dialect("/v1/orders", "orders", "number", "x-api-key", "", 100.0)
CARRIER = Dialect("/v1/trackers", "trackers", "tracking_number", "authorization", "Bearer ", 100.0)


def rest_app(
    dialect: Dialect,
    documents: Documents,
    faults: Faults,
    secret: str,
    clock: Callable[[], datetime | None] = lambda: None,
) -> Moody:
    """The system's app: GET <path>?updated_since=&cursor=&limit= and GET <path>/<key>.

    A list answers {records: [...], "next_cursor": text or null}, ordered by (updated_at, key); `updated_since` is
    inclusive. 401 without the key, 404 for an unknown document, 422 for a bad parameter, 429 with Retry-After over
    the rate. Its Date is that of `clock`, the world's, which its stamps are of too.
    """

    def date() -> dict[str, str]:
        return {"date": format_datetime((clock() or datetime.now(UTC)).astimezone(UTC), usegmt=True)}

    async def listing(request: Request) -> Response:
        if not has_key(request, dialect.header, dialect.prefix + secret):
            return refusal(401, f"the header {dialect.header} does not carry a valid key")
        since = request.query_params.get("updated_since")
        try:
            limit = int(request.query_params.get("limit", LARGEST_PAGE))
            if not 1 <= limit <= LARGEST_PAGE:
                raise ValueError(f"limit must be between 1 and {LARGEST_PAGE}")
            found, after = documents.page(instant(since) if since else None, request.query_params.get("cursor"), limit)
        except ValueError as error:
            return refusal(422, str(error))
        return json_response({dialect.records: found, "next_cursor": after}, headers=date())

    async def single(request: Request) -> Response:
        if not has_key(request, dialect.header, dialect.prefix + secret):
            return refusal(401, f"the header {dialect.header} does not carry a valid key")
        found = documents.get(request.path_params["key"])
        return refusal(404, "no such document") if found is None else json_response(found)

    app = Starlette(routes=[Route(dialect.path, listing), Route(dialect.path + "/{key}", single)])
    return Moody(app, faults, dialect.requests_per_second)
