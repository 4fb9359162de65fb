"""What the ERP's database remembers about the world it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sandbox.systems.erp.database import ErpDatabase


@dataclass(frozen=True)
class State:
    """The world's name and settings, and the moment (aware UTC) up to which the database tells of it."""

    world: dict[str, Any]
    at: datetime


def write_state(connection: psycopg.Connection, state: State | None) -> None:
    """Remember the state in the caller's transaction; None leaves it as it is."""
    if state is not None:
        connection.execute(
            "insert into erp_api.state (world, at) values (%s, %s)"
            " on conflict (is_only) do update set world = excluded.world, at = excluded.at",
            [Jsonb(state.world), state.at],
        )


def read_state(database: ErpDatabase) -> State | None:
    """The state, or None when the database was never filled."""
    with psycopg.connect(database.owner_dsn) as connection:
        found = connection.execute("select world, at from erp_api.state").fetchone()
    return State(*found) if found else None
