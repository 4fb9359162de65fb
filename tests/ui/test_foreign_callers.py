"""A page on another site can neither read the UI nor do anything through it, whatever a browser lets it send."""

from urllib.parse import quote

import pytest

from tests.ui.asking import MUTATION, READ, ask, greeted, query

ADDRESS = "crossdock.example.com"


def test_its_own_pages_work(ui: str) -> None:
    for own in ({}, {"Host": ADDRESS, "Origin": f"https://{ADDRESS}", "Sec_Fetch_Site": "same-origin"}):
        page = ask(ui, "GET", "/runs", **{key: value for key, value in own.items() if key != "Origin"})
        assert page.status == 200 and "<html" in page.text
        assert page.headers["X-Frame-Options"] == "DENY"
        assert '"version"' in query(ui, READ, **own).text
    assert query(ui, READ, Origin=f"http://{ui}").status == 200
    assert greeted(ui, origin=f"http://{ui}") == "connection_ack"
    assert ask(ui, "GET", "/graphql", Accept="text/html").status == 200


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example:80", "localhost@attacker.example"])
def test_a_name_made_to_point_here_reaches_nothing(ui: str, host: str) -> None:
    assert ask(ui, "GET", "/server_info", Host=host).status in (400, 421)
    assert query(ui, READ, Host=host).status in (400, 421)


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://127.0.0.1:1", f"http://{ADDRESS}"])
def test_a_foreign_page_is_refused_by_its_origin(ui: str, origin: str) -> None:
    assert query(ui, MUTATION, Origin=origin).status == 403
    assert greeted(ui, origin=origin) == 403


def test_nothing_happens_by_get(ui: str) -> None:
    for accept in ("image/*", "text/html", "application/json, text/html"):
        for path in (f"/graphql?query={quote(MUTATION)}", f"/graphql/?query={quote(MUTATION)}"):
            assert ask(ui, "GET", path, Accept=accept).status == 405
    assert ask(ui, "HEAD", f"/graphql?query={quote(MUTATION)}").status == 405
    assert "foreign" not in query(ui, "{ instance { concurrencyLimits { concurrencyKey } } }").text


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; application/json", "multipart/form-data", ""])
def test_nothing_happens_by_what_a_form_can_send(ui: str, kind: str) -> None:
    sent = ask(ui, "POST", f"/graphql?query={quote(MUTATION)}", "{}", **({"Content_Type": kind} if kind else {}))
    assert sent.status == 415


def test_what_another_site_asks_for_is_refused_and_a_link_is_followed(ui: str) -> None:
    foreign = {"Sec_Fetch_Site": "cross-site"}
    link = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert ask(ui, "GET", "/server_info", **foreign).status == 403
    assert ask(ui, "GET", "/runs", **foreign, Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="iframe").status == 403
    assert ask(ui, "POST", "/report_asset_materialization/a", "", **foreign, **link).status == 403
    assert ask(ui, "GET", "/runs", **foreign, **link).status == 200


def test_no_other_site_is_let_in_by_a_preflight(ui: str) -> None:
    asked = ask(ui, "OPTIONS", "/graphql", Origin=f"http://{ui}", Access_Control_Request_Method="POST")
    assert asked.status == 405 and asked.headers["Access-Control-Allow-Origin"] is None
