"""A pass that one system asked for lands the others too, so that KPIs are not as of an instant that only one system
has reached."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from orchestration.tools import Tools, translated


def gather(own: str, systems: Sequence[Any], tools: Tools) -> list[str]:
    """Lands what the systems other than `own` have to say, all at once; returns a warning for each that cannot be read.

    That system's own run says why; it holds nothing back here.
    """

    def land(system: Any) -> str | None:
        try:
            tools.sync(system)
            if system.write is not None:
                tools.verify(system)
        except Exception as error:
            return f"{system.system} was not gathered: {translated(error)}"
        return None

    others = [system for system in systems if system.system != own]
    with ThreadPoolExecutor(max(len(others), 1), thread_name_prefix="gather") as pool:
        return [warning for warning in pool.map(land, others) if warning]


class Gathering:
    """Gathers while the own system lands, from the moment a run begins.

    What it landed serves a build about that moment; a pass that had to wait for its turn gathers again.
    """

    def __init__(self, work: Callable[[], list[str]]) -> None:
        self._work = work
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="gathering")
        self._first = self._pool.submit(work)

    def warnings(self, *, again: bool) -> list[str]:
        """Waits for what is under way; with `again`, lands once more what was said since."""
        found = self._first.result()
        return self._work() if again else found

    def close(self) -> None:
        """Waits too: a run never ends while something of it still lands."""
        self._pool.shutdown()
