"""ASGI middleware in front of the UI: foreign hosts and origins, effects by GET and callers without the token stay out.

A page on another site must not act through a person's browser. A name that was made to point at this machine (DNS
rebinding) shows in Host; a foreign page shows in Origin or Sec-Fetch-Site; an image or a link can only GET; a form
cannot send JSON.
"""

import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestration.ui.access import Access

log = logging.getLogger(__name__)
GRAPHQL = "/graphql"
GRAPHQL_TYPES = ("application/json", "application/graphql")


class Refusal(PlainTextResponse):
    """Why a request was not passed on."""

    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(why + "\n", status, {name.replace("_", "-"): value for name, value in headers.items()})
        self.why = why


class Guard:
    """Passes on what may come in. 421 foreign Host, 403 foreign page, 405 and 415 another way than the UI's own, 401
    without the token (when there is one)."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        proof = self._access.proves(headers.get("authorization", ""), headers.get("cookie", ""))
        refused = self._foreign(headers, scope) or _another_way(headers, scope)
        if refused is None and self._access.token is not None and proof is None:
            refused = Refusal(401, "the token is missing or wrong", www_authenticate='Basic realm="Crossdock"')
        if refused is None:
            fresh = self._access.token is not None and proof == "basic"
            await self._app(scope, receive, self._marked(send, headers["host"], fresh))
            return
        log.warning("refused: %s", refused.why)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refused.why})
        else:
            await refused(scope, receive, send)

    def _foreign(self, headers: Headers, scope: Scope) -> Refusal | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._access.knows_host(hosts[0]):
            return Refusal(421, "this UI is not at that host; CROSSDOCK_UI_URL names its addresses")
        if len(origins) > 1 or any(not self._access.knows_origin(origin, hosts[0]) for origin in origins):
            return Refusal(403, "that page is not of this UI; CROSSDOCK_UI_URL names its addresses")
        if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            return None
        followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if followed and scope["type"] == "http" and scope["method"] == "GET":
            return None  # a person followed a link
        return Refusal(403, "another site asked for this")

    def _marked(self, send: Send, host: str, fresh: bool) -> Send:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-frame-options"] = "DENY"
                headers["cross-origin-resource-policy"] = "same-origin"
                if fresh:  # for what a browser asks without the password: a websocket
                    headers.append("set-cookie", self._access.new_cookie(secure=self._access.is_secure(host)))
            await send(message)

        return marked


def _another_way(headers: Headers, scope: Scope) -> Refusal | None:
    """Effects come by POST and, in GraphQL, as JSON alone: nothing that a page elsewhere can send by itself."""
    if scope["type"] == "websocket":
        return None
    method = scope["method"]
    if method not in ("GET", "HEAD", "POST"):
        return Refusal(405, "allowed: GET, HEAD, POST", allow="GET, HEAD, POST")
    if not scope["path"].rstrip("/").endswith(GRAPHQL):
        return None
    if method == "POST":
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        return None if kind in GRAPHQL_TYPES else Refusal(415, f"allowed: {', '.join(GRAPHQL_TYPES)}")
    if scope["query_string"] or "text/html" not in headers.get("accept", ""):
        return Refusal(405, "GraphQL is asked by POST", allow="POST")
    return None
