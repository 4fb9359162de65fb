"""Control totals: counts and sums of every column, in the source and in landing at one position. Equal totals do not
prove that rows are equal; other totals prove that they are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from connectors.landing import Landing
from connectors.model import PermanentError
from connectors.postgres import slot as slots
from connectors.postgres import snapshot
from connectors.postgres.catalogue import look
from connectors.postgres.catch_up import Limits
from connectors.postgres.figures import Figures, in_landing, in_source
from connectors.postgres.following import records
from connectors.postgres.link import ReplicationLink, lsn_text
from connectors.postgres.position import slot_of
from connectors.postgres.reader import Source
from connectors.postgres.relation import StreamSpec
from connectors.postgres.shape import Followed
from connectors.postgres.table import text_outputs


@dataclass(frozen=True)
class Total:
    """One stream: `there` and `here` are the source's and landing's figures by name, empty where they were not
    compared and `why_not` says why.
    """

    stream: str
    there: Figures = field(default_factory=dict)
    here: Figures = field(default_factory=dict)
    why_not: str = ""

    @property
    def differences(self) -> list[str]:
        """Each figure that is not the same, in words."""
        return [
            f"{name}: {self.there[name]} in the source, {self.here.get(name)} here"
            for name in self.there
            if self.there[name] != self.here.get(name)
        ]


def control_totals(
    system: str,
    landing: Landing,
    *,
    dsn: str,
    publication: str,
    streams: Sequence[StreamSpec],
    slot: str | None = None,
    limits: Limits = Limits(),
) -> list[Total]:
    """Read the totals of every stream at one position of the source, land up to exactly there, and compare.

    One whole pass over each table in the source; a slot of its own tells the position. Raises what `sync_postgres`
    raises, and PermanentError before the first snapshot.
    """
    if landing.cursor("*") is None:
        raise PermanentError(f"{system} has not landed yet.", f"crossdock run --system {system}")
    source = Source(system, landing, dsn, publication, tuple(streams), slot or slot_of(system), None, limits)
    with ReplicationLink(dsn) as link:
        point, exported = slots.create_temporary(link)
        with snapshot.seeing(dsn, exported) as connection:
            looked = look(connection, publication, streams)
            there = [
                (followed, in_source(connection, followed, text_outputs(connection, followed.table)))
                for followed in looked.followed.values()
            ]
    counts = source.sync(upto=point)
    with landing.session() as db:
        known = records(db)
        skipped = {name: str(error) for name, error in looked.stopped.items()} | counts.stopped
        for followed, _ in there:
            if counts.position != lsn_text(point) or followed.name not in known or known[followed.name].start > point:
                skipped.setdefault(followed.name, "it was read again, or changed, meanwhile")
        return _compared(db, system, there, skipped)


def _compared(
    db: duckdb.DuckDBPyConnection,
    system: str,
    there: Sequence[tuple[Followed, Figures]],
    not_followed: Mapping[str, str],
) -> list[Total]:
    """The totals of these streams, landing standing where the source did. A stream with open dead letters lacks rows by
    intent, so it is not compared.
    """
    found = [Total(name, why_not=reason) for name, reason in not_followed.items()]
    for followed, figures in there:
        if followed.name in not_followed:
            continue
        dead = db.execute(
            "select count(*) from _land.dead_letter where stream = ? and state = 'open'", [followed.name]
        ).fetchone()
        if dead and dead[0]:
            found.append(Total(followed.name, why_not=f"{dead[0]} dead letters are open"))
        else:
            found.append(Total(followed.name, figures, in_landing(db, system, followed)))
    return found
