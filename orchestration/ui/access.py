"""Who may use the UI: the addresses at which browsers see it and the token that they must show."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import SplitResult, urlsplit

from orchestration.settings import SettingsError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SHORTEST_TOKEN = 16
COOKIE = "crossdock_ui"
COOKIE_S = 12 * 3600
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Access:
    """`origins` are the addresses besides loopback; without a `token` everybody who reaches the port may come in."""

    origins: frozenset[str] = frozenset()
    token: str | None = None
    clock: Callable[[], float] = time.time

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Access":
        """`CROSSDOCK_UI_URL` (addresses, separated by commas) and `CROSSDOCK_UI_TOKEN`. Raises SettingsError."""
        urls = [url.strip() for url in environ.get("CROSSDOCK_UI_URL", "").split(",") if url.strip()]
        token = environ.get("CROSSDOCK_UI_TOKEN") or None
        if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
            raise SettingsError(f"CROSSDOCK_UI_TOKEN: needs at least {SHORTEST_TOKEN} printable ASCII characters")
        return cls(frozenset(_origin_of(url) for url in urls), token)

    def knows_host(self, host: str) -> bool:
        """Whether a Host header names this UI: loopback under any port (a tunnel may have another), or an address."""
        name, port = _authority(host)
        if name in LOOPBACK:
            return True
        return any((name, port or PORTS[known.scheme]) == _place(known) for known in map(urlsplit, self.origins))

    def knows_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is our own: an address, or on loopback the very place that was asked."""
        own = f"http://{host.lower()}" if _authority(host)[0] in LOOPBACK else None
        return origin in self.origins or origin == own

    def is_secure(self, host: str) -> bool:
        """Whether browsers come by https alone, so that a cookie need not travel otherwise."""
        return _authority(host)[0] not in LOOPBACK

    def proves(self, authorization: str, cookie: str) -> str | None:
        """How the request shows the token: `bearer`, `basic` (as the password, the name is free) or `cookie`."""
        scheme, _, said = authorization.partition(" ")
        if scheme.lower() == "bearer" and self._is_token(said.strip()):
            return "bearer"
        if scheme.lower() == "basic" and self._is_token(_password(said)):
            return "basic"
        return "cookie" if any(self._is_pass(value) for value in _cookies(cookie)) else None

    def new_cookie(self, *, secure: bool) -> str:
        """A Set-Cookie value that stands for the token for some hours; the token itself is not in it."""
        until = str(int(self.clock()) + COOKIE_S)
        flags = f"Path=/; Max-Age={COOKIE_S}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"
        return f"{COOKIE}={until}.{self._seal(until)}; {flags}"

    def _is_pass(self, value: str) -> bool:
        until, _, seal = value.partition(".")
        sealed = hmac.compare_digest(seal.encode(), self._seal(until).encode())
        return sealed and until.isdigit() and int(until) > self.clock()

    def _seal(self, until: str) -> str:
        return hmac.new((self.token or "").encode(), f"crossdock ui {until}".encode(), hashlib.sha256).hexdigest()

    def _is_token(self, said: str | None) -> bool:
        return said is not None and hmac.compare_digest(said.encode(), (self.token or "").encode())


def _origin_of(url: str) -> str:
    """The origin of an address as browsers send it. Raises SettingsError."""
    allowed = "allowed: https:// and a host, without user, path or query, such as https://crossdock.example.com"
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        raise SettingsError(f"CROSSDOCK_UI_URL is no address; {allowed}") from None
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    whole = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username or parts.password)
    if not (parts.hostname and whole and (plain or parts.scheme == "https")):
        raise SettingsError(f"CROSSDOCK_UI_URL is no address to serve people at; {allowed}")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{port}" if port and port != PORTS[parts.scheme] else "")


def _authority(host: str) -> tuple[str | None, int | None]:
    """(name, port) of a Host header; (None, None) for what is none."""
    try:
        parts = urlsplit(f"//{host}")
        found = parts.hostname, parts.port
    except ValueError:
        return None, None
    return found if parts.netloc == host and parts.username is None else (None, None)


def _place(parts: SplitResult) -> tuple[str | None, int]:
    return parts.hostname, parts.port or PORTS[parts.scheme]


def _password(said: str) -> str | None:
    try:
        return base64.b64decode(said, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _cookies(header: str) -> list[str]:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return []
    return [] if found is None else [found.value]
