"""`crossdock`: one command per thing a user does. Nothing here imports Dagster before a command needs it."""

import sys

from orchestration.cli.errors import explained
from orchestration.cli.termination import end_within_grace
from orchestration.private import keep_private


def main() -> None:
    """The console script. Exit status 0 done, 1 failed, 2 bad input; traces only with --debug."""
    from orchestration.cli.app import app

    try:
        keep_private()
        if not {"demo", "ui"} & set(sys.argv[1:2]):  # which stop their own processes in order
            end_within_grace()
        app()
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        message, status = explained(error)
        from orchestration.escaping import visible

        print(f"crossdock: {visible(message)}", file=sys.stderr)
        sys.exit(status)
