"""Judges a home: every file that matters, one finding a line, each with the way out. Nothing is written."""

import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.landing.corruption import damage, is_unborn, way_out
from connectors.model import ConnectorError
from orchestration.publication import PublicationError, current
from orchestration.settings import Settings
from orchestration.tools import outside_control

LEAST_FREE = 2.0
"""Free space in sizes of the marts: a publication copies them, and a build writes beside."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with one part of a home, and the way out; `heals` when the next pass mends it by itself."""

    part: str
    what: str
    way_out: str
    heals: bool = False

    @property
    def line(self) -> str:
        return f"{self.part}: {self.what}. {self.way_out}"


def examine(settings: Settings, *, deep: bool = False) -> list[Finding]:
    """Every finding; an empty list is a sound home. `deep` reads every row of every DuckDB file."""
    found = [*_files(settings, deep), *_published(settings, deep), *_control(settings), *_place(settings)]
    return [*found, *_leftovers(settings)]


def _files(settings: Settings, deep: bool) -> Iterator[Finding]:
    for path in sorted(settings.landing.glob("*.duckdb")):
        if not is_unborn(path) and (why := damage(path, deep=deep)):
            yield Finding(f"landing/{path.name}", f"damaged ({why})", way_out(path, why))
    for path in (settings.warehouse, settings.marts):
        if why := damage(path, deep=deep):
            mends = "The next pass sets it aside and makes it anew: `crossdock run`"
            yield Finding(str(path.relative_to(settings.home)), f"damaged ({why})", mends, heals=True)


def _published(settings: Settings, deep: bool) -> Iterator[Finding]:
    link, way_out = settings.published / "current", "The next pass mends it: `crossdock run`"
    try:
        snapshot = current(settings.published)
    except PublicationError as error:
        yield Finding("published/current", str(error).split(";")[0], way_out, heals=True)
        return
    if snapshot is None:
        if link.is_symlink() or any(settings.published.glob("v[0-9]*")):
            yield Finding("published/current", "shows no version", way_out, heals=True)
    elif not snapshot.file.is_file() or (why := damage(snapshot.file, deep=deep)):
        why = why if snapshot.file.is_file() else "its file is missing"
        yield Finding("published/current", f"v{snapshot.version:06d} is not whole ({why})", way_out, heals=True)


def _control(settings: Settings) -> Iterator[Finding]:
    """The store read as every command reads it, also when somebody holds it or nothing can be written."""
    from connectors.control.keeping import NoKey
    from orchestration.control import ledger_fault, looking_at

    part = Path(settings.control).name if outside_control(settings) is None else "control store"
    try:
        with looking_at(settings) as control:
            control.check_pages()
            fault = ledger_fault(control)
    except NoKey as error:
        yield Finding(part, "its ledger cannot be checked", str(error))
    except ConnectorError as error:
        yield Finding(part, str(error).removesuffix(error.way_out).strip(" ."), error.way_out)
    else:
        if fault:
            yield Finding(part, f"the ledger was altered: {fault}", "Nothing is sent on it: docs/operations.md")


def _place(settings: Settings) -> Iterator[Finding]:
    if stat.S_IMODE(settings.home.stat().st_mode) & 0o007:
        yield Finding(str(settings.home), "every account can read it", f"`chmod o-rwx {settings.home}`")
    need = LEAST_FREE * settings.marts.stat().st_size if settings.marts.exists() else 0.0
    free = shutil.disk_usage(settings.home).free
    if free < need:
        way_out = "Free some, or lower CROSSDOCK_KEEP_VERSIONS and CROSSDOCK_HISTORY_MB"
        yield Finding(str(settings.home), f"{free / 1e6:,.0f} MB free, a pass may need {need / 1e6:,.0f}", way_out)


def _leftovers(settings: Settings) -> Iterator[Finding]:
    for path in sorted([*settings.home.glob("*.corrupt-*"), *settings.marts.parent.glob("*.corrupt-*")]):
        way_out = "Look at the disk; remove the file when nobody needs it"
        yield Finding(path.name, "was damaged and set aside by a pass", way_out, heals=True)
