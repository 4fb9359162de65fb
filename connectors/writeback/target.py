"""The HTTP API of a target that offers ETag and If-Match (guarantee A)."""

import collections.abc
import json
import math
import ssl
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import quote

import httpx2

from connectors.control.store import utc_now
from connectors.deadlines import Deadline, transport
from connectors.shape import json_fault
from connectors.writeback.canonical import printable
from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.mapping import Mapping

MOST_BYTES = 1 << 20
LONGEST_ETAG = 1000
UNMADE = (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol)
TOO_MUCH, NO_JSON = object(), object()


@dataclass(frozen=True)
class Answer:
    """What the target said to one request. `kind` of a write is acked or in_doubt, of a read also rejected (absent)."""

    kind: str
    status: int | None = None
    version: str | None = None
    values: dict[str, Any] | None = None
    detail: str = ""
    retry_after_s: float = 0.0


class Target(Protocol):
    """What apply needs of a target: a conditional write, and a read that settles doubt."""

    timeout_s: float

    def patch(self, entity: str, key: str, fields: dict[str, Any], version: str) -> Answer: ...

    def read(self, entity: str, key: str) -> Answer: ...


class HttpTarget:
    """One target over HTTP. `headers` authenticate and are shown nowhere; redirects are not followed; `verify` as
    `HttpTls.verification` has it."""

    def __init__(
        self,
        base_url: str,
        headers: collections.abc.Mapping[str, str],
        mapping: Mapping,
        timeout_s: float = 10.0,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self.timeout_s = timeout_s
        self._mapping = mapping
        self._deadline = Deadline(timeout_s, base_url)  # of the whole answer: so long a write may be under way
        self._client = httpx2.Client(
            base_url=base_url,
            transport=transport(self._deadline, verify),
            # identity: some servers give the ETag of a packed answer a suffix, which the log never shows
            headers={"Accept-Encoding": "identity", **headers},
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def patch(self, entity: str, key: str, fields: dict[str, Any], version: str) -> Answer:
        """Write `fields` if the record still has `version`: acked on success with a version, else in_doubt.

        Raises TargetUnavailable when nothing can have left, Refused when the request cannot even be made.
        """
        try:
            headers = {"If-Match": f'"{version}"'}
            answer, body = self._ask("PATCH", self._path(entity, key), json=fields, headers=headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise TargetUnavailable(f"the target does not accept connections ({type(error).__name__})") from error
        except UNMADE as error:
            raise _unmade(error) from None
        except Exception as error:  # whatever it was, the request may have left
            return Answer("in_doubt", detail=type(error).__name__)
        record = self._record(entity, body)
        said = answer.status_code in (200, 204) and (record is not None or not body)  # {} says as little as no body
        return _answer("acked" if said else "in_doubt", answer, record, body)

    def read(self, entity: str, key: str) -> Answer:
        """Read the record; kind `acked` with its values and version, `rejected` when absent, else `in_doubt`.

        Raises Refused when the request cannot even be made.
        """
        try:
            answer, body = self._ask("GET", self._path(entity, key))
        except UNMADE as error:
            raise _unmade(error) from None
        except Exception as error:  # also a redirect to what is no address: it tells nothing of the record
            return Answer("in_doubt", detail=type(error).__name__)
        record = self._record(entity, body)
        kind = {200: "acked", 404: "rejected", 410: "rejected"}.get(answer.status_code, "in_doubt")
        return _answer("in_doubt" if kind == "acked" and record is None else kind, answer, record, body)

    def _ask(self, method: str, path: str, **more: Any) -> tuple[httpx2.Response, Any]:
        """The answer and its body, read within MOST_BYTES and the deadline."""
        self._deadline.begin()
        with self._client.stream(method, path, **more) as answer:
            return answer, _body(answer)

    def _record(self, entity: str, body: Any) -> dict[str, Any] | None:
        """The body as a record of the entity; None when it is something else, such as a page that says to wait."""
        fields = self._mapping.entity(entity).fields
        return body if isinstance(body, dict) and not fields.keys().isdisjoint(body) else None

    def _path(self, entity: str, key: str) -> str:
        return self._mapping.entity(entity).path.format(key=quote(key, safe=""))


def _unmade(error: Exception) -> Refused:
    return Refused(
        f"the request cannot be made ({type(error).__name__}); see `write` in the system file: its base_url, "
        "and a token or header without control characters"
    )


def _body(answer: httpx2.Response) -> Any:
    """What the body says as JSON, or None when it is empty, NO_JSON, or TOO_MUCH for the memory or the stack."""
    found = bytearray()
    for chunk in answer.iter_bytes():
        found += chunk
        if len(found) > MOST_BYTES:
            return TOO_MUCH
    if json_fault(bytes(found)) is not None:
        return TOO_MUCH
    try:
        return json.loads(bytes(found), parse_float=Decimal) if found.strip() else None
    except (ValueError, ArithmeticError, RecursionError):
        return NO_JSON


def _answer(kind: str, answer: httpx2.Response, record: dict[str, Any] | None, body: Any) -> Answer:
    etag = printable(answer.headers.get("etag", "").strip().removeprefix("W/").strip('"'), LONGEST_ETAG) or None
    if kind == "acked" and etag is None:
        kind = "in_doubt"  # an answer without a version cannot be recognised when it returns through the log
    return Answer(
        kind,
        status=answer.status_code,
        version=etag,
        values=record,
        detail="" if kind == "acked" else _words(answer.status_code, body),
        retry_after_s=_retry_after(answer.headers.get("retry-after")),
    )


def _words(status: int, body: Any) -> str:
    said = body.get("error") or body.get("detail") if isinstance(body, dict) else None
    if body is TOO_MUCH:
        said = "its answer is too large or too deep to be read"
    elif status == 200 and not said:
        said = "a body that is no record of this kind, or has no version"
    return f"HTTP {status}" + (f": {printable(said)}" if said else "")


def _retry_after(text: str | None) -> float:
    if not text:
        return 1.0
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text).replace(tzinfo=None) - utc_now()).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return 1.0
    return min(max(seconds, 0.0), 60.0) if math.isfinite(seconds) else 1.0
