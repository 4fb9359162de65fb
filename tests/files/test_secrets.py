"""A secret given to a connector is in no log, no error, no landing file and no control store."""

import logging

from connectors.model import ConnectorError
from connectors.sync import sync
from tests.edi.advice import interchange, shipment
from tests.files.conftest import PASSWORD
from tests.files.test_sync_files import event


def test_the_password_is_nowhere_after_good_and_bad_runs(drop, wms, home, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncssh").setLevel(logging.DEBUG)
    drop.put("EWR/945_1.x12", interchange(1, [shipment(1)])[:-9] + b"x")
    drop.put("EWR/events_1.jsonl", event(1) + "broken\n")
    texts = [repr(wms), str(sync(wms, home))]
    for changes in ({"host_key": "SHA256:" + "A" * 43}, {"root": "/nowhere"}, {"port": 1}, {"username": "nobody"}):
        try:
            sync(wms.model_copy(update={"read": wms.read.model_copy(update=changes)}), home)
        except ConnectorError as error:
            cause = error.__cause__
            texts += [str(error), repr(error), repr(cause), repr(getattr(cause, "__dict__", ""))]
    assert len(texts) > 10
    assert PASSWORD not in " ".join(texts) + caplog.text
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {"wms.duckdb", "control.sqlite"} <= {path.name for path in files}
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
