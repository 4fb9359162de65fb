"""pgoutput messages to typed changes. State between calls is the open transaction and the relations seen so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from connectors.landing import Changes
from connectors.postgres.oversize import SHORTENED, Oversize
from connectors.postgres.relation import Keyed, Relation, relation_of
from connectors.postgres.rows import Rows, changes_of, old_and_new, refused_changes, rows_of, truncate_of
from connectors.postgres.wire import Messages, integers

POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970-01-01


@dataclass
class Transaction:
    """The transaction that messages belong to: commit LSN, commit time (us since 1970, UTC), xid, changes seen."""

    lsn: int = 0
    time_us: int = 0
    xid: int = 0
    seen: int = 0


@dataclass
class Decoder:
    """Decodes the messages of one slot for `streams`. Transactions that committed before LSN `after`, or before that of
    a stream, are left out: they have landed. `held` are the streams that came under columns which they do not accept;
    nothing of them is decoded from there on.
    """

    streams: Sequence[Keyed]
    after: int = 0
    held: set[str] = field(default_factory=set)
    relations: dict[int, Relation] = field(default_factory=dict)
    open: Transaction = field(default_factory=Transaction)

    def decode(self, array: pa.Array) -> list[Changes]:
        """A binary array of consecutive messages -> changes, in an order in which each stream's log may append them."""
        messages = Messages.of(array)
        if not len(messages):
            return []
        kinds, buffer = messages.kinds, messages.buffer
        begins = np.nonzero(kinds == ord("B"))[0]
        at = messages.offsets[begins] + 1
        lsn = np.concatenate([[self.open.lsn], integers(buffer, at, 8)])
        time_us = np.concatenate([[self.open.time_us], integers(buffer, at + 8, 8) + POSTGRES_EPOCH_US])
        xid = np.concatenate([[self.open.xid], integers(buffer, at + 16, 4) & 0xFFFFFFFF])
        transaction = np.searchsorted(begins, np.arange(len(messages)), side="right")

        weight = np.isin(kinds, [ord("I"), ord("U"), ord("D"), SHORTENED]).astype(np.int64)
        segments = self._segments(messages)
        truncates = {int(i): truncated_in(messages, int(i)) for i in np.nonzero(kinds == ord("T"))[0]}
        for i, oids in truncates.items():
            weight[i] = len(oids)
        old_new = [old_and_new(messages, relation, index) for relation, index in segments]
        for (_, index), (_, _, moved) in zip(segments, old_new, strict=True):
            weight[index[moved]] = 2
        total = np.cumsum(weight)
        base = np.concatenate([[-self.open.seen], total[begins]])  # a Begin weighs nothing
        ordinal = total - weight - base[transaction]
        self.open = Transaction(int(lsn[-1]), int(time_us[-1]), int(xid[-1]), int(total[-1] - base[-1]))

        ready: list[tuple[int, Changes]] = []
        for (relation, index), (new, old, moved) in zip(segments, old_new, strict=True):
            if relation.stream is None:
                continue
            rows = rows_of(messages, index, ordinal[index], new, old, moved)
            keep = lsn[transaction[rows.message]] >= max(self.after, relation.after)
            if not keep.all():
                rows = Rows(*(values[keep] for values in vars(rows).values()))
            if len(rows.at):
                where = transaction[rows.message]
                read = changes_of if relation.known is None else refused_changes
                ready.append(
                    (int(rows.message[0]), read(messages, relation, rows, lsn[where], xid[where], time_us[where]))
                )
        for i, oids in truncates.items():
            for step, oid in enumerate(oids):
                emptied = self.relations.get(oid)
                of = transaction[i]
                if emptied and emptied.stream is not None and lsn[of] >= max(self.after, emptied.after):
                    ready.append(
                        (i, truncate_of(emptied, int(lsn[of]), int(ordinal[i]) + step, int(xid[of]), int(time_us[of])))
                    )
        for i in np.nonzero(kinds == SHORTENED)[0].tolist():
            message, position = Oversize.of(messages.bytes(i)), int(lsn[transaction[i]])
            owner = self.relations.get(message.oid)
            if owner and owner.stream is not None and position >= max(self.after, owner.after):
                nothing = truncate_of(owner, position, 0, 0, 0).table.slice(0, 0)
                letter = message.letter(owner, position, int(ordinal[i]))
                ready.append((i, Changes(owner.stream, owner.known or owner.columns, nothing, (letter,))))
        return [changes for _, changes in sorted(ready, key=lambda pair: pair[0])]

    def _segments(self, messages: Messages) -> list[tuple[Relation, np.ndarray]]:
        """Runs of row messages that share a relation's description, and lie between its truncates: (relation, message
        indices).
        """
        kinds = messages.kinds
        index = np.nonzero(np.isin(kinds, [ord("I"), ord("U"), ord("D")]))[0]
        oids = integers(messages.buffer, messages.offsets[index] + 1, 4)
        cuts: dict[int, list[tuple[int, Relation | None]]] = {}
        for i in np.nonzero((kinds == ord("R")) | (kinds == ord("T")))[0]:
            if kinds[i] == ord("R"):
                relation = relation_of(messages.bytes(int(i)), self.streams, self.held)
                cuts.setdefault(relation.oid, []).append((int(i), relation))
            else:
                for oid in truncated_in(messages, int(i)):
                    cuts.setdefault(oid, []).append((int(i), None))
        result = []
        for oid in {*np.unique(oids).tolist(), *cuts}:
            of, current, start = index[oids == oid], self.relations.get(oid), 0
            for position, described in [*cuts.get(oid, []), (len(messages), None)]:
                end = int(np.searchsorted(of, position))
                changed = described is not None and described != current
                if end > start and (changed or described is None):
                    if current is None:
                        raise ValueError(f"a change of relation {oid} came before its description")
                    result.append((current, of[start:end]))
                    start = end
                if described is not None:
                    current = described
            if current is not None:
                self.relations[oid] = current
        return result


def truncated_in(messages: Messages, i: int) -> list[int]:
    raw = messages.bytes(i)
    count = int.from_bytes(raw[1:5], "big")
    return [int.from_bytes(raw[6 + 4 * n : 10 + 4 * n], "big") for n in range(count)]
