"""Deadlines of an HTTP answer that a server cannot stretch: whole, and by the rate at which it comes.

A time-out of a read starts anew with every byte, so that a byte a second, also among the headers, would be waited for
without end. Here each read is given what is left of the whole, and what came in the last PACE_S is counted.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from connectors.model import Unreachable

PACE_S = 20.0
LEAST_BYTES, LEAST_READS = 2_000, 10
"""An answer that brought fewer bytes in PACE_S, and those in this many pieces or more, drips. (One that pauses, because
the server is at work, comes in few.)
"""


class Deadline(httpcore2.NetworkBackend):
    """A network backend whose connections keep one deadline; `begin` starts it for the next request."""

    def __init__(self, whole_s: float, where: str) -> None:
        self.whole_s, self.where = whole_s, where
        self._plain = httpcore2.SyncBackend()
        self.begin()

    def begin(self) -> None:
        self._started = time.monotonic()
        self._paced: float | None = None
        self._bytes = self._reads = 0

    def left(self, timeout: float | None) -> float:
        """Seconds that one wait may take. Raises Unreachable when the whole is over."""
        left = self._started + self.whole_s - time.monotonic()
        if left <= 0:
            raise Unreachable(
                f"{self.where} took more than {self.whole_s:g} s for one answer.",
                "The next pass asks again; `deadline` in the system file is how long an answer may take.",
            )
        return left if timeout is None else min(timeout, left)

    def came(self, count: int) -> None:
        """Raises Unreachable when an answer comes more slowly than anything would that works."""
        now = time.monotonic()
        self._paced = now if self._paced is None else self._paced
        self._bytes, self._reads = self._bytes + count, self._reads + 1
        if now - self._paced >= PACE_S:
            if self._bytes < LEAST_BYTES and self._reads >= LEAST_READS:
                raise Unreachable(
                    f"{self.where} answers too slowly: {self._bytes} bytes in {PACE_S:g} s.",
                    "The next pass asks again.",
                )
            self._paced, self._bytes, self._reads = now, 0, 0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        stream = self._plain.connect_tcp(host, port, self.left(timeout), local_address, socket_options)
        return _Timed(stream, self)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class _Timed(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        found = self._stream.read(max_bytes, self._deadline.left(timeout))
        self._deadline.came(len(found))
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Timed(
            self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def transport(deadline: Deadline, verify: ssl.SSLContext | bool) -> httpx2.HTTPTransport:
    """httpx's own transport, without proxies, over connections that keep `deadline`."""
    made = httpx2.HTTPTransport(verify=verify, trust_env=False)
    made._pool._network_backend = deadline  # type: ignore[attr-defined, union-attr]  # it offers no other way
    return made
