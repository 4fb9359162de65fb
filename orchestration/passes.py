"""A pass: land what changed, load, build, check, publish; and when there is nothing for it to do.

One pass at a time writes the warehouse and the marts. It takes the lock when it starts to load and keeps it until its
run ends, so
passes that landed while another was building find their work done and end early: four systems that change at once
cost one build.
"""

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orchestration import built
from orchestration.dbt import systems_by_role
from orchestration.derived import mended, thrown_away
from orchestration.gathering import Gathering
from orchestration.locks import held
from orchestration.publication import Snapshot, current, mend_current
from orchestration.settings import Settings

AS_OF_TAG = "crossdock/as_of"
SYSTEM_TAG = "crossdock/system"
POSITION_TAG = "crossdock/position"
FORCE_TAG = "crossdock/force"
ACCEPT_CLOCK_TAG = "crossdock/accept_clock"
LOADING_TAG = "crossdock/loading"
RECONCILE = "reconcile"
MENDED_TAG = "crossdock/mended"
LEFT_OUT_TAG = "crossdock/left_out"
STALE_WALL = timedelta(minutes=10)
WAITED_S = 0.5


def left_out(tags: Mapping[str, str]) -> dict[str, str]:
    """The systems whose landing file a run could not load, from its tags, each with the reason."""
    lines = tags.get(LEFT_OUT_TAG, "").splitlines()
    return dict(line.split(": ", 1) for line in lines)


class ClockRefused(Exception):
    """Business now leapt ahead, and nobody said that it may. Permanent: a person decides."""


@dataclass
class Pass:
    """One run's view of the world: business now, and the right to write the warehouse once taken.

    `reads_now` says that nobody fixed business now for this run: when it had to wait for its turn to load, it reads it
    again. `gathering` lands the systems that did not ask for this run. `mended` tells what was damaged, and is made
    anew.
    """

    settings: Settings
    as_of: datetime
    force: bool = False
    reads_now: bool = False
    gathering: Gathering | None = None
    accepts_clock: bool = False
    mended: list[str] = field(default_factory=list)
    _waited: bool = False
    _held: ExitStack = field(default_factory=ExitStack)
    _has_lock: bool = False

    def take_warehouse(self) -> None:
        """Waits for other passes, bounded; raises Busy naming the holder. Asked again it does nothing.

        A pass that began later may have published while this one waited: business now never goes back
        unasked, nor far ahead: raises ClockRefused.
        """
        if self._has_lock:
            return
        try:
            self._take_warehouse()
        except BaseException:  # or a second try would find it taken, and go past what is judged here
            self._held.close()
            raise
        self._has_lock = True

    def _take_warehouse(self) -> None:
        lock, started, began_as_of = self.settings.home / "warehouse.lock", time.monotonic(), self.as_of
        self._held.enter_context(held(lock, wait_s=self.settings.lock_wait_s, doing="a pass"))
        self.mended += [*mended(self.settings), *mend_current(self.settings.published)]
        # Without whole marts there is work, whatever is published: a pass that began them may not have come further.
        self.force |= not self.settings.marts.exists() or built.built(self.settings.warehouse) is None
        snapshot = current(self.settings.published)
        if snapshot is not None and not self.settings.has_fixed_now:
            self._judge_clock(parse_instant(snapshot.note["as_of"]))
        self._waited = time.monotonic() - started > WAITED_S or self.as_of > began_as_of

    def _judge_clock(self, published: datetime) -> None:
        """One pass on a clock in the future would hold all later ones there, so a leap needs a person's consent."""
        if self.accepts_clock:
            if self.as_of < published:  # what was merged as of a later day is not taken back by merging
                thrown_away(self.settings)
            return
        if self.as_of - published > timedelta(days=self.settings.clock_leap_days):
            raise ClockRefused(
                f"business now is {instant(self.as_of)}, more than {self.settings.clock_leap_days} days after "
                f"{instant(published)}, as of which was published last: if the clock is right, "
                "`crossdock run --accept-clock` goes on; if not, mend the clock (CROSSDOCK_BUSINESS_NOW); "
                "nothing was published"
            )
        self.as_of = max(self.as_of, published)

    def gathered(self) -> list[str]:
        """What the sources said before business now is landed when this returns; warnings of those that cannot be read.

        A pass that waited reads business now again first, as late as it can be; not one that lands nothing here.
        """
        if self.gathering is None:
            return []
        if self._waited:
            self.as_of = max(self.as_of, self.settings.now())
        return self.gathering.warnings(again=self._waited)

    def close(self) -> None:
        if self.gathering is not None:
            self.gathering.close()
        self._held.close()


@contextmanager
def opened(settings: Settings, tags: dict[str, str]) -> Iterator[Pass]:
    """The pass of a run: business now from its tags when a launcher or an earlier step read it, else read here."""
    as_of = parse_instant(tags[AS_OF_TAG]) if tags.get(AS_OF_TAG) else settings.now()
    the_pass = Pass(settings, as_of, tags.get(FORCE_TAG) == "true", AS_OF_TAG not in tags)
    the_pass.accepts_clock = tags.get(ACCEPT_CLOCK_TAG) == "true"
    try:
        yield the_pass
    finally:
        the_pass.close()


def instant(moment: datetime) -> str:
    """An instant as `2016-06-02T07:00:00Z`; a naive one is UTC already."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def naive(moment: datetime) -> datetime:
    """UTC without a zone, as every `_utc` column has it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def work_key(loaded: Mapping[str, str], code: str) -> str:
    """What a published version was made of: the batches, the connected systems, the version of models and reference."""
    return hashlib.sha256(f"{sorted(loaded.items())}|{code}".encode()).hexdigest()[:32]


def code_version(systems: Sequence[Any], *folders: Path) -> str:
    """Changes when any file of the models, the reference or the contracts does, or what is said of a system."""
    digest = hashlib.sha256(json.dumps(systems_by_role(systems), sort_keys=True).encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            hidden = {"target", "logs", "__pycache__"} & set(path.relative_to(folder).parts)
            if path.is_file() and not hidden:
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def is_done(snapshot: Snapshot | None, key: str, behind: Collection[str], as_of: datetime, clock: str) -> bool:
    """Whether what is published was made of this work at this business now, without the last word of the same systems.
    The wall's clock moves always, so it may be a bit old."""
    if snapshot is None or snapshot.note.get("work_key") != key:
        return False
    if set(snapshot.note.get("behind", {})) != set(behind):
        return False
    published: Any = snapshot.note.get("as_of")
    age = as_of - parse_instant(published)
    return age <= (STALE_WALL if clock == "wall" else timedelta(0))
