"""The one text form of a value that hashes are taken over."""

import hashlib
import json
import re
from typing import Any

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
UNPRINTABLE = re.compile("[\0\ud800-\udfff]")


def canonical_json(value: Any) -> str:
    """Sorted keys, no spaces, plain UTF-8."""
    return _encoder.encode(value)


def printable(value: Any, most: int = 200) -> str:
    """What somebody else said, as a text that every file, table and terminal takes: no half characters, no NUL."""
    text = UNPRINTABLE.sub("\ufffd", str(value))
    return text if len(text) <= most else text[:most] + "…"


def digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
