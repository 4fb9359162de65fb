"""`crossdock ui` listens where nobody is met by surprise."""

import socket

from tests.cli.conftest import Crossdock


def test_other_machines_are_served_only_with_a_token_and_an_address(crossdock: Crossdock) -> None:
    for given in ({}, {"CROSSDOCK_UI_TOKEN": "sixteen-characters"}, {"CROSSDOCK_UI_URL": "https://a.example.com"}):
        done = crossdock("ui", "--host", "0.0.0.0", "--port", "0", **given)
        assert done.returncode == 2 and "CROSSDOCK_UI_TOKEN" in done.stderr, done.stderr


def test_a_setting_of_the_ui_that_is_not_allowed_is_named(crossdock: Crossdock) -> None:
    done = crossdock("ui", "--port", "0", CROSSDOCK_UI_TOKEN="short-word")
    assert done.returncode == 2 and "CROSSDOCK_UI_TOKEN" in done.stderr and "short-word" not in done.stderr


def test_a_port_that_is_taken_is_told_before_anything_starts(crossdock: Crossdock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = crossdock("ui", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2 and "--port 0" in done.stderr, done.stderr
