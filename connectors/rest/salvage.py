"""Cut a page into its raw records when one of them is JSON that the strict decoder refuses (a lone surrogate, say).

One such record must cost itself and not hold up the stream: the page is walked with the standard library's tolerant
decoder, which says where each value ends, and the record becomes a dead letter later on.
"""

import json
import re

_SPACE = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()


def salvage(body: bytes, records: str) -> dict[str, bytes | list[bytes]] | None:
    """The fields of a JSON object as raw bytes, `records` as a list of raw elements; None if it is no JSON."""
    try:
        text = body.decode("utf-8")
        found: dict[str, bytes | list[bytes]] = {}
        at = _after(text, 0, "{")
        while text[at] != "}":
            name, at = _decoder.raw_decode(text, at)
            at = _after(text, _skip(text, at), ":")
            if name == records and text[at] == "[":
                found[name], at = _elements(text, at)
            else:
                start, (_, at) = at, _decoder.raw_decode(text, at)
                found[name] = text[start:at].encode()
            at = _comma(text, at, "}")
        return found
    except (ValueError, IndexError, RecursionError):
        return None


def _elements(text: str, at: int) -> tuple[list[bytes], int]:
    elements: list[bytes] = []
    at = _after(text, at, "[")
    while text[at] != "]":
        start, (_, at) = at, _decoder.raw_decode(text, at)
        elements.append(text[start:at].encode())
        at = _comma(text, at, "]")
    return elements, at + 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _after(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at] != mark:
        raise ValueError("not JSON")
    return _skip(text, at + 1)


def _comma(text: str, at: int, closing: str) -> int:
    at = _skip(text, at)
    return at if text[at] == closing else _after(text, at, ",")
