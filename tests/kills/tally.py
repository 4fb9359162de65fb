"""What a storm of kills came to, per phase, and the table that tells it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

KINDS = ("lost", "doubled", "stuck", "manual")


@dataclass
class Tally:
    """One phase. `under_way` counts the kills by what they struck; `longest_s` is the longest time from a kill until
    everything was equal again; `faults` are sentences that begin with one of KINDS."""

    phase: str
    under_way: Counter[str] = field(default_factory=Counter)
    longest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return self.under_way.total()

    def struck(self, what: str) -> None:
        self.under_way[what] += 1

    def recovered(self, seconds: float) -> None:
        self.longest_s = max(self.longest_s, seconds)

    def count(self, kind: str) -> int:
        return sum(fault.startswith(kind) for fault in self.faults)


def table(tallies: Sequence[Tally]) -> str:
    """The storm as a table in Markdown."""
    lines = [
        f"| killed | kills | what was under way | longest recovery | {' | '.join(KINDS)} |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in [*tallies, _sum(tallies)]:
        struck = ", ".join(f"{what} {count}" for what, count in one.under_way.most_common())
        counts = " | ".join(str(one.count(kind)) for kind in KINDS)
        lines.append(f"| {one.phase} | {one.kills} | {struck} | {one.longest_s:.0f} s | {counts} |")
    return "\n".join(lines)


def _sum(tallies: Sequence[Tally]) -> Tally:
    faults = [fault for one in tallies for fault in one.faults]
    whole = Tally("all", Counter(), max((one.longest_s for one in tallies), default=0.0), faults)
    whole.under_way[""] = sum(one.kills for one in tallies)
    return whole
