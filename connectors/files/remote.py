"""What a listing says about a file, and which files a stream wants."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

UNFINISHED = (".part", ".tmp", ".partial", ".filepart", ".writing", ".crdownload")


LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A regular file below the root: its relative path with `/`, size in bytes, modification time in server seconds.

    With a `fault` it is not read: `path` is its escaped name then, which no other file has, and `listed` its path as
    the server told it (surrogateescape). A folder with such a name, or one that may not be read (`listed` None then),
    stands for all that lies in it (`is_folder`).
    """

    path: str
    size: int
    mtime: int
    fault: str | None = None
    listed: str | None = None
    is_folder: bool = False


def name_fault(name: str) -> str | None:
    """Why a name that a server sent (surrogateescape) is not one plain path step; None when it is."""
    if re.search("[\ud800-\udfff]", name):
        return "is not UTF-8"
    if "\\" in name:
        return "holds a backslash"
    if "/" in name:
        return "leaves the folder"
    if re.search(r"[\x00-\x1f\x7f]", name):
        return "holds a control character"
    return f"is longer than {LONGEST_NAME} characters" if len(name) > LONGEST_NAME else None


def escaped(name: str) -> str:
    """A faulty name as text that can be kept and shown; two names never give one."""
    raw = name.encode("utf-8", "surrogateescape")
    text = raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    text = re.sub(r"[\x00-\x1f\x7f/]", lambda found: f"\\x{ord(found[0]):02x}", text)
    return text if len(text) <= LONGEST_NAME else f"{text[:200]}\\...{hashlib.sha256(raw).hexdigest()[:16]}"


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


def belongs(pattern: str, file: RemoteFile) -> bool:
    """Whether a file is of the stream with this pattern, and a folder with a faulty name may have such files."""
    path = file.path if file.listed is None else file.listed
    if not file.is_folder:
        return matches(pattern, path)
    steps, parts = pattern.split("/"), path.split("/")
    within = zip(steps, parts, strict=False)
    return len(parts) < len(steps) and all(step_pattern(step).fullmatch(part) for step, part in within)


def digest(files: Iterable[RemoteFile]) -> str:
    """A position of a set of files: how many, and a digest of path, size and time of each."""
    lines = sorted(f"{file.path}\0{file.size}\0{file.mtime}" for file in files)
    return f"{len(lines)}:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]}"
