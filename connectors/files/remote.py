"""What a listing says about a file, and which files a stream wants."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

UNFINISHED = (".part", ".tmp", ".partial", ".filepart", ".writing", ".crdownload")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A regular file below the root: its relative path with `/`, size in bytes, modification time in server seconds."""

    path: str
    size: int
    mtime: int


def is_safe_name(name: str) -> bool:
    """Whether a name that a server sent is one plain path step: no separator, no parent, no control
    character, valid UTF-8."""
    return (
        bool(name)
        and name not in (".", "..")
        and not re.search(r"[/\\\x00-\x1f\x7f\ud800-\udfff]", name)
        and len(name) <= 255
    )


def is_unfinished_name(name: str) -> bool:
    """Whether the name says that the file is still being written: a dot file or a suffix of an upload."""
    return name.startswith(".") or name.lower().endswith(UNFINISHED)


@lru_cache(maxsize=256)
def step_pattern(step: str) -> re.Pattern[str]:
    """One step of a path pattern: `*` and `?` match within the step only."""
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in step), re.DOTALL)


def matches(pattern: str, path: str) -> bool:
    """Whether a path matches a pattern, step by step; an unfinished name matches nothing."""
    steps, parts = pattern.split("/"), path.split("/")
    if len(steps) != len(parts) or is_unfinished_name(parts[-1]):
        return False
    return all(step_pattern(step).fullmatch(part) for step, part in zip(steps, parts, strict=True))


def digest(files: Iterable[RemoteFile]) -> str:
    """A position of a set of files: how many, and a digest of path, size and time of each."""
    lines = sorted(f"{file.path}\0{file.size}\0{file.mtime}" for file in files)
    return f"{len(lines)}:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]}"
