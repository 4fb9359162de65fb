"""The control store of a home, opened to look or to decide: what only reads waits for nobody, and nothing is decided
on a store or a ledger that is not whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orchestration.settings import Settings


def ledger_fault(control: Any) -> str | None:
    """The first thing in the ledger that does not fit, in words; None when all does. Raises where no key can tell."""
    from connectors.writeback.chain import check_chain

    return check_chain(control)


def keeping_of(settings: Settings) -> Any:
    """Where the key of the ledger and its anchors are: in the home, and where the environment says."""
    from connectors.control import Keeping

    return Keeping(settings.home, settings.environment)


@contextmanager
def looking_at(settings: Settings) -> Iterator[Any]:
    """The control store to read: no lock is waited for and nothing is written."""
    from connectors.control import read_control

    control = read_control(settings.control, keeping=keeping_of(settings))
    try:
        yield control
    finally:
        control.close()


@contextmanager
def deciding_on(settings: Settings) -> Iterator[Any]:
    """The control store to write, when its file and its ledger are whole; else Refused or the connectors' errors:
    nothing is decided on an altered one."""
    from connectors.control import open_control
    from connectors.control.faults import ALTERED
    from connectors.writeback.actor import current_actor
    from connectors.writeback.chain import settle
    from connectors.writeback.errors import Refused

    control = open_control(settings.control, keeping=keeping_of(settings))
    try:
        control.check_pages()
        if broken := ledger_fault(control):
            raise Refused(ALTERED.format(broken=broken))
        settle(control, current_actor())
        yield control
    finally:
        control.close()
