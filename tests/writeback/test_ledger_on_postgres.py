"""The ledger in a Postgres: checked while others commit."""

from psycopg.conninfo import conninfo_to_dict

from connectors.control import Keeping, open_control
from connectors.writeback import chain
from sandbox.systems.postgres import PostgresServer
from tests.writeback import steps


def test_a_check_is_of_one_state_whoever_commits_meanwhile(tmp_path, landed, monkeypatch):
    server = PostgresServer(tmp_path / "postgres")
    entries = chain._entries

    def slowly(connection):
        """Somebody else commits between the entries and the rows."""
        found = entries(connection)
        monkeypatch.setattr(chain, "_entries", entries)
        steps.correct(control, landed.path, "22.00")
        return found

    try:
        with server:
            said = conninfo_to_dict(server.superuser_dsn())
            url = (
                f"postgresql+psycopg://{said['user']}:{said['password']}@{said['host']}:{said['port']}/{said['dbname']}"
            )
            control = open_control(url, keeping=Keeping(tmp_path))
            steps.correct(control, landed.path, "21.50")
            monkeypatch.setattr(chain, "_entries", slowly)
            assert chain.check_chain(control) is None
            assert chain._entries is entries and chain.check_chain(control) is None
            control.close()
    finally:
        server.discard()
