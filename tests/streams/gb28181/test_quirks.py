"""Makes of devices as data, and messages written by us in the manner of each (no recording of anybody's)."""

from pathlib import Path

import pytest

from streams.gb28181.catalogue import Listed
from streams.gb28181.effects import Alarmed, Changed, Effect, Heard, Synced
from streams.gb28181.known import QuirksError, makes, quirks_of
from tests.streams.gb28181.wire import CODE, Device, asked, entered, of

MESSAGES = Path(__file__).with_name("messages")
GOOD = '[make.x]\nagents = ["xyz"]\nabout = "a"\nfrom = "b"\n'


def said(make: str, message: str, method: str = "MESSAGE", *, written: str = "gb18030") -> tuple[Device, list[Effect]]:
    """Have a device of a make send one message; the names in it are written in a charset."""
    device = entered(quirks_of(f"{make} NVR", ""))
    sync = device.upper.links[CODE].sync
    assert sync is not None
    text = (MESSAGES / f"{message}.xml").read_text("utf-8").replace("@SN@", str(sync.sn))
    return device, device.send(101.0, method, text.encode(written))


def items(effects: list[Effect]) -> list[Listed]:
    (found,) = of(effects, Synced)
    assert found.whole
    return list(found.items)


def test_a_hikvision_catalogue_is_read_for_what_it_means() -> None:
    device, found = said("Hikvision", "hikvision_catalog")
    camera, alarm_input, area = items(found)
    assert (camera.name, camera.status, camera.parent) == ("人民路&解放路口", "on", "32050700002160000001")
    assert camera.lon is None and "civilcode" not in camera.fields and "password" not in camera.fields
    assert camera.fields["directiontype"] == "3" and area.kind == "area"
    assert [one.device for _, one in asked(found, "devicecontrol")] == [alarm_input.code]
    assert device.upper.directory[CODE].quirks.silent_seconds == 300


def test_a_hikvision_keepalive_names_what_is_faulty() -> None:
    _, found = said("Hikvision", "hikvision_keepalive")
    assert of(found, Heard)[0].faulty == ("32050700001320000001",)


def test_a_dahua_writes_gb_whatever_it_declares() -> None:
    _, found = said("Dahua", "dahua_catalog")
    assert [(one.name, one.status, one.lon) for one in items(found)] == [("广场东", "on", 119.2)]


def test_a_dahua_alarm_at_nowhere_has_no_place() -> None:
    _, found = said("Dahua", "dahua_alarm")
    (one,) = of(found, Alarmed)
    assert (one.alarm.method, one.alarm.description, one.alarm.lon) == ("2", "外部报警", None)


@pytest.mark.parametrize(("make", "events"), [("WVP PRO", ["update"]), ("other", ["off", "update"])])
def test_a_wvp_that_says_off_is_not_believed(make: str, events: list[str]) -> None:
    _, found = said(make, "wvp_notify", "NOTIFY")
    changes = of(found, Changed)[0].changes
    assert [event for event, _ in changes] == events
    assert changes[-1][1].name == "河堤" and changes[-1][1].fields["businessgroupid"] == "32050700002150000001"


def test_the_page_goes_before_the_make_and_the_maker_counts_like_the_agent() -> None:
    assert quirks_of("Embedded Net DVR Hikvision", "").keepalive_misses == 5
    assert quirks_of("Hikvision", '{"keepalive_misses": 3, "guard": false}').keepalive_misses == 3
    assert not quirks_of("", "").guard
    assert {one.name for one in makes()} == {"hikvision", "dahua", "wvp"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + 'charset = "gbk"\n', "charset is out"),
        (GOOD + "keepalive_misses = 1\n", "keepalive_misses is out"),
        (GOOD + 'subscribe = ["ptz"]\n', "subscribe is out"),
        (GOOD + "gaurd = true\n", "gaurd"),
        (GOOD + GOOD.replace("make.x", "make.y"), "two makes"),
        (GOOD.replace('"xyz"', '"XYZ"'), "small letters"),
        (GOOD.replace('["xyz"]', "[]"), "agents"),
        (GOOD.replace('from = "b"\n', ""), "where the fact is from"),
        ("[make", "cannot be read"),
    ],
)
def test_a_file_that_contradicts_itself_says_where(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "quirks.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(QuirksError, match=says):
        makes(file)
