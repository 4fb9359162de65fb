"""The UI as a browser or a program asks it: raw requests, whatever the headers."""

import http.client
import json
from typing import Any

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

READ = "{ version }"
MUTATION = 'mutation { setConcurrencyLimit(concurrencyKey: "foreign", limit: 1) }'
JSON = {"Content-Type": "application/json"}


def ask(place: str, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPResponse:
    """One request; header names with `_` for `-`. The answer's body is in `.text`."""
    connection = http.client.HTTPConnection(place, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, path, skip_host="Host" in named)
    for name, value in named.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode() if body is not None else None)
    answer = connection.getresponse()
    answer.text = answer.read().decode(errors="replace")  # type: ignore[attr-defined]
    connection.close()
    return answer


def query(place: str, text: str, **headers: str) -> http.client.HTTPResponse:
    """GraphQL as the UI's own pages ask it."""
    return ask(place, "POST", "/graphql", json.dumps({"query": text}), Content_Type="application/json", **headers)


def greeted(place: str, *, origin: str | None = None, **headers: str) -> int | str:
    """Opens the UI's websocket: what the first message is answered with, or the status of the refusal."""
    try:
        with connect(
            f"ws://{place}/graphql",
            origin=origin,  # type: ignore[arg-type]
            subprotocols=["graphql-ws"],  # type: ignore[list-item]
            additional_headers=headers,
            proxy=None,
        ) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            said: Any = json.loads(socket.recv(30))
            return str(said["type"])
    except InvalidStatus as refused:
        return refused.response.status_code
