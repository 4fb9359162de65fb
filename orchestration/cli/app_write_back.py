"""The commands of write-back and their options: correct, plan, approve, apply, and what ends a write."""

from typing import Annotated

import typer

from orchestration.cli.options import Debug, Json

write_back = typer.Typer()


@write_back.command()
def correct(
    entity: Annotated[str, typer.Argument(help="item, customer or supplier")],
    key: Annotated[str, typer.Argument(help="Its key in the target system")],
    fields: Annotated[list[str], typer.Argument(help="FIELD=VALUE, one or more")],
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger.")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Record a correction of master data; nothing is sent yet."""
    from orchestration.cli.writes import correct as start

    start(entity, key, fields, reason, as_json)


@write_back.command()
def plan(as_json: Json = False, debug: Debug = False) -> None:
    """What would be written: verified, observed and desired per field, and the hash to approve."""
    from orchestration.cli.writes import plan as start

    start(as_json)


@write_back.command()
def approve(
    plan_hash: Annotated[str, typer.Argument(metavar="HASH")], as_json: Json = False, debug: Debug = False
) -> None:
    """Approve exactly the plan with this hash."""
    from orchestration.cli.writes import approve as start

    start(plan_hash, as_json)


@write_back.command()
def apply(
    plan_hash: Annotated[str, typer.Argument(metavar="HASH")], as_json: Json = False, debug: Debug = False
) -> None:
    """Send an approved plan."""
    from orchestration.cli.writes import apply as start

    raise typer.Exit(start(plan_hash, as_json))


writing = typer.Typer(help="Corrections and writes with their states and attempts.", invoke_without_command=True)
write_back.add_typer(writing, name="writes")
WriteId = Annotated[int, typer.Argument(metavar="ID", help="The id of the write in `crossdock writes`.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the ledger.")]


@writing.callback()
def writes(context: typer.Context, as_json: Json = False, debug: Debug = False) -> None:
    """Corrections and writes with their states and attempts; `release` and `abandon` end one."""
    from orchestration.cli.writes import writes as start

    if context.invoked_subcommand is None:
        start(as_json)


@writing.command()
def release(number: WriteId, reason: Reason, as_json: Json = False, debug: Debug = False) -> None:
    """End an open write so that its correction is planned anew."""
    from orchestration.cli.writes import release as start

    start(number, reason, as_json)


@writing.command()
def accept(reason: Reason, as_json: Json = False, debug: Debug = False) -> None:
    """Go on with a ledger that was altered, cut short or lost, as it stands; approvals are taken back."""
    from orchestration.cli.writes import accept as start

    start(reason, as_json)


@writing.command()
def abandon(
    reason: Reason,
    number: Annotated[int | None, typer.Argument(metavar="[ID]", help="The id of the write.")] = None,
    correction: Annotated[
        int | None, typer.Option(help="A correction that is in no open write, by its number.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Give up a write and its correction, or a correction alone; where the field asks for four eyes, not by who
    corrected it."""
    from orchestration.cli.writes import abandon as start

    start(number, correction, reason, as_json)
