"""With CROSSDOCK_UI_TOKEN nobody without it comes in, by whatever way; a browser needs it once."""

import base64

import pytest

from orchestration.settings import SettingsError
from orchestration.ui.access import COOKIE, COOKIE_S, Access
from tests.ui.asking import READ, ask, greeted, query
from tests.ui.conftest import TOKEN


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


def test_without_the_token_nothing_answers(locked: str) -> None:
    for wrong in ("", "Bearer wrong", basic("wrong"), "Basic ?", f"Bearer {TOKEN}x", basic("")):
        page = ask(locked, "GET", "/server_info", **({"Authorization": wrong} if wrong else {}))
        assert page.status == 401 and page.headers["WWW-Authenticate"].startswith("Basic")
    assert ask(locked, "GET", "/server_info", Cookie=f"{COOKIE}=9999999999.{'0' * 64}").status == 401
    assert greeted(locked) == 403


def test_a_program_shows_it_as_a_bearer(locked: str) -> None:
    assert query(locked, READ, Authorization=f"Bearer {TOKEN}").status == 200


def test_a_browser_shows_it_once_and_its_websocket_by_the_cookie(locked: str) -> None:
    page = ask(locked, "GET", "/runs", Authorization=basic(TOKEN))
    cookie = page.headers["Set-Cookie"]
    assert page.status == 200 and TOKEN not in cookie
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    shown = cookie.partition(";")[0]
    assert query(locked, READ, Cookie=shown).status == 200
    assert greeted(locked, origin=f"http://{locked}", Cookie=shown) == "connection_ack"
    assert greeted(locked, origin="http://attacker.example", Cookie=shown) == 403


def test_the_cookie_ends_and_is_of_one_token() -> None:
    now = [1_000_000.0]
    access = Access(token=TOKEN, clock=lambda: now[0])
    cookie = access.new_cookie(secure=True).partition(";")[0]
    assert access.proves("", cookie) == "cookie"
    assert Access(token=TOKEN[::-1], clock=lambda: now[0]).proves("", cookie) is None
    now[0] += COOKIE_S + 1
    assert access.proves("", cookie) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"CROSSDOCK_UI_TOKEN": "short"},
        {"CROSSDOCK_UI_TOKEN": "a-long-token\nwith-two-lines"},
        {"CROSSDOCK_UI_URL": "http://crossdock.example.com"},
        {"CROSSDOCK_UI_URL": "https://user:secret-word@crossdock.example.com"},
        {"CROSSDOCK_UI_URL": "https://crossdock.example.com/path"},
        {"CROSSDOCK_UI_URL": "https://crossdock.example.com, *"},
    ],
)
def test_a_setting_that_would_open_more_than_it_says_is_refused_without_repeating_it(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        Access.from_env(wrong)
    assert next(iter(wrong)) in str(refused.value)
    assert "secret-word" not in str(refused.value) and "two-lines" not in str(refused.value)
