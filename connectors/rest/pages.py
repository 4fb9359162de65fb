"""Pages of a JSON API: one decoded page, and the walk from token to token with loop detection."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from connectors.config_kinds import RestStream
from connectors.model import PermanentError, TransientError
from connectors.rest.client import RestClient, TooLarge
from connectors.rest.salvage import salvage

MAX_EMPTY_PAGES = 50
_envelope = msgspec.json.Decoder(dict[str, msgspec.Raw])
_records = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()


@dataclass(frozen=True)
class Page:
    """The raw records of one page and the token of the next, None at the end."""

    records: list[bytes]
    next_token: str | None


def pages(client: RestClient, stream: RestStream, since: str | None, token: str | None) -> Iterator[Page]:
    """Walk from `token` (or the beginning) to the last page.

    Raises PermanentError when a token comes back that was used before, or too many pages in a row are empty: both mean
    that the walk would never end.
    """
    seen: set[str] = set()
    empty = 0
    while True:
        page = fetch(client, stream, since, token)
        yield page
        empty = 0 if page.records else empty + 1
        if page.next_token is None:
            return
        if page.next_token in seen or page.next_token == token:
            raise PermanentError(f"{stream.path} gives the same page token again: its pages never end.", _TELL)
        if empty > MAX_EMPTY_PAGES:
            raise PermanentError(f"{stream.path} gives {empty} empty pages in a row: its pages never end.", _TELL)
        seen.add(page.next_token)
        token = page.next_token


def fetch(client: RestClient, stream: RestStream, since: str | None, token: str | None) -> Page:
    """One page, of fewer records where so many are too large together. A body cut short is asked for again; see
    `decode` for what else can be wrong."""
    size = stream.page_size
    while True:
        try:
            return _fetch(client, stream, since, token, size)
        except TooLarge:
            if size == 1:
                raise
            size = max(1, size // 4)


def _fetch(client: RestClient, stream: RestStream, since: str | None, token: str | None, size: int) -> Page:
    params = dict(stream.params) | {stream.limit_param: str(size)}
    if since is not None and stream.cursor is not None:
        params[stream.cursor.param] = since
    if token is not None:
        params[stream.cursor_param] = token
    for attempt in range(client.read.attempts):
        body = client.get(stream.path, params)
        try:
            return decode(body, stream, client)
        except TransientError:
            if attempt + 1 == client.read.attempts:
                raise
            client.wait(attempt)
    raise AssertionError("unreachable")


def decode(body: bytes, stream: RestStream, client: RestClient) -> Page:
    """A page from its bytes. TransientError when the JSON ends too early; PermanentError when it is not JSON, or not
    a page: an answer of 200 that carries an error is one."""
    envelope = _fields(body, stream, client)
    if stream.records not in envelope:
        raise PermanentError(
            f"{stream.path} answered without {stream.records!r}: {client.clean(body[:400].decode(errors='replace'))}",
            "An error in the body of a success, or the wrong `records` in the system file.",
        )
    records = envelope[stream.records]
    if not isinstance(records, list):
        try:
            records = [bytes(record) for record in _records.decode(records)]
        except msgspec.ValidationError as error:
            raise PermanentError(f"{stream.path}: {stream.records!r} is not a list.") from error
    return Page(records, _token(envelope, stream))


def _fields(body: bytes, stream: RestStream, client: RestClient) -> Mapping[str, bytes | msgspec.Raw | list[bytes]]:
    try:
        return _envelope.decode(body)
    except msgspec.ValidationError as error:
        told = client.clean(str(error))
        raise PermanentError(f"{stream.path} answered something else than an object: {told}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "truncated" in str(error):
            raise TransientError(f"{stream.path} sent JSON that ends too early ({len(body)} bytes).") from error
        found = salvage(body, stream.records)
        if found is None:
            told = client.clean(str(error))
            raise PermanentError(f"{stream.path} sent something that is not JSON: {told}") from error
        return found


def _token(envelope: Mapping[str, bytes | msgspec.Raw | list[bytes]], stream: RestStream) -> str | None:
    raw = envelope.get(stream.next_cursor) if stream.next_cursor else None
    token = None if raw is None or isinstance(raw, list) else _any.decode(raw)
    if token is None or token == "":
        return None
    if not isinstance(token, str | int) or isinstance(token, bool):
        raise PermanentError(f"{stream.path}: {stream.next_cursor!r} is neither a text nor a number.")
    return str(token)


_TELL = "Tell the owner of the API; nothing after the last landed page was taken."
