"""`crossdock backup PATH` and `crossdock restore PATH --home NEW`."""

import os
from pathlib import Path

from connectors.control.keeping import ANCHOR
from orchestration import backup as backups
from orchestration.cli.output import out, print_json
from orchestration.settings import Settings


def backup(target: Path, as_json: bool) -> None:
    """Copies the home while it works, and says what is in the copy."""
    manifest = backups.backup(Settings.from_env(), target.expanduser().absolute())
    if as_json:
        print_json(manifest)
        return
    size = sum(about["bytes"] for about in manifest["files"].values()) / 1e6
    out().print(
        f"Backed up {len(manifest['files'])} files, {size:,.1f} MB, to {target}: {', '.join(manifest['files'])}"
    )
    if backups.CONTROL not in manifest["files"]:
        out().print("The control store is not in it: CROSSDOCK_CONTROL names one elsewhere; back that one up too")


def restore(source: Path, home: Path, as_json: bool) -> None:
    """Makes a new home from a backup and says what to run next."""
    done = backups.restore(source.expanduser().absolute(), home.expanduser().absolute())
    if as_json:
        print_json(done.__dict__)
        return
    out().print(f"Restored {', '.join(done.systems)} to {home}. Next, with CROSSDOCK_HOME={home}:")
    out().print("  crossdock run                        lands what came since, and makes all the rest anew")
    out().print("  crossdock run --resnapshot SYSTEM    for a database whose slot it calls lost or ahead")
    if done.withdrawn:
        out().print(f"  crossdock plan                       {done.withdrawn} approvals were taken back: what they are")
        out().print(
            "                                       for may have been sent since; plan after a pass and approve"
        )
    if ANCHOR in os.environ:
        out().print(f"  crossdock writes accept --reason TEXT  where {ANCHOR} has seen entries that came after the")
        out().print("                                       backup: they are lost, and the ledger goes on without them")
    if not done.has_control:
        out().print("The backup has no control store: restore that of CROSSDOCK_CONTROL too")
