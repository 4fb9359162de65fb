"""A full disk is said as one: what runs into it fails in many words, of SQLite, DuckDB, Dagster or dbt."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.settings import Settings

LEAST = 8_000_000
"""Bytes without which no pass gets past its first records."""
WORDS = ("No space left on device", "database or disk is full", "max_temp_directory_size", "The disk is full")
VAGUE = ("disk I/O error", "Could not find job", "unable to open database file")
"""What is said at the end of a disk, and of other things too."""


class DiskFull(Exception):
    """There is no room for what a command has to write; the message says where. Transient: the next one goes on."""


def needed(settings: Settings) -> None:
    """Raises DiskFull when there is no room even to begin."""
    settings.home.mkdir(parents=True, exist_ok=True)
    if _free(settings) < LEAST:
        raise DiskFull(_words(settings, "nothing was started"))


def why(settings: Settings, text: str) -> str | None:
    """That the disk is full, and where, when `text` is what a full disk makes somebody say; else None."""
    plain = any(words in text for words in WORDS)
    vague = any(words in text for words in VAGUE) and _free(settings) < LEAST
    return _words(settings, "what landed before stays") if plain or vague else None


@contextmanager
def minded(settings: Settings) -> Iterator[None]:
    """Around work that writes: an error that comes of a full disk is raised as DiskFull."""
    try:
        yield
    except Exception as error:
        if said := why(settings, str(error)):
            raise DiskFull(said) from error
        raise


def _free(settings: Settings) -> int:
    return shutil.disk_usage(settings.home).free


def _words(settings: Settings, so_far: str) -> str:
    return (
        f"the disk is full: {_free(settings) / 1e6:,.1f} MB are free at {settings.home}; {so_far}. "
        "Free some space: the next pass goes on by itself"
    )
