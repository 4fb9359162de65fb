"""The commands and their options; each calls one function of a module beside this one. Those of write-back stand in
`app_write_back`.
"""

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.app_write_back import write_back
from orchestration.cli.options import Debug, Json

app = typer.Typer(
    help="Crossdock: the data platform of a wholesale distributor. $CROSSDOCK_HOME names the folder it works in.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def demo(
    world: Annotated[str, typer.Option(help="simulated or wwi")] = "simulated",
    once: Annotated[bool, typer.Option("--once", help="End after the first pass.")] = False,
    home: Annotated[Path | None, typer.Option(help="Folder of the demo; default .demo in the clone.")] = None,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Keep running without the Dagster UI.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    days: Annotated[int, typer.Option(min=1, help="Days of history of the simulated world.")] = 730,
    orders_per_day: Annotated[int, typer.Option(min=1)] = 25,
    live: Annotated[float, typer.Option(min=1, help="Seconds per day once the UI is up.")] = 30.0,
    chaos: Annotated[bool, typer.Option("--chaos", help="Faulty sources: slow, failing, duplicate, late.")] = False,
    port: Annotated[int, typer.Option(min=0, help="Port of the UI; 0 takes a free one.")] = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """A distributor in a box: start it, land it, build and check its KPIs, publish, and keep going."""
    from orchestration.cli.demo import Demo
    from orchestration.cli.demo import run as start

    wanted = Demo(world, once, home, not no_ui, seed, days, orders_per_day, live, chaos, port, as_json)
    raise typer.Exit(start(wanted))


@app.command()
def ui(
    host: Annotated[str, typer.Option(help="Where to listen; anything but loopback needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, help="0 takes a free one.")] = 3000,
    no_daemon: Annotated[bool, typer.Option("--no-daemon", help="The daemon runs elsewhere.")] = False,
    debug: Debug = False,
) -> None:
    """The Dagster UI of this home, behind its guard, and the daemon; until Ctrl-C."""
    from orchestration.cli.ui import run as start

    raise typer.Exit(start(host, port, not no_daemon))


@app.command()
def check(
    connect: Annotated[bool, typer.Option("--connect", help="Also ask every system whether it answers.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Validate every system file, the KPI catalogue and the environment."""
    from orchestration.cli.check import run as start

    raise typer.Exit(start(connect, as_json))


@app.command()
def run(
    system: Annotated[list[str] | None, typer.Option(help="Land only this system; may be repeated.")] = None,
    resnapshot: Annotated[
        list[str] | None,
        typer.Option(metavar="SYSTEM", help="Land all that it has, anew, and keep its history; may be repeated."),
    ] = None,
    snapshot: Annotated[
        list[str] | None,
        typer.Option(metavar="SYSTEM.STREAM", help="Read this stream again beside the others; may be repeated."),
    ] = None,
    accept_clock: Annotated[
        bool, typer.Option("--accept-clock", help="Publish as of now, though the clock leapt ahead or was set back.")
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """One pass: land what changed, dbt, checks, publish."""
    from orchestration.cli.run import run as start

    raise typer.Exit(start(system or [], as_json, resnapshot or [], snapshot or [], accept_clock))


@app.command()
def totals(
    system: Annotated[list[str] | None, typer.Option(help="Only this system; may be repeated.")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Do counts and sums of every landed column equal the source's? Reads whole tables there."""
    from orchestration.cli.totals import run as start

    raise typer.Exit(start(system or [], as_json))


@app.command()
def status(as_json: Json = False, debug: Debug = False) -> None:
    """Per system: source and landed position, complete-up-to time, rows, dead letters, last run."""
    from orchestration.cli.status import run as start

    start(as_json)


@app.command()
def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Read every row of every file.")] = False,
    home: Annotated[Path | None, typer.Option(help="Another home than $CROSSDOCK_HOME.")] = None,
    mend: Annotated[bool, typer.Option("--mend", help="Mend what is safe first, and list it.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Judge a home: damaged files, a broken `current`, an altered ledger, space, access. Changes nothing but what
    --mend asks for."""
    from orchestration.cli.doctor import run as start

    raise typer.Exit(start(deep, as_json, home, mend))


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="PATH", help="A folder that is not there yet.")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy what a pass cannot make again, the control store and what landed, while everything goes on."""
    from orchestration.cli.backup import backup as start

    start(target, as_json)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="PATH", help="What `crossdock backup` made.")],
    home: Annotated[Path, typer.Option(help="The new home: a folder that is absent or empty.")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a new home from a backup, once every file of it is proved whole."""
    from orchestration.cli.backup import restore as start

    start(source, home, as_json)


@app.command()
def kpi(
    kpi: Annotated[list[str] | None, typer.Option("--kpi", help="KPI id; may be repeated. Default: all.")] = None,
    by: Annotated[str, typer.Option(help="day, week, month, year or total")] = "total",
    where: Annotated[list[str] | None, typer.Option(help="DIMENSION=VALUE, or DIMENSION for all its values")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """KPI cells of the published version."""
    from orchestration.cli.kpi import run as start

    start(kpi or [], by, where or [], as_json)


@app.command()
def trace(
    order: Annotated[str, typer.Argument(help="OMS number, ERP order, customer PO, tracking or shipment number")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """One order's events across all systems, in UTC, with source, raw time and confidence."""
    from orchestration.cli.trace import run as start

    start(order, as_json)


@app.command("dead-letters")
def dead_letters(
    system: Annotated[str | None, typer.Option(help="Only this system.")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Records that could not land, with their reasons."""
    from orchestration.cli.letters import listing

    listing(system, as_json)


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters; default: all open ones.")] = None,
    system: Annotated[str | None, typer.Option(help="Only this system.")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Try dead letters again after a fix."""
    from orchestration.cli.letters import again

    again(ids or [], system, as_json)


app.add_typer(write_back)
