"""Imports ahead of need: who needs what a thread is importing waits for that thread."""

import threading

import pytest

from orchestration import imports


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """An import of later steps that begins and does not end until it is let go."""
    begun, let_go = threading.Event(), threading.Event()

    def take_long(name: str) -> None:
        if name in imports.LATER:
            begun.set()
            assert let_go.wait(30)

    monkeypatch.setattr(imports, "_thread", None)
    monkeypatch.setattr(imports.importlib, "import_module", take_long)
    return begun, let_go


def test_a_step_does_not_import_what_another_thread_is_importing(
    slow: tuple[threading.Event, threading.Event],
) -> None:
    begun, let_go = slow
    imports.import_ahead()
    assert begun.wait(30)
    step = threading.Thread(target=imports.imported, daemon=True)
    step.start()
    step.join(0.2)
    assert step.is_alive(), "the step went on while its packages were being imported"
    let_go.set()
    step.join(30)
    assert not step.is_alive()


def test_a_process_that_imports_nothing_ahead_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "_thread", None)
    imports.imported()
