"""`crossdock run --resnapshot SYSTEM`: go on when a landing file no longer fits its source, and keep its history.
`--snapshot SYSTEM.STREAM` does so for one stream, while the others go on.

A landing file put back from an older copy, a slot that is gone, a source that was restored: the changes in between
cannot be read any more. A full snapshot lands as a new generation of the same log instead.
"""

from collections.abc import Sequence
from typing import Any

from orchestration.cli.errors import BadInput
from orchestration.derived import thrown_away
from orchestration.locks import held
from orchestration.settings import Settings
from orchestration.tools import outside_control


def resnapshot(settings: Settings, systems: Sequence[Any]) -> None:
    """Lands everything these systems have now, under a new generation; the pass after it makes the warehouse anew.

    The warehouse goes first: an older landing file counts its batches from an older number, which the warehouse would
    take for loaded. Killed between the two, the next pass only makes it anew. Raises Busy, or the connector's error.
    """
    from connectors.sync import sync

    if not systems:
        return
    with held(settings.home / "warehouse.lock", wait_s=settings.lock_wait_s, doing="crossdock run --resnapshot"):
        thrown_away(settings)
        for system in systems:
            sync(system, settings.home, full=True, control=outside_control(settings))


def snapshot_streams(settings: Settings, systems: Sequence[Any], names: Sequence[str]) -> None:
    """Reads these streams (`system.stream`) again, under the same log. Raises BadInput, or the connector's error."""
    from connectors.sync import sync

    by_name = {system.system: system for system in systems}
    asked: dict[str, list[str]] = {}
    for name in names:
        system, _, stream = name.partition(".")
        if system not in by_name or not stream:
            raise BadInput(f"{name!r} names no stream; say SYSTEM.STREAM, with a system of {', '.join(by_name)}")
        known = [one.name for one in by_name[system].streams]
        if stream not in known:
            raise BadInput(f"{system} has no stream {stream}; it has {', '.join(known)}")
        asked.setdefault(system, []).append(stream)
    for system, streams in asked.items():
        sync(by_name[system], settings.home, snapshot=streams, control=outside_control(settings))
