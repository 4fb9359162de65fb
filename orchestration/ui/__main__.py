"""`python -m orchestration.ui`: Dagster's webserver on the workspace of this clone, behind the guard."""

import argparse
import os

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.types import ASGIApp

from orchestration.settings import REPOSITORY
from orchestration.ui.access import Access
from orchestration.ui.guard import Guard

GRACE_S = 3


def guarded_app(context: WorkspaceProcessContext, access: Access) -> ASGIApp:
    """The whole UI as an ASGI app; nothing of it is reached past the guard."""
    return Guard(create_app_from_workspace_process_context(context), access)


def main() -> None:
    """Serves until a signal comes; DAGSTER_HOME names the instance."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.ui")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    access = Access.from_env(os.environ)
    target = WorkspaceFileTarget([str(REPOSITORY / "workspace.yaml")])
    with DagsterInstance.get() as instance:
        # a statement's limit in ms, a connection's age in s, no limit of connections: the defaults of Dagster's own
        instance.optimize_for_webserver(15_000, 3_600, 20)
        with WorkspaceProcessContext(instance, target, version=__version__) as context:
            uvicorn.run(
                guarded_app(context, access),
                host=chosen.host,
                port=chosen.port,
                log_level="warning",
                proxy_headers=False,  # nothing here trusts what a proxy says of its caller
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )


if __name__ == "__main__":
    main()
