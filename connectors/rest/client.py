"""The HTTP client of every JSON API: budget, time-outs, bounded retries, a limit on bodies, and errors of two classes.

Redirects are followed only on the same host. No error and no log line repeats a secret: what a server sends back is
shortened and cleaned of the values we sent.
"""

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from connectors.config_kinds import RestRead
from connectors.deadlines import Deadline, transport
from connectors.model import PermanentError, TransientError, Unreachable
from connectors.rest.budget import TokenBucket, shared_budget
from connectors.rest.retry import LONGEST_S, TRANSIENT_STATUS, backoff, retry_after

log = logging.getLogger(__name__)
MAX_REDIRECTS = 3
CERTIFICATE_WAY_OUT = "Name the authority that made it in ca_file, and the host as its certificate has it."


class Refused(PermanentError):
    """The server understood and said no; `status` is its answer."""

    def __init__(self, status: int, message: str, way_out: str = "") -> None:
        super().__init__(message, way_out)
        self.status = status


class TooLarge(PermanentError):
    """The answer is over the limit; a smaller page may not be."""


class _Again(Exception):
    """One attempt failed in a way that another may not; `wait` is what the server asked for."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class RestClient:
    """A connection to one base address. Use as a context manager; safe for one thread. `clock` is the server's own, as
    its last answer told it, else ours."""

    def __init__(
        self,
        read: RestRead,
        *,
        budget: TokenBucket | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.read = read
        self.budget = budget or shared_budget(read.base_url, read.budget.requests_per_second, read.budget.burst)
        self._sleep = sleep
        self.clock = datetime.now(UTC)
        headers = read.auth.headers() if read.auth else {}
        self._secrets = sorted({part for value in headers.values() for part in (value, *value.split())}, key=len)[::-1]
        self._base = httpx2.URL(read.base_url)
        # no proxies and no .netrc from the environment: where a key goes is said in the system file alone
        self._deadline = Deadline(read.deadline.total_seconds(), read.base_url)
        self._http = httpx2.Client(
            transport=transport(self._deadline, _verification(read)),
            headers={"Accept": "application/json", **headers},
            timeout=httpx2.Timeout(read.timeout.total_seconds(), connect=read.connect_timeout.total_seconds()),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> "RestClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> bytes:
        """The body of a 2xx answer. Raises TransientError when every attempt failed in a passing way (Unreachable when
        the server takes no connection, or its answer does not come in time), and PermanentError (Refused for a 4xx)
        when another attempt would not help."""
        reason = ""
        over = time.monotonic() + self._deadline.whole_s
        for attempt in range(self.read.attempts):
            self.budget.acquire()
            self._deadline.begin()
            try:
                return self._once(httpx2.URL(self.read.base_url + path), dict(params or {}))
            except _Again as error:
                reason = str(error)
                wait = backoff(attempt) if error.wait is None else error.wait
            except httpx2.TransportError as error:
                if (why := refused_certificate(error)) is not None:
                    raise PermanentError(
                        f"{path}: the server's certificate was not accepted: {why}.", CERTIFICATE_WAY_OUT
                    ) from error
                reason, wait = f"{type(error).__name__}: {self.clean(str(error))}", backoff(attempt)
                if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
                    raise Unreachable(f"{path}: no connection ({reason}).", "The next pass asks again.") from error
            except httpx2.DecodingError:
                reason, wait = "the body is not what its Content-Encoding says", backoff(attempt)
            if time.monotonic() + wait > over and wait <= LONGEST_S:
                raise Unreachable(
                    f"{path} took more than {self._deadline.whole_s:g} s with {attempt + 1} attempts ({reason}).",
                    "The next pass asks again.",
                )
            if wait > LONGEST_S:
                raise TransientError(f"{path} asks to wait {wait:.0f} s ({reason}).", "Run again after that time.")
            if attempt + 1 < self.read.attempts:
                log.info("%s: %s; attempt %d, again in %.2f s", path, reason, attempt + 1, wait)
                self.budget.pause(wait)
                self._sleep(wait)
        raise TransientError(
            f"{path} failed {self.read.attempts} times: {reason}.",
            "Run again when the server is well; what was landed stays.",
        )

    def wait(self, attempt: int) -> None:
        """Rest before the caller asks again for an answer that came but was no good."""
        self._sleep(backoff(attempt))

    def clean(self, text: str) -> str:
        """Text of the other side, short and without anything we sent as a secret."""
        for secret in self._secrets:
            text = text.replace(secret, "***") if len(secret) > 3 else text
        return " ".join(text[:400].split())[:200]

    def _once(self, url: httpx2.URL, params: dict[str, str]) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            with self._http.stream("GET", url, params=params) as response:
                if not response.has_redirect_location:
                    return self._answer(response, url.path)
                target = url.join(response.headers["location"])
            if (target.scheme, target.host, target.port) != (self._base.scheme, self._base.host, self._base.port):
                raise PermanentError(
                    f"{url.path} redirects to another host ({target.host}), which was not followed.",
                    "Correct base_url if the service has moved.",
                )
            url, params = target, ({} if target.query else params)
        raise PermanentError(f"{url.path} redirects more than {MAX_REDIRECTS} times.", "Correct base_url or path.")

    def _answer(self, response: httpx2.Response, path: str) -> bytes:
        status = response.status_code
        if status in TRANSIENT_STATUS:
            raise _Again(f"status {status}", retry_after(response.headers.get("retry-after")))
        self.clock = _date(response.headers.get("date"))
        body = self._body(response, path)
        kind = response.headers.get("content-type", "").lower()
        if status >= 400:
            raise Refused(
                status, f"{path} answered {status}: {self.clean(body.decode(errors='replace'))}", _hint(status)
            )
        if "html" in kind or body.lstrip()[:1] == b"<":
            raise PermanentError(
                f"{path} answered {status} with a page for people instead of JSON.",
                "It is often a login or a maintenance page: check base_url and the key.",
            )
        return body

    def _body(self, response: httpx2.Response, path: str) -> bytes:
        limit = int(self.read.max_body_mb * 1_000_000)
        body = bytearray()
        for chunk in response.iter_bytes():
            if len(body) + len(chunk) > limit:
                raise TooLarge(
                    f"{path} answers with more than {self.read.max_body_mb:g} MB.",
                    "Ask for smaller pages (page_size), or raise read.max_body_mb.",
                )
            body += chunk
        return bytes(body)


def _date(header: str | None) -> datetime:
    try:
        return parsedate_to_datetime(header or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.now(UTC)


def _verification(read: RestRead) -> ssl.SSLContext | bool:
    try:
        return read.verification()
    except OSError as error:
        raise PermanentError(
            f"the TLS files of {read.base_url} cannot be used ({type(error).__name__}).",
            "ca_file, cert_file and key_file are PEM files that this account may read; certificate and key are a pair.",
        ) from None


def refused_certificate(error: BaseException | None) -> str | None:
    """Why a certificate was not accepted, when that is what an error of the HTTP library comes from."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None


def _hint(status: int) -> str:
    if status in (401, 403):
        return "Check the key in the environment and what it may read."
    return "Check path, params and base_url." if status in (400, 404, 405, 422) else ""
