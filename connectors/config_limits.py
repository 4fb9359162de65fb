"""What a YAML file may be, looked at before anything is built of it: a few lines can stand for billions of nodes."""

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

MOST_BYTES = 1 << 20
MOST_DEPTH = 50
MOST_NODES = 50_000


@dataclass
class _Open:
    """A mapping or list that has not ended: its anchor and the nodes in it so far, aliases written out."""

    anchor: str | None
    nodes: int = 1


@dataclass
class _Walk:
    sizes: dict[str, int] = field(default_factory=dict)
    open: list[_Open] = field(default_factory=list)
    nodes: int = 0

    def fault(self, event: Any) -> str | None:
        if isinstance(event, CollectionStartEvent):
            self.open.append(_Open(event.anchor))
            if len(self.open) > MOST_DEPTH:
                return f"is nested more than {MOST_DEPTH} deep"
        elif isinstance(event, CollectionEndEvent):
            ended = self.open.pop()
            return self._add(ended.nodes, ended.anchor)
        elif isinstance(event, ScalarEvent):
            return self._add(1, event.anchor)
        elif isinstance(event, AliasEvent):
            if any(one.anchor == event.anchor for one in self.open):
                return f"holds itself: *{event.anchor} stands inside &{event.anchor}"
            return self._add(self.sizes.get(event.anchor, 1), None)
        return None

    def _add(self, nodes: int, anchor: str | None) -> str | None:
        if anchor is not None:
            self.sizes[anchor] = nodes
        if self.open:
            self.open[-1].nodes += nodes
        self.nodes = max(self.nodes, nodes, self.open[-1].nodes if self.open else 0)
        return f"stands for more than {MOST_NODES:,} values" if self.nodes > MOST_NODES else None


def too_much(text: str) -> tuple[int, str] | None:
    """(line, what is too much of it) of a YAML text, or None. Raises YAMLError where it is no YAML."""
    if len(text) > MOST_BYTES:
        return 1, f"is longer than {MOST_BYTES >> 20} MiB"
    walk = _Walk()
    for event in YAML(typ="rt").parse(text):
        if (fault := walk.fault(event)) is not None:
            return event.start_mark.line + 1, fault
    return None
