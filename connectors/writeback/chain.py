"""The chain of the ledger: each entry carries the row it changed, and a keyed hash over itself and the entry before.

A row of the tables must be what its last entry says it is, so that an approval set by hand, a changed write or a
rewritten actor shows as much as a rewritten entry does. A *seal* is an entry with a digest of all entries before it,
followed by one entry for each row as it stands: the chain is followed from the last seal on. Seals begin the keyed
chain of a ledger from before keys, and record that a person accepted a ledger as it stood.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, inspect, select

from connectors.control import Control
from connectors.control.keeping import Head, Keeping
from connectors.control.store import HEAD, KEEPING, utc_now
from connectors.control.tables import approval, correction, intent, plan, transition
from connectors.model import PermanentError
from connectors.writeback.canonical import canonical_json, digest

LEDGER = "ledger"
SAID = ("subject", "before", "after", "actor", "detail", "body")
TABLES = {
    "correction": (correction, ("system", "entity", "key", "field", "desired", "seen", "reason", "actor", "state")),
    "plan": (plan, ("hash", "system", "state", "planned_by", "expires_utc")),
    "intent": (
        intent,
        ("plan_hash", "system", "entity", "key", "fields", "precondition", "returned_version", "state"),
    ),
}
IDENTITY = {"correction": "id", "plan": "hash", "intent": "id"}
# statements that every entry needs, made once
LAST = select(transition.c.id, transition.c.hash, transition.c.body).order_by(transition.c.id.desc()).limit(1)
ONE = {
    kind: select(*(table.c[name] for name in names)).where(
        table.c.hash.between(bindparam("of"), bindparam("to")) if kind == "plan" else table.c.id == bindparam("of")
    )
    for kind, (table, names) in TABLES.items()
}
APPROVED_BY = select(approval.c.actor).where(approval.c.hash == bindparam("of"))
ENTER = insert(transition)
ACCEPT = "`crossdock writes accept --reason TEXT` goes on with it as it stands"


def append(connection: Connection, subject: str, before: str | None, after: str, actor: str, detail: str = "") -> None:
    """One entry, after the row of its subject was changed. The first one begins the chain, or seals an older one.

    Raises NoKey when the ledger has a key that is not here.
    """
    keeping: Keeping = connection.get_execution_options()[KEEPING]
    if connection.dialect.name == "postgresql":  # or two appended at once would both follow the same entry
        connection.exec_driver_sql("lock table transition in share row exclusive mode")
    last = connection.execute(LAST).first()
    if last is None or last.body is None:
        _begin(connection, keeping, actor)
        last = connection.execute(LAST).first()
    body = canonical_json(_row_of(connection, subject))
    _add(connection, keeping.key(), last.hash if last else "", (subject, before, after, actor, detail, body))


def seal(connection: Connection, key: bytes, actor: str, after: str, detail: str) -> None:
    """Takes all that the ledger and its rows say as they stand; what comes after is checked from here on."""
    entries = _entries(connection)
    last = entries[-1]["hash"] if entries else ""
    body = canonical_json({"earlier": _earlier(entries)})
    last = _add(connection, key, last, (LEDGER, None, after, actor, detail, body))
    for subject, row in _rows(connection).items():
        said = (subject, row["state"], row["state"], actor, "as sealed", canonical_json(row))
        last = _add(connection, key, last, said)


def check_chain(control: Control, *, restoring: bool = False) -> str | None:
    """The first thing in the ledger that does not fit, in words that name the entry, row or anchor; None when all does.

    Nothing is written. A whole chain from before keys is no fault, unless a key is set by now. `restoring` does not ask
    for an anchor, which a backup may lack. Raises NoKey when there are keyed entries and no key.
    """
    keeping = control.keeping
    anchored = keeping.has_anchor()  # anchors first: the store may only be ahead of what they say
    key = keeping.key() if anchored else None
    seen = keeping.seen(key) if key else {}
    with control.transaction() as connection:
        if connection.dialect.name == "postgresql":  # or entries and rows would be of two states, one commit apart
            connection.exec_driver_sql("set transaction isolation level repeatable read")
        entries, rows = _entries(connection), _rows(connection)
    if not anchored and not entries:
        return next((f"{subject} has no entry in it" for subject in rows), None)
    if entries and all(entry["body"] is None for entry in entries):
        if not anchored and keeping.is_key_set and not restoring:
            return f"it is from before CROSSDOCK_LEDGER_KEY was set; {ACCEPT}, from here on under that key"
        begun = Head(entries[-1]["id"], entries[-1]["hash"])  # the anchor was made, and the seal not any more
        if all(head == begun for head in seen.values()):
            return unkeyed_fault(entries)
    without = None if anchored or restoring or not keeping.anchors else f"its anchor is gone; put it back, or {ACCEPT}"
    key = key or keeping.key()
    return _chain_fault(entries, key) or without or _anchor_fault(entries, seen) or _row_fault(entries, rows)


def settle(control: Control, actor: str) -> None:
    """What a whole ledger still needs before anything is decided on it: its keyed beginning, and anchors that are not
    behind, each in every place. Raises TransientError when a place cannot be written."""
    with control.transaction() as connection:
        last = connection.execute(select(transition).order_by(transition.c.id.desc()).limit(1)).mappings().first()
        if last is not None and last["body"] is None:
            _begin(connection, control.keeping, actor)
            return
    if last is None:
        return
    head, key = Head(last["id"], last["hash"]), control.keeping.key()
    seen = control.keeping.seen(key)
    if [seen.get(path) for path in control.keeping.anchors] != [head] * len(control.keeping.anchors):
        control.keeping.write(head, key=key)


def unkeyed_fault(entries: Iterable[Mapping[str, Any]]) -> str | None:
    """The first entry of a chain from before keys that does not follow."""
    last = ""
    for entry in entries:
        said = {name: entry[name] for name in ("subject", "before", "after", "actor", "detail")}
        if entry["previous_hash"] != last or entry["hash"] != digest(
            said | {"at": entry["at_utc"].isoformat(), "previous": last}
        ):
            return _does_not_follow(entry)
        last = entry["hash"]
    return None


def _begin(connection: Connection, keeping: Keeping, actor: str) -> None:
    """The key, then an anchor of what is there, then the first keyed entry: a kill in between leaves nothing amiss."""
    entries = _entries(connection)
    key = keeping.key(make=True)
    if why := unkeyed_fault(entries):
        raise PermanentError(f"the ledger was altered: {why}.", f"{ACCEPT}.")
    if not keeping.has_anchor():
        keeping.write(Head(entries[-1]["id"], entries[-1]["hash"]) if entries else Head(0, ""), key=key)
    if entries:
        seal(connection, key, actor, "keyed", "the chain is keyed from here on")


def _add(connection: Connection, key: bytes, last: str, said: tuple[str | None, ...]) -> str:
    """Enters what is said, in the order of `SAID`, after the entry whose hash is `last`; returns the new hash."""
    row: dict[str, Any] = {**dict(zip(SAID, said, strict=True)), "at_utc": utc_now(), "previous_hash": last}
    row["hash"] = _keyed(key, row)
    number = connection.execute(ENTER, row).inserted_primary_key[0]  # type: ignore[index]
    connection.info[HEAD] = Head(number, row["hash"])
    return row["hash"]


def _keyed(key: bytes, entry: Mapping[str, Any]) -> str:
    parts = [entry["at_utc"].isoformat(), entry["previous_hash"], *(entry[name] for name in SAID)]
    return hmac.digest(key, canonical_json(parts).encode(), "sha256").hex()


def _entries(connection: Connection) -> Sequence[Mapping[str, Any]]:
    """All entries in order; of a store that no writer has opened since keys, without their rows."""
    there = {column["name"] for column in inspect(connection).get_columns(transition.name)}
    known = [column for column in transition.c if column.name in there]
    rows = connection.execute(select(*known).order_by(transition.c.id)).all()
    names = [column.name for column in known]
    return [{"body": None} | dict(zip(names, row, strict=True)) for row in rows]


def _rows(connection: Connection) -> dict[str, dict[str, Any]]:
    """Every row that entries are about, by its subject, as entries carry it."""
    approved: dict[str, str] = dict(connection.execute(select(approval.c.hash, approval.c.actor)).tuples().all())
    found = {}
    for kind, (table, names) in TABLES.items():
        columns = [table.c[IDENTITY[kind]], *(table.c[name] for name in names)]
        for row in connection.execute(select(*columns)):
            found[_subject(kind, row[0])] = _carried(kind, names, row[1:], approved)
    return found


def _row_of(connection: Connection, subject: str) -> dict[str, Any] | None:
    kind, _, number = subject.partition(" ")
    mine: dict[str, Any] = {"of": number, "to": f"{number}g"} if kind == "plan" else {"of": int(number)}
    row = connection.execute(ONE[kind], mine).first()
    if row is None:
        return None
    approved = {row[0]: connection.execute(APPROVED_BY, {"of": row[0]}).scalar()} if kind == "plan" else {}
    return _carried(kind, TABLES[kind][1], row, approved)


def _carried(kind: str, names: Sequence[str], values: Sequence[Any], approved: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(zip(names, values, strict=True))
    if kind == "plan":
        row |= {"approved_by": approved.get(row["hash"]), "expires_utc": row["expires_utc"].isoformat()}
    return row


def _subject(kind: str, identity: Any) -> str:
    return f"plan {identity[:12]}" if kind == "plan" else f"{kind} {identity}"


def _chain_fault(entries: Sequence[Mapping[str, Any]], key: bytes) -> str | None:
    start = _last_seal(entries)
    last = entries[start - 1]["hash"] if start else ""
    for entry in entries[start:]:
        if entry["previous_hash"] != last or not hmac.compare_digest(entry["hash"], _keyed(key, entry)):
            another = " (or the key is another one)" if entry is entries[start] else ""
            return _does_not_follow(entry) + another
        last = entry["hash"]
    if start and entries[start]["body"] != canonical_json({"earlier": _earlier(entries[:start])}):
        return f"entries before {entries[start]['id']} are not what was sealed in it"
    return None


def _last_seal(entries: Sequence[Mapping[str, Any]]) -> int:
    return next((at for at in range(len(entries) - 1, -1, -1) if entries[at]["subject"] == LEDGER), 0)


def _anchor_fault(entries: Sequence[Mapping[str, Any]], seen: Mapping[Any, Head | None]) -> str | None:
    hashes = {entry["id"]: entry["hash"] for entry in entries} | {0: ""}
    for path, head in seen.items():
        if head is None:
            return f"the anchor {path} is not one that this key made; put it back, or {ACCEPT}"
        if hashes.get(head.entry) != head.hash:
            ends = entries[-1]["id"] if entries else 0
            cut = f"entry {head.entry} was seen ({path}), and the ledger ends with {ends}" if head.entry > ends else ""
            other = f"entry {head.entry} is not the one that was seen ({path})"
            return f"{cut or other}: entries were cut off, or an older copy was put back; {ACCEPT}"
    return None


def _row_fault(entries: Sequence[Mapping[str, Any]], rows: Mapping[str, Mapping[str, Any]]) -> str | None:
    entries = entries[_last_seal(entries) :]
    told = {entry["subject"]: entry for entry in entries if entry["subject"] != LEDGER}
    for subject, row in rows.items():
        if subject not in told:
            return f"{subject} has no entry in it"
        if told[subject]["body"] != canonical_json(row):
            return f"{subject} is not what entry {told[subject]['id']} says of it"
    gone = next((subject for subject, entry in told.items() if subject not in rows and entry["body"] != "null"), None)
    return f"{gone} is gone from its table" if gone else None


def _earlier(entries: Sequence[Mapping[str, Any]]) -> str:
    hashed = hashlib.sha256()
    for entry in entries:
        hashed.update(canonical_json({**entry, "at_utc": entry["at_utc"].isoformat()}).encode() + b"\n")
    return hashed.hexdigest()


def _does_not_follow(entry: Mapping[str, Any]) -> str:
    return f"entry {entry['id']} ({entry['subject']}) does not follow from the one before it"
