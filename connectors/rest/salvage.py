"""Cut a page into its raw records when one of them is JSON that the strict decoder refuses: a lone surrogate, or nested
so deeply that reading it would exhaust the stack.

One such record must cost itself and not hold up the stream: the page is cut at its strings, brackets and commas,
without recursion, and the record becomes a dead letter later on.
"""

import json
import re
from collections.abc import Iterator

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},:"]', re.DOTALL)
_CLOSING = {b"{": b"}", b"[": b"]"}
Fields = dict[str, bytes | list[bytes]]


def salvage(body: bytes, records: str) -> Fields | None:
    """The fields of a JSON object as raw bytes, `records` as a list of raw elements; None if it is no JSON object.

    Of the elements only the brackets are looked at: whoever reads one says what else is wrong with it.
    """
    try:
        body.decode("utf-8")
        if body.lstrip(b" \t\r\n")[:1] != b"{":
            return None
        found: Fields = {}
        for name, value in _pairs(body):
            if name == records and value[:1] == b"[":
                found[name] = [value[start:end].strip() for start, end in _parts(value)]
            else:
                json.loads(value)
                found[name] = value
        return found
    except (ValueError, RecursionError):
        return None


def _pairs(body: bytes) -> Iterator[tuple[str, bytes]]:
    for start, end in _parts(body):
        part = body[start:end].strip()
        name = _TOKEN.match(part)
        rest = part[name.end() :].lstrip() if name else b""
        if name is None or rest[:1] != b":":
            raise ValueError("a field without its name")
        yield json.loads(name[0]), rest[1:].strip()


def _parts(text: bytes) -> Iterator[tuple[int, int]]:
    """Where the members of the outermost object or list of `text` begin and end. ValueError when it is not closed, or
    anything follows it."""
    closing: list[bytes] = []
    start, end = 0, len(text)
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in _CLOSING:
            closing.append(_CLOSING[mark])
            start = token.end() if len(closing) == 1 else start
        elif mark in (b"}", b"]"):
            if not closing or closing.pop() != mark:
                raise ValueError("brackets do not match")
            if not closing:
                if text[start : token.start()].strip():
                    yield start, token.start()
                end = token.end()
                break
        elif mark == b'"':
            raise ValueError("a text without its end")
        elif mark == b"," and len(closing) == 1:
            yield start, token.start()
            start = token.end()
    if closing or text[end:].strip():
        raise ValueError("not closed, or followed by something")
