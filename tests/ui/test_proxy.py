"""The recipe of docs/deploying.md, as it stands there: `crossdock ui` behind a real Caddy with TLS, login and token."""

import base64
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.ui.asking import JSON, READ, ask, query

ROOT = Path(__file__).resolve().parents[2]
NAME = "crossdock.example.com"
TOKEN = "a-token-of-the-proxy-and-the-ui"
CADDY = next(filter(None, (shutil.which("caddy"), shutil.which(ROOT / ".venv-proxy" / "bin" / "caddyserver"))), None)
pytestmark = [pytest.mark.verify, pytest.mark.skipif(CADDY is None, reason="no Caddy: `make verify` installs one")]


@dataclass
class Deployed:
    """Where browsers go (`port`, whose certificate `tls` trusts), and where the UI itself is (`direct`)."""

    port: int
    direct: str
    tls: ssl.SSLContext

    @property
    def address(self) -> str:
        return f"https://{NAME}:{self.port}"

    def client(self, login: tuple[str, str] | None) -> httpx2.Client:
        return httpx2.Client(
            base_url=f"https://127.0.0.1:{self.port}", verify=self.tls, trust_env=False, timeout=60, auth=login,
            headers={"Host": f"{NAME}:{self.port}"},
        )  # fmt: skip

    def websocket(self, login: tuple[str, str], origin: str) -> str:
        """The first message, or the status of the refusal."""
        password = base64.b64encode(":".join(login).encode()).decode()
        try:
            with connect(
                f"wss://{NAME}:{self.port}/graphql", sock=socket.create_connection(("127.0.0.1", self.port)),
                ssl=self.tls, origin=origin, subprotocols=["graphql-ws"], proxy=None,
                additional_headers={"Authorization": f"Basic {password}"},
            ) as opened:  # fmt: skip
                opened.send('{"type": "connection_init"}')
                return str(opened.recv(60))
        except InvalidStatus as refused:
            return str(refused.response.status_code)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    port, inner = free_port(), free_port()
    assert CADDY is not None
    hashed = subprocess.run(
        [CADDY, "hash-password", "--plaintext", "a person's password"], check=True, capture_output=True, text=True
    )
    page = (ROOT / "docs" / "deploying.md").read_text()
    recipe = re.search(r"```\n(crossdock\.example\.com \{\n.*?\n\})\n```", page, re.S)
    assert recipe is not None
    written = recipe[1].replace(f"{NAME} {{", f"https://{NAME}:{port} {{\n\ttls internal", 1)
    options = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(options + written.replace("127.0.0.1:3000", f"127.0.0.1:{inner}"))
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "CROSSDOCK_HOME": str(folder / "home"),
        "CROSSDOCK_SYSTEMS": str(folder),
        "CROSSDOCK_UI_TOKEN": TOKEN,
        "CROSSDOCK_UI_URL": f"https://{NAME}:{port}",
        "CROSSDOCK_UI_USER": "analyst",
        "CROSSDOCK_UI_PASSWORD_HASH": hashed.stdout.strip(),
    }
    ui = [sys.executable, "-m", "orchestration.cli", "ui", "--port", str(inner), "--no-daemon"]
    proxy = [CADDY, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with running(ui, env, folder / "ui.log"), running(proxy, env, folder / "proxy.log"):
        authority = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        wait(lambda: answers(inner) and answers(port) and authority.exists(), folder)
        yield Deployed(port, f"127.0.0.1:{inner}", ssl.create_default_context(cafile=str(authority)))


LOGIN = ("analyst", "a person's password")


def test_a_person_who_logs_in_at_the_proxy_uses_the_whole_ui(deployed: Deployed) -> None:
    sni = {"sni_hostname": NAME}
    with deployed.client(LOGIN) as browser:
        page = browser.get("/runs", extensions=sni)
        assert page.status_code == 200 and "<html" in page.text
        own = {"Origin": deployed.address, "Sec-Fetch-Site": "same-origin", **JSON}
        assert '"version"' in browser.post("/graphql", json={"query": READ}, headers=own, extensions=sni).text
    assert "connection_ack" in deployed.websocket(LOGIN, deployed.address)


def test_nobody_else_comes_in_through_the_proxy_or_past_it(deployed: Deployed) -> None:
    sni = {"sni_hostname": NAME}
    for login in (None, ("analyst", "wrong")):
        with deployed.client(login) as stranger:
            assert stranger.get("/runs", extensions=sni).status_code == 401
    assert ask(deployed.direct, "GET", "/runs").status == 401
    assert query(deployed.direct, READ).status == 401


def test_a_foreign_page_does_nothing_through_a_person_who_is_logged_in(deployed: Deployed) -> None:
    sni = {"sni_hostname": NAME}
    with deployed.client(LOGIN) as browser:
        foreign = {"Origin": "https://attacker.example", **JSON}
        assert browser.post("/graphql", json={"query": READ}, headers=foreign, extensions=sni).status_code == 403
        image = {"Accept": "image/*", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}
        assert browser.get(f"/graphql?query={READ}", headers=image, extensions=sni).status_code == 403
    assert deployed.websocket(LOGIN, "https://attacker.example") == "403"


@contextmanager
def running(command: list[str], env: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=env, stdout=file, stderr=file, cwd=log.parent)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def wait(ready: Callable[[], bool], folder: Path, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        logs = "\n".join(log.read_text(errors="replace")[-1500:] for log in folder.glob("*.log"))
        assert time.monotonic() < deadline, logs
        time.sleep(0.2)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
