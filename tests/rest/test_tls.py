"""An API of a private authority is asked when that is named; a certificate that is not right is not asked twice."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from connectors.config_kinds import RestRead
from connectors.config_model import Write
from connectors.model import PermanentError
from connectors.rest.client import RestClient
from connectors.writeback.errors import TargetUnavailable
from connectors.writeback.mapping import load_mapping
from connectors.writeback.target import HttpTarget
from tests.rest.conftest import json_answer
from tests.tls import Authority, Certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def ours(authority: Authority) -> Certificate:
    return authority.issue("crossdock")


@pytest.fixture(scope="module")
def ports(authority: Authority) -> Iterator[dict[str, int]]:
    """HTTPS servers: `open` for 127.0.0.1, `other` for another host, `mutual` that asks for a certificate."""
    good, other = authority.issue("api", "127.0.0.1"), authority.issue("other", "other.example.com")

    async def item(_: Request) -> Any:
        return json_answer({"StockItemID": 1}, etag='"7"')

    app = Starlette(routes=[Route("/v1/items/1", item)])
    servers, ports = [], {}
    for name, certificate, asked in (("open", good, 0), ("other", other, 0), ("mutual", good, 2)):
        bound = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_config=None, ssl_certfile=certificate.cert, ssl_keyfile=certificate.key,
            ssl_ca_certs=str(authority.cert), ssl_cert_reqs=asked, timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=[[bound]], daemon=True)
        thread.start()
        servers.append((server, thread))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        ports[name] = bound.getsockname()[1]
    yield ports
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)


def client(port: int, **more: Any) -> RestClient:
    said = {"kind": "rest", "base_url": f"https://127.0.0.1:{port}", "timeout": "5s", "attempts": 3, **more}
    return RestClient(RestRead.model_validate(said), sleep=lambda _: pytest.fail("it was asked again"))


def test_a_private_authority_is_trusted_where_it_is_named(ports: dict[str, int], authority: Authority) -> None:
    with client(ports["open"], ca_file=str(authority.cert)) as api:
        assert b"StockItemID" in api.get("/v1/items/1")


def test_a_certificate_that_is_not_right_ends_the_read_at_once(
    ports: dict[str, int], authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "somebody else")
    for port, more in (
        (ports["open"], {}),
        (ports["open"], {"insecure": True}),
        (ports["open"], {"ca_file": str(stranger.cert)}),
        (ports["other"], {"ca_file": str(authority.cert)}),
    ):
        with client(port, **more) as api, pytest.raises(PermanentError, match="ca_file"):
            api.get("/v1/items/1")


def test_a_server_that_asks_for_a_certificate_gets_ours(
    ports: dict[str, int], authority: Authority, ours: Certificate
) -> None:
    pair = {"cert_file": str(ours.cert), "key_file": str(ours.key)}
    with client(ports["mutual"], ca_file=str(authority.cert), **pair) as api:
        assert b"StockItemID" in api.get("/v1/items/1")
    with (
        client(ports["mutual"], ca_file=str(authority.cert), attempts=1) as api,
        pytest.raises(Exception, match="fail"),
    ):
        api.get("/v1/items/1")


def test_a_file_that_is_no_certificate_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not PEM")
    with pytest.raises(PermanentError, match="ca_file"):
        client(1, ca_file=str(tmp_path / "ca.pem"))


def test_a_target_of_a_private_authority_is_written_where_it_is_named(
    ports: dict[str, int], authority: Authority
) -> None:
    said = {"kind": "http", "base_url": f"https://127.0.0.1:{ports['open']}"}
    for more, trusted in (({}, False), ({"ca_file": str(authority.cert)}, True)):
        write = Write.model_validate({**said, **more})
        target = HttpTarget(write.base_url, {}, load_mapping(), 5.0, write.verification())
        try:
            if trusted:
                assert target.read("item", "1").version == "7"
            else:
                with pytest.raises(TargetUnavailable):
                    target.patch("item", "1", {}, "7")
        finally:
            target.close()
