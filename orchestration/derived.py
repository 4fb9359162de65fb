"""Warehouse and marts are made from what landed: a damaged one is set aside and made anew.

Both are made anew together, because what is merged into one counts on what the other holds. The damaged file stays
beside its place, the last one only, for whoever wants to know what happened to the disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connectors.landing.corruption import damage, tells_damage
from orchestration.settings import Settings


class Damaged(Exception):
    """A step met a damaged warehouse or marts file, which is set aside now. Transient: the next try makes it anew."""


def mended(settings: Settings, *, deep: bool = False) -> list[str]:
    """Sets damaged files aside and says so, a line each; nothing when both can be read. Needs the warehouse's lock.

    `deep` reads every row, for when a step has already met damage that opening the file does not show.
    """
    files = (settings.warehouse, settings.marts)
    found = {path: why for path in files if (why := damage(path, deep=deep)) is not None}
    if not found:
        return []
    lines = []
    for path in files:
        if path in found:
            aside = _set_aside(path)
            lines.append(f"{path.name} is damaged ({found[path]}); set aside as {aside.name}, made anew from landing")
        else:
            for part in _parts(path):
                part.unlink(missing_ok=True)
    return lines


@contextmanager
def minded(settings: Settings) -> Iterator[None]:
    """Around work on warehouse and marts: raises Damaged in place of DuckDB's words for a file that is damaged inside.

    Other errors pass as they are, so does damage in a file that is not ours to throw away.
    """
    try:
        yield
    except Exception as error:
        if lines := after(settings, str(error)):
            raise Damaged("; ".join(lines)) from error
        raise


def after(settings: Settings, text: str) -> list[str]:
    """What `mended` says when `text`, the error of a step, speaks of damage; else nothing."""
    return mended(settings, deep=True) if tells_damage(text) else []


def thrown_away(settings: Settings) -> None:
    """Removes both, so that the next pass makes them anew from landing. Needs the warehouse's lock."""
    for path in (settings.marts, settings.warehouse):
        for part in _parts(path):
            part.unlink(missing_ok=True)


def _parts(path: Path) -> tuple[Path, Path]:
    return path, path.with_name(path.name + ".wal")


def _set_aside(path: Path) -> Path:
    for old in path.parent.glob(f"{path.name}*.corrupt-*"):
        old.unlink()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for part in _parts(path):
        if part.exists():
            part.rename(part.with_name(f"{part.name}.corrupt-{stamp}"))
    return path.with_name(f"{path.name}.corrupt-{stamp}")
