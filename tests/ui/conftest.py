"""Dagster's real webserver behind the guard, on loopback ports, without a code location."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from starlette.types import ASGIApp

from orchestration.ui.access import Access
from orchestration.ui.guard import Guard

TOKEN = "a-token-for-the-tests"
Serve = Callable[[Access], str]


@pytest.fixture(scope="session")
def dagster_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    from dagster import DagsterInstance
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster_webserver.app import create_app_from_workspace_process_context

    folder = str(tmp_path_factory.mktemp("instance"))
    with DagsterInstance.local_temp(folder) as instance, WorkspaceProcessContext(instance, None) as context:
        yield create_app_from_workspace_process_context(context)


@pytest.fixture(scope="session")
def serve(dagster_app: ASGIApp) -> Iterator[Serve]:
    """Serves the UI under an Access; returns host:port."""
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(access: Access) -> str:
        config = uvicorn.Config(Guard(dagster_app, access), port=0, log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
        thread.start()
        servers.append((server, thread))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        return f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield start
    for server, _ in servers:
        server.should_exit = True
    for _, thread in servers:
        thread.join(10)


@pytest.fixture(scope="session")
def ui(serve: Serve) -> str:
    return serve(Access.from_env({"CROSSDOCK_UI_URL": "https://crossdock.example.com"}))


@pytest.fixture(scope="session")
def locked(serve: Serve) -> str:
    """The same with a token."""
    return serve(Access.from_env({"CROSSDOCK_UI_TOKEN": TOKEN}))
