"""X12 envelopes: interchanges, groups and transactions, with their counts and control numbers checked.

A fault costs the smallest piece that it makes untrustworthy: an ISA, IEA or GS fault the whole interchange or group, a
fault between ST and SE that transaction alone. Every faulty piece keeps its bytes and its reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.edi.x12 import (
    ISA_LENGTH,
    Segment,
    Separators,
    X12Error,
    is_isa,
    read_separators,
    segments,
    skip_padding,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A piece of a file that cannot be trusted: what it was (file, interchange, group, transaction), why, and where."""

    level: str
    reason: str
    start: int
    end: int
    control: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Transaction:
    """The segments ST to SE of one document, both included."""

    kind: str
    control: str
    body: tuple[Segment, ...]
    start: int
    end: int


@dataclass(slots=True)
class Group:
    """One GS to GE: functional code, control number and the transactions that passed."""

    code: str
    control: str
    version: str
    transactions: list[Transaction] = field(default_factory=list)
    gs: Segment | None = None


@dataclass(slots=True)
class Interchange:
    """One ISA to IEA. `faults` are pieces inside it; when the envelope itself is bad, `groups` is empty and one fault
    covers the whole. `is_cut`: nothing follows it and it does not end, as in a file that is still being written."""

    start: int
    end: int
    separators: Separators | None = None
    sender: str = ""
    receiver: str = ""
    control: str = ""
    version: str = ""
    is_test: bool = False
    is_cut: bool = False
    groups: list[Group] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def interchanges(text: str) -> Iterator[Interchange]:
    """Every interchange of a file, in order; what stands between or after them is an Interchange with one fault."""
    at = skip_padding(text, 0)
    if at >= len(text):
        yield _bad(0, len(text), "the file is empty", is_cut=True)
        return
    while at < len(text):
        try:
            separators = read_separators(text, at)
            found = _interchange(text, at, separators)
        except X12Error as error:
            end = _next_isa(text, at + 1)
            yield _bad(at, end, str(error), is_cut=len(text) - at < ISA_LENGTH)
        else:
            yield found
            end = found.end
        at = skip_padding(text, end)


def _interchange(text: str, start: int, separators: Separators) -> Interchange:
    body = list(segments(text, start, separators))
    isa, rest = body[0], body[1:]
    closing = next((index for index, segment in enumerate(rest) if segment.tag == "IEA"), None)
    found = Interchange(
        start=start,
        end=_next_isa(text, start + 3) if closing is None else rest[closing].end,
        separators=separators,
        sender=f"{isa.element(5)}:{isa.element(6)}",
        receiver=f"{isa.element(7)}:{isa.element(8)}",
        control=isa.element(13),
        version=isa.element(12),
        is_test=isa.element(15) == "T",
    )
    fault = "the IEA is missing" if closing is None else _interchange_fault(found, rest[: closing + 1])
    if fault is None:
        fault = _read_groups(found, rest[:closing])
    # an IEA that repeats all nine digits of ISA13 is whole even without its terminator, which some senders leave out
    is_open = closing is None or (fault is not None and not text.endswith(separators.segment))
    found.is_cut = found.end == len(text) and is_open
    if fault is not None:
        found.groups.clear()
        found.faults[:] = [Fault("interchange", fault, found.start, found.end, found.control)]
    return found


def _interchange_fault(found: Interchange, rest: list[Segment]) -> str | None:
    iea = rest[-1]
    groups = sum(segment.tag == "GS" for segment in rest)
    if not found.control.isdigit() or len(found.control) != 9:
        return "ISA13 is not a control number of nine digits"
    if iea.element(2) != found.control:
        return f"IEA02 is {iea.element(2)!r} but ISA13 is {found.control!r}"
    if not _is_count(iea.element(1), groups):
        return f"IEA01 says {iea.element(1)!r} groups, there are {groups}"
    return None


def _read_groups(found: Interchange, body: list[Segment]) -> str | None:
    """Split the body of an interchange into groups; returns a fault of the interchange when it cannot be split."""
    seen: set[str] = set()
    at = 0
    while at < len(body):
        if body[at].tag != "GS":
            return f"a {body[at].tag[:3]!r} segment stands outside a group"
        end = next((i for i in range(at + 1, len(body)) if body[i].tag in ("GE", "GS")), None)
        if end is None or body[end].tag == "GS":
            return f"the group {body[at].element(6)!r} has no GE"
        _read_group(found, body[at], body[at + 1 : end], body[end], seen)
        at = end + 1
    return None


def _read_group(found: Interchange, gs: Segment, body: list[Segment], ge: Segment, seen: set[str]) -> None:
    group = Group(gs.element(1), gs.element(6), gs.element(8), gs=gs)
    faults: list[Fault] = []
    starts = sum(segment.tag == "ST" for segment in body)
    reason = None
    if ge.element(2) != group.control:
        reason = f"GE02 is {ge.element(2)!r} but GS06 is {group.control!r}"
    elif not _is_count(ge.element(1), starts):
        reason = f"GE01 says {ge.element(1)!r} transactions, there are {starts}"
    elif group.control in seen:
        reason = f"GS06 {group.control!r} is used twice in this interchange"
    else:
        reason = _read_transactions(group, body, faults)
    seen.add(group.control)
    if reason is None:
        found.groups.append(group)
        found.faults += faults
    else:
        found.faults.append(Fault("group", reason, gs.start, ge.end, group.control, group.control))


def _read_transactions(group: Group, body: list[Segment], faults: list[Fault]) -> str | None:
    seen: set[str] = set()
    at = 0
    while at < len(body):
        st = body[at]
        if st.tag != "ST":
            return f"a {st.tag[:3]!r} segment stands outside a transaction"
        end = next((i for i in range(at + 1, len(body)) if body[i].tag in ("SE", "ST")), len(body))
        closed = end < len(body) and body[end].tag == "SE"
        part = tuple(body[at : end + 1] if closed else body[at:end])
        found = Transaction(st.element(1), st.element(2), part, st.start, part[-1].end)
        reason = _transaction_fault(found, closed, seen)
        seen.add(found.control)
        if reason is None:
            group.transactions.append(found)
        else:
            faults.append(Fault("transaction", reason, found.start, found.end, found.control, group.control))
        at = end + 1 if closed else end
    return None


def _transaction_fault(found: Transaction, closed: bool, seen: set[str]) -> str | None:
    last = found.body[-1]
    if not closed:
        return "the SE is missing"
    if not found.control:
        return "ST02 is empty"
    if last.element(2) != found.control:
        return f"SE02 is {last.element(2)!r} but ST02 is {found.control!r}"
    if not _is_count(last.element(1), len(found.body)):
        return f"SE01 says {last.element(1)!r} segments, there are {len(found.body)}"
    if found.control in seen:
        return f"ST02 {found.control!r} is used twice in this group"
    return None


def _is_count(text: str, count: int) -> bool:
    return text.isascii() and text.isdigit() and int(text) == count


def _isa_places(text: str, start: int) -> Iterator[int]:
    at = text.find("ISA", start)
    while at >= 0:
        if is_isa(text, at) and (at == start or not text[at - 1].isalnum()):
            yield at
        at = text.find("ISA", at + 3)


def _next_isa(text: str, start: int) -> int:
    """Where the next ISA that could open an interchange starts, else the end of the text."""
    for at in _isa_places(text, start):
        try:
            read_separators(text, at)
        except X12Error:
            continue
        return at
    return len(text)


def _bad(start: int, end: int, reason: str, *, is_cut: bool) -> Interchange:
    return Interchange(start, end, is_cut=is_cut, faults=[Fault("file", reason, start, end)])
