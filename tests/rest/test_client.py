"""The HTTP client: what is tried again, what is not, what it costs, and what nobody gets to see."""

import gzip
import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import Response

from connectors.model import PermanentError, TransientError
from connectors.rest.budget import TokenBucket
from connectors.rest.client import Refused, RestClient
from connectors.rest.pages import fetch
from connectors.rest.retry import retry_after
from tests.rest.conftest import KEY, json_answer, order

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        (" 120 ", 120.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("9" * 40, 999999999999.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header, seconds):
    assert retry_after(header, NOW) == seconds


def client(read, naps: list[float] | None = None, **changes) -> RestClient:
    return RestClient(read.model_copy(update=changes), sleep=naps.append if naps is not None else lambda _: None)


def answers(*given):
    return [lambda _request, one=one: one for one in given]


def test_a_busy_server_is_asked_again_after_the_time_it_named(api, read):
    api.misbehave = answers(Response("", 429, {"Retry-After": "7"}), Response("", 503))
    naps: list[float] = []
    with client(read, naps) as one:
        one.budget = TokenBucket(5000, 100, sleep=lambda _: None)
        assert b"orders" in one.get("/v1/orders", {"limit": "1"})
    assert naps[0] == 7.0 and 0 < naps[1] < 1 and len(api.requests) == 3


def test_an_absurd_retry_after_ends_the_run_instead_of_sleeping(api, read):
    api.misbehave = answers(Response("", 429, {"Retry-After": "86400"}))
    naps: list[float] = []
    with client(read, naps) as one, pytest.raises(TransientError, match="86400 s"):
        one.get("/v1/orders", {"limit": "1"})
    assert naps == []


def test_attempts_are_bounded(api, read):
    api.misbehave = answers(*[Response("", 500)] * 9)
    with client(read) as one, pytest.raises(TransientError, match="failed 3 times: status 500"):
        one.get("/v1/orders")
    assert len(api.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_tried_again(api, read, status):
    api.misbehave = answers(Response("no", status))
    with client(read) as one, pytest.raises(Refused) as caught:
        one.get("/v1/orders")
    assert caught.value.status == status and len(api.requests) == 1


def test_a_login_page_and_an_error_inside_a_success_are_permanent(api, read, stream):
    api.misbehave = answers(
        Response("<html><form>Sign in</form></html>", 200, media_type="text/html"),
        json_answer({"error": {"code": 17, "message": "tenant suspended"}}),
        json_answer(["not", "a", "page"]),
        json_answer({"orders": {"number": 1}}),
        Response("{'orders': []}", 200),
    )
    for expected in ("page for people", "tenant suspended", "something else than an object", "not a list", "not JSON"):
        with client(read) as one, pytest.raises(PermanentError, match=expected):
            fetch(one, stream, None, None)
    assert len(api.requests) == 5


def test_json_that_ends_too_early_is_asked_for_again(api, read, stream):
    api.orders = [order(1)]
    api.misbehave = answers(Response('{"orders": [{"number": "S-0', 200), Response("", 200))
    with client(read) as one:
        assert len(fetch(one, stream, None, None).records) == 1
    assert len(api.requests) == 3


def test_a_body_that_stays_cut_is_a_transient_failure(api, read, stream):
    api.misbehave = answers(*[Response('{"orders": [', 200)] * 9)
    with client(read) as one, pytest.raises(TransientError, match="ends too early"):
        fetch(one, stream, None, None)


def test_a_large_body_is_cut_off_also_when_it_comes_as_a_small_zip(api, read):
    bomb = gzip.compress(b"0" * 30_000_000)
    assert len(bomb) < 100_000
    api.misbehave = answers(Response(bomb, 200, {"Content-Encoding": "gzip"}))
    with client(read, max_body_mb=2.0) as one, pytest.raises(PermanentError, match="more than 2 MB"):
        one.get("/v1/orders")


def test_a_false_claim_of_gzip_is_transient(api, read):
    api.misbehave = answers(*[Response(b"{}", 200, {"Content-Encoding": "gzip"})] * 3)
    with client(read) as one, pytest.raises(TransientError, match="Content-Encoding"):
        one.get("/v1/orders")


def test_a_redirect_to_another_host_is_refused_and_one_at_home_is_followed(api, read):
    port = api.url.rpartition(":")[2]
    for target in (
        "http://evil.example/v1/orders",
        f"http://localhost:{port}/moved",
        f"http://127.0.0.1:{int(port) ^ 1}/",
    ):
        api.misbehave = answers(Response("", 302, {"Location": target}))
        with client(read) as one, pytest.raises(PermanentError, match="another host"):
            one.get("/v1/orders", {"limit": "1"})
    api.misbehave = answers(Response("", 307, {"Location": "/moved?limit=1"}))
    with client(read) as one:
        assert b"orders" in one.get("/v1/orders", {"limit": "1"})
    api.misbehave = answers(*[Response("", 302, {"Location": "/v1/orders"})] * 9)
    with client(read) as one, pytest.raises(PermanentError, match="more than 3 times"):
        one.get("/v1/orders")


def test_a_silent_server_runs_into_the_time_out(api, read):
    over = threading.Event()

    def silent(_request):
        over.wait(60)
        return Response("{}")

    api.misbehave = [silent] * 2
    with (
        client(read, timeout=timedelta(seconds=0.2), attempts=2) as one,
        pytest.raises(TransientError, match="Timeout"),
    ):
        one.get("/v1/orders")
    over.set()
    while api.misbehave:  # the server is still at it; the next test must not meet what is left
        time.sleep(0.05)


def test_the_key_is_in_no_error_and_no_log(api, read, caplog):
    caplog.set_level(logging.DEBUG)
    api.misbehave = [
        lambda r: Response(f"unknown key {r.headers['x-api-key']}", 403),
        lambda r: json_answer({"error": f"key {r.headers['x-api-key']} is suspended"}),
        lambda r: Response("", 500),
    ]
    texts = []
    for _ in range(3):
        with client(read, attempts=1) as one:
            try:
                texts.append(str(one.get("/v1/orders")[:0]))
            except (PermanentError, TransientError) as error:
                texts += [str(error), repr(error)]
    assert any("***" in text for text in texts), texts
    assert KEY not in " ".join(texts) + caplog.text + repr(read)


def test_no_key_is_taken_from_netrc_or_proxy_from_the_environment(api, read, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    seen = []
    api.misbehave = [lambda r: seen.append(r.headers.get("authorization")) or Response("{}")]
    with client(read) as one:
        one.get("/v1/orders")
    assert seen == [None]


def test_the_budget_spaces_requests_and_a_pause_holds_everybody():
    clock = [0.0]
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        clock[0] += seconds

    bucket = TokenBucket(10, 3, clock=lambda: clock[0], sleep=nap)
    for _ in range(23):
        bucket.acquire()
    assert clock[0] == pytest.approx(2.0) and len(naps) == 20
    clock[0] += 100
    bucket.pause(5)
    before = clock[0]
    bucket.acquire()
    assert clock[0] - before == pytest.approx(5.1)
