"""Where the Parquet files of Wide World Importers are: $CROSSDOCK_DATA/wwi, or ../shared/data/wwi beside the
checkout."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

Read = Callable[[str], pl.DataFrame]
PROOF = "derived_Sales.InvoiceOrderMap.parquet"


def wwi_folder() -> Path:
    """The folder with the Parquet files; raises FileNotFoundError that says what to set."""
    named = os.environ.get("CROSSDOCK_DATA")
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    tried = [Path(named) / "wwi"] if named else []
    tried.append(beside / "wwi")
    for folder in tried:
        if (folder / PROOF).is_file():
            return folder
    places = " nor ".join(map(str, tried))
    raise FileNotFoundError(
        f"Wide World Importers is not at {places}: "
        "set CROSSDOCK_DATA to the folder that holds wwi/ with its Parquet files"
    )


def reader(folder: Path) -> Read:
    """Reads one table by its name in the sample database, such as `Sales.Orders`."""
    return lambda name: pl.read_parquet(folder / f"{name}.parquet")
