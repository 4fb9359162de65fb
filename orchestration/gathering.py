"""A pass that one system asked for lands the others too, so that KPIs are not as of an instant that only one system
has reached."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from orchestration.tools import Tools, translated


def gather(systems: Sequence[Any], tools: Tools) -> list[str]:
    """Lands what these systems have to say, all at once; returns a warning for each that cannot be read.

    Such a system holds nothing back here; the next pass of its own fails and says why.
    """

    def land(system: Any) -> str | None:
        try:
            tools.sync(system)
            if system.write is not None:
                tools.verify(system)
        except Exception as error:
            return f"{system.system} was not gathered: {translated(error)}"
        return None

    with ThreadPoolExecutor(max(len(systems), 1), thread_name_prefix="gather") as pool:
        return [warning for warning in pool.map(land, systems) if warning]


class Gathering:
    """Lands the other systems while a run lands its own, if it has one, from the moment it begins.

    What landed then serves a build about that moment; a pass that had to wait for its turn lands every system again.
    """

    def __init__(self, own: str | None, systems: Sequence[Any], tools: Tools) -> None:
        self._systems, self._tools = systems, tools
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="gathering")
        self._first = self._pool.submit(gather, [one for one in systems if one.system != own], tools)

    def warnings(self, *, again: bool) -> list[str]:
        """Waits for what is under way; with `again`, lands what every system has said since, the own one too."""
        found = self._first.result()
        return gather(self._systems, self._tools) if again else found

    def close(self) -> None:
        """Waits too: a run never ends while something of it still lands."""
        self._pool.shutdown()
