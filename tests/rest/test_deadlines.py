"""No server holds a reader for longer than stated, however it answers; what it gave before is kept."""

import contextlib
import json
import socket
import threading
import time
from datetime import timedelta

import pytest

from connectors import deadlines
from connectors import sync as syncing
from connectors.model import TransientError, Unreachable
from connectors.postgres.ahead import ahead
from connectors.rest.client import RestClient
from connectors.sync import landed_position, source_position, sync
from connectors.writeback.mapping import load_mapping
from connectors.writeback.target import HttpTarget
from tests.rest.conftest import Response, order

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: 1\r\nContent-Length: 1000000\r\n\r\n"


@contextlib.contextmanager
def dripping(first: bytes, each: bytes):
    """A server that sends `first` at once, then `each` every 20 ms as long as somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def serve():
            with contextlib.suppress(OSError):
                while not over.is_set():
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        connection.sendall(first)
                        while not over.wait(0.02):
                            connection.sendall(each)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()


@pytest.mark.parametrize("first", [HEAD, b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["body", "headers"])
def test_an_answer_that_drips_ends_with_a_name_and_is_not_asked_for_again(read, first, monkeypatch):
    monkeypatch.setattr(deadlines, "PACE_S", 0.5)
    with dripping(first, b" ") as url, RestClient(read.model_copy(update={"base_url": url})) as client:
        with pytest.raises(Unreachable, match="too slowly"):
            client.get("/v1/orders")


def test_an_answer_that_goes_on_at_any_rate_ends_at_its_deadline(read):
    changes = {"deadline": timedelta(seconds=0.6)}
    with dripping(HEAD, b" " * 1000) as url, RestClient(read.model_copy(update={"base_url": url, **changes})) as client:
        with pytest.raises(Unreachable, match=r"more than 0\.6 s"):
            client.get("/v1/orders")


def test_an_answer_that_pauses_because_the_server_is_at_work_is_waited_for(monkeypatch):
    monkeypatch.setattr(deadlines, "PACE_S", 0.0)
    deadline = deadlines.Deadline(60, "there")
    for _ in range(deadlines.LEAST_READS - 1):
        deadline.came(0)


def test_a_write_whose_answer_drips_or_is_too_deep_is_in_doubt(monkeypatch):
    monkeypatch.setattr(deadlines, "PACE_S", 0.5)
    deep = b"[" * 5000 + b"]" * 5000
    for first, each in (
        (HEAD, b" "),
        (HEAD.replace(b"1000000", str(len(deep)).encode()) + deep, b""),
    ):
        with dripping(first, each) as url:
            target = HttpTarget(url, {}, load_mapping(), 5.0)
            assert target.read("item", "142").kind == "in_doubt"
            target.close()


def test_a_system_that_refuses_connections_is_given_up_in_time(oms, home, monkeypatch):
    monkeypatch.setattr(syncing, "PATIENCE_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        free = listening.getsockname()[1]
    gone = oms.model_copy(update={"read": oms.read.model_copy(update={"base_url": f"http://127.0.0.1:{free}"})})
    started = time.monotonic()
    with pytest.raises(Unreachable, match="no connection"):
        sync(gone, home)
    assert time.monotonic() - started > 0.5  # it was asked more than once
    assert syncing.PATIENCE_S + gone.read.connect_timeout.total_seconds() < 20


def test_pages_without_end_are_capped_and_the_next_pass_goes_on_behind_them(api, oms, home):
    served = []

    def page(request):
        number = int(request.query_params.get("cursor") or 0)
        served.append(number)
        return Response(json.dumps({"orders": [order(number)], "next_cursor": str(number + 1)}))

    capped = oms.model_copy(update={"read": oms.read.model_copy(update={"max_pages": 5})})
    api.misbehave = [page] * 11
    assert sync(capped, home).rows == 5
    assert landed_position(home, capped) != source_position(capped, landed_position(home, capped))
    served.clear()
    assert sync(capped, home).rows == 5  # one page of the eleven was the look at the position
    assert served == [5, 6, 7, 8, 9]


def test_a_source_that_sends_nothing_more_is_left(monkeypatch):
    monkeypatch.setattr("connectors.postgres.ahead.JOIN_S", 0.1)
    stuck = threading.Event()

    def items():
        yield 1
        stuck.wait()

    found = ahead(items(), quiet_s=0.3)
    assert next(found) == 1
    with pytest.raises(TransientError, match="sent nothing"):
        next(found)
    stuck.set()
