"""A real Postgres behind TLS is read when its certificate is right, and otherwise not a byte is asked of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from connectors.config_kinds import KINDS
from connectors.config_model import System
from connectors.model import PermanentError
from connectors.sync import landed_position, landing_of, source_position, sync
from tests.tls import Authority, tls_front

from .conftest import Source

HOST = "erp.example.com"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def port(source: Source, authority: Authority) -> Iterator[int]:
    """Where `source` answers over TLS alone, as HOST."""
    source.run("create table s.items (id int primary key, v text); insert into s.items values (1, 'a')")
    with tls_front(authority.issue(HOST, HOST), int(conninfo_to_dict(source.dsn)["port"])) as port:
        yield port


def erp(source: Source, port: int, host: str = HOST, **more: Any) -> System:
    """The system as its file declares it; the address stands in for what a name server would say."""
    dsn = make_conninfo(source.dsn, host=host, hostaddr="127.0.0.1", port=port)
    kind = KINDS["postgres"]
    read = kind.read.model_validate({"kind": "postgres", "dsn": dsn, "slot": source.slot, **more})
    stream = kind.stream.model_validate({"name": "items", "table": "s.items", "key": ["id"]})
    return System(system="erp", role="erp", read=read, streams=(stream,))


def test_a_private_authority_is_named_and_everything_lands(
    source: Source, port: int, authority: Authority, tmp_path: Path
) -> None:
    system, home = erp(source, port, ca_file=str(authority.cert)), tmp_path / "home"
    sync(system, home)
    source.run("insert into s.items values (2, 'b')")
    assert source_position(system, landed_position(home, "erp")) != landed_position(home, "erp")
    sync(system, home)
    with landing_of(home, "erp").session() as db:
        assert db.execute("select id, v from raw_erp.items order by id").fetchall() == [(1, "a"), (2, "b")]


def test_a_certificate_of_somebody_else_or_for_another_host_stops_it(
    source: Source, port: int, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "somebody else")
    for system in (
        erp(source, port),
        erp(source, port, ca_file=str(other.cert)),
        erp(source, port, host="other.example.com", ca_file=str(authority.cert)),
    ):
        with pytest.raises(PermanentError, match="ca_file"):
            sync(system, tmp_path / "home")
    sync(erp(source, port, host="other.example.com", ca_file=str(authority.cert), insecure=True), tmp_path / "home")


def test_a_server_without_tls_is_not_spoken_to(source: Source, authority: Authority, tmp_path: Path) -> None:
    plain = int(conninfo_to_dict(source.dsn)["port"])
    with pytest.raises(PermanentError, match="does not support SSL"):
        sync(erp(source, plain, ca_file=str(authority.cert)), tmp_path / "home")


def test_a_server_that_asks_for_a_certificate_gets_ours(source: Source, authority: Authority, tmp_path: Path) -> None:
    source.run("create table s.items (id int primary key, v text)")
    ours = authority.issue("crossdock_reader")
    pair = {"cert_file": str(ours.cert), "key_file": str(ours.key)}
    inside = int(conninfo_to_dict(source.dsn)["port"])
    with tls_front(authority.issue(HOST, HOST), inside, clients=authority.cert) as port:
        with pytest.raises(Exception, match="certificate|closed|SSL"):
            sync(erp(source, port, ca_file=str(authority.cert)), tmp_path / "home")
        sync(erp(source, port, ca_file=str(authority.cert), **pair), tmp_path / "home")
