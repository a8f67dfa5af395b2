"""How the live picture finds a camera: in the catalogue, in the list, with its password, or not at all."""

import pytest

from config.settings import Settings
from dashboard.relaying import LISTED, Cameras
from operations.cameras.item import Item
from operations.cameras.keeping import take
from operations.cameras.reading import of_code
from operations.database import Database
from operations.looks import Whereabouts
from streams.source_secrets import SourceSecrets
from streams.video.address import StreamSource
from streams.video.errors import AddressWrong


def test_a_camera_is_found_in_the_catalogue_and_the_list_goes_before_it(settings: Settings, database: Database) -> None:
    cameras = Cameras(settings.data, database)
    assert cameras.source("none") is None and cameras.place("none") is None
    item = Item(code="34020000001320000001", owner="police", chain=("990101",), url_main="rtsp://10.0.0.1/1")
    with database.write() as transaction:
        take(transaction, "ledger", [item], complete=False, now=1)
        found = of_code(transaction.connection, "ledger", item.code)
    assert found is not None
    SourceSecrets(settings.data / "keys", "cameras").put(found.id, "op:p:w")
    assert cameras.source(found.id) == StreamSource("rtsp://10.0.0.1/1", "", "op", "p:w")
    assert cameras.place(found.id) == Whereabouts(("990101",), "police")

    file = settings.data / LISTED
    file.write_text(f'["{found.id}"]\nmain = "rtsp://media/1"\n[own]\nsub = "rtsps://media/2"\ngrids = ["990101"]\n')
    assert cameras.source(found.id) == StreamSource("rtsp://media/1")
    assert cameras.place(found.id) == Whereabouts(("990101",), "police")
    assert cameras.place("own") == Whereabouts(("990101",), "")
    file.write_text('[own]\nmain = "http://media/2"\n')
    with pytest.raises(AddressWrong, match="own"):
        cameras.source("own")
