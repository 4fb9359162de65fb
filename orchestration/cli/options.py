"""Options that every command has."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of a table.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show traces of errors.")]
