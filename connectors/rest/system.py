"""Every stream of a REST system, one after the other: one that fails for good holds up no other."""

import logging
from collections.abc import Callable, Mapping

from connectors.config_kinds import RestStream
from connectors.config_model import System
from connectors.landing import Landing
from connectors.model import PermanentError
from connectors.rest.client import RestClient
from connectors.rest.reader import OnBatch, newest, sync_stream

log = logging.getLogger(__name__)


def sync_rest(
    system: System,
    landing: Landing,
    on_batch: OnBatch | None = None,
    *,
    again: Callable[[str], bool] = lambda _stream: False,
) -> dict[str, str]:
    """Land what changed in every stream of a REST system. Where `again(stream)`, everything is asked for, which closes
    gaps that a stamp hides; documents that did not change land nothing.

    Returns the streams that stand still, each with the reason: the others land. Raises TransientError, and
    PermanentError when no stream could be read; what was landed until then stays, with its cursor.
    """
    with RestClient(system.read) as client:
        return _each(system, lambda stream: sync_stream(client, stream, landing, on_batch, full=again(stream.name)))


def newest_of(system: System, landed: Mapping[str, str | None]) -> dict[str, str | None]:
    """`newest` of every stream; one that cannot be read has nothing new. Raises as `sync_rest` does."""
    found = dict(landed)
    with RestClient(system.read) as client:

        def look(stream: RestStream) -> None:
            found[stream.name] = newest(client, stream, landed.get(stream.name))

        _each(system, look)
    return {stream.name: found.get(stream.name) for stream in system.streams}


def faults_of(system: System) -> list[str]:
    """What is wrong at the source: the streams that cannot be read while others can."""
    with RestClient(system.read) as client:
        stopped = _each(system, lambda stream: newest(client, stream, None))
    return [f"stream {name}: {reason}" for name, reason in stopped.items()]


def _each(system: System, work: Callable[[RestStream], object]) -> dict[str, str]:
    """Do `work` for each stream, and return the reasons of those that fail for good."""
    errors: dict[str, PermanentError] = {}
    for stream in system.streams:
        try:
            work(stream)
        except PermanentError as error:
            log.warning("%s.%s stands still: %s", system.system, stream.name, error)
            errors[stream.name] = error
    if errors and len(errors) == len(system.streams):
        raise next(iter(errors.values()))
    return {name: str(error) for name, error in errors.items()}
