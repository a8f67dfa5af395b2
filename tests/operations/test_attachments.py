"""Attachments: judged by content, written anew, sealed, on the shelf, and only for those who may see the matter."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from operations import media
from operations.attachments import Attachments, Limits, forget_keyless, named
from operations.commands import Commands
from operations.database import Database
from operations.entry import Entry
from operations.errors import Forbidden, NotFound, Refused
from operations.orders.dispatch import OrderDraft, Wanted
from operations.policy import Identity
from operations.scope import Scope
from operations.seal import KeyStore
from operations.shelf import Shelf
from tests.operations.desk import LEADER, LEAVES, OPERATOR, Desk, report
from tests.operations.order_story import orders_of

pytestmark = pytest.mark.database

FIREMAN = Identity("account", "f1", "fireman", "liaison", Scope(department="fire"))
OTHER = Identity("account", "w1", "water", "liaison", Scope(department="water"))
WORKER = Identity("account", "g1", "worker", "grid_worker", Scope(LEAVES[0]))
LIMITS = Limits({"photo": 2**20, "voice": 2**20, "video": 2**20, "document": 2**20}, 3)
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    """A shelf of the test's own."""
    return Shelf(folder / "attachments")


@pytest.fixture
def attachments(database: Database, keys: KeyStore, shelf: Shelf, desk: Desk) -> Attachments:
    """Attachments with the clock of the desk."""
    commands = Commands(database, keys, now=desk.tick)
    return Attachments(database, keys, shelf, commands, LIMITS, now=desk.tick)


@pytest.fixture
def order(desk: Desk) -> tuple[str, str]:
    """An order to the fire department and to one grid worker."""
    to = (Wanted("department", "fire", "消防", "fire"), Wanted("person", "p1", "街道值班", "street"))
    return "order", orders_of(desk).send(OPERATOR, OrderDraft(title="排查", text="去看", recipients=to)).id


def photo(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **more: object) -> bytes:
    """A photo with a place in its EXIF."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (31.0, 13.0, 49.0), 3: "E", 4: (121.0, 28.0, 25.0)}
    exif[0x010F] = "SECRETCAM"
    out = io.BytesIO()
    Image.new("RGB", size, (200, 10, 10)).save(out, kind, exif=exif, **more)  # type: ignore[arg-type]
    return out.getvalue()


def zipped(*names: str) -> bytes:
    """A zip that holds empty files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return out.getvalue()


# ---- what a file is ----


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_of_a_photo_only_the_pixels_are_kept(kind: str) -> None:
    hidden = photo(kind) + b"<script>alert(1)</script>PK\x03\x04"
    kept = media.checked(hidden, LIMITS.bytes)
    assert kept.kind == "photo"
    assert b"SECRETCAM" not in kept.content and b"script" not in kept.content
    with Image.open(io.BytesIO(kept.content)) as image:
        assert image.size == (64, 48) and not image.getexif() and "exif" not in image.info


def test_where_a_photo_was_taken_stays_when_it_is_wanted() -> None:
    with Image.open(io.BytesIO(media.checked(photo(), LIMITS.bytes, keep_place=True).content)) as image:
        assert image.getexif().get_ifd(0x8825)[3] == "E"


def test_where_a_video_was_taken_is_blotted_out() -> None:
    told = MP4 + b"moov\xa9xyz\0\x12\x15\xc7+31.2304+121.4737+010.500/" + b"\0" * 40
    kept = media.checked(told, LIMITS.bytes)
    assert b"121.4737" not in kept.content and len(kept.content) == len(told)
    assert b"121.4737" in media.checked(told, LIMITS.bytes, keep_place=True).content


def bomb() -> bytes:
    """A small PNG that says it is 30000 by 30000."""
    made = bytearray(photo("PNG"))
    made[16:24] = (30_000).to_bytes(4, "big") * 2
    return bytes(made)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "attachments.empty"),
        (b"MZ\x90\0\3\0\0\0", "attachments.unknown"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "attachments.html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", "attachments.svg"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 20, "attachments.heic"),
        (b"GIF89a" + b"\0" * 30, "attachments.gif"),
        (photo()[:200], "attachments.broken_image"),
        (bomb(), "attachments.broken_image"),
        (photo("PNG", (2, 2)) + b"\0" * 2**20, "attachments.too_large"),
        (MP4 + b"\0" * 2**20, "attachments.too_large"),
        (zipped("a.txt"), "attachments.unknown"),
        (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "attachments.macros"),
        (b"PK\x03\x04garbage", "attachments.unknown"),
        (b"junk before %PDF-1.7", "attachments.unknown"),
        (b"\xff\xfe\x00just noise", "attachments.unknown"),
    ],
)
def test_what_is_not_allowed_is_refused_and_says_why(content: bytes, why: str) -> None:
    with pytest.raises(Refused) as refused:
        media.checked(content, LIMITS.bytes)
    assert refused.value.code == why


def test_a_photo_of_too_many_pixels_is_not_opened() -> None:
    big = io.BytesIO()
    Image.new("1", (8_000, 6_000)).save(big, "PNG")
    with pytest.raises(Refused, match="too_many_pixels"):
        media.checked(big.getvalue(), LIMITS.bytes)


@pytest.mark.parametrize(
    ("content", "ending", "kind"),
    [
        (MP4, ".mp4", "video"),
        (b"%PDF-1.7\n%\xe2\xe3", ".pdf", "document"),
        (b"#!AMR\n" + b"\0" * 9, ".amr", "voice"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), ".xlsx", "document"),
    ],
)
def test_what_is_allowed(content: bytes, ending: str, kind: str) -> None:
    found = media.checked(content, LIMITS.bytes)
    assert (found.ending, found.kind) == (ending, kind)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.png"),
        ("C:\\x\\现场.exe", "现场.png"),
        ("", "file.png"),
        ("...", "file.png"),
        ("a\x00b\n.jpg", "ab.png"),
        ("长" * 500, "长" * 116 + ".png"),
    ],
)
def test_a_name_has_no_folders_and_the_ending_of_what_it_is(name: str, kept: str) -> None:
    assert named(name, ".png") == kept


# ---- on the shelf, in the journal ----


def test_a_file_is_sealed_named_in_the_entry_and_given_back(
    attachments: Attachments, order: tuple[str, str], desk: Desk, folder: Path, database: Database
) -> None:
    made = attachments.add(FIREMAN, order, "现场.JPG", photo())
    [file] = [one for one in (folder / "attachments").rglob("*") if one.is_file()]
    assert file.name == made.stored and b"JFIF" not in file.read_bytes()
    assert (folder / "attachments").stat().st_mode & 0o777 == 0o700 and file.stat().st_mode & 0o777 == 0o600
    entry: Entry = desk.entries()[-1]
    assert entry.action == "order.attached" and entry.body is not None
    assert entry.body["attachment"]["sha256"] == made.stored and "现场" not in repr(entry.body)
    found, content = attachments.open(OPERATOR, made.id)
    assert found.name == "现场.jpg" and content.startswith(b"\xff\xd8")
    assert Image.open(io.BytesIO(attachments.small(OPERATOR, made.id))).size == (64, 48)
    assert desk.board() is not None


def test_who_may_not_see_the_matter_finds_nothing(attachments: Attachments, order: tuple[str, str]) -> None:
    made = attachments.add(FIREMAN, order, "a.jpg", photo())
    assert attachments.open(WORKER, made.id)[0].id == made.id, "it is the worker's own order"
    for who in (OTHER, Identity("account", "g2", "another", "grid_worker", Scope(LEAVES[0]))):
        for asked in (made.id, "0" * 36):
            with pytest.raises(NotFound):
                attachments.open(who, asked)
        with pytest.raises(NotFound):
            attachments.listed(who, order)
        with pytest.raises(NotFound):
            attachments.add(who, order, "b.jpg", photo())
    with pytest.raises(Forbidden):
        attachments.add(LEADER, order, "b.jpg", photo())
    with pytest.raises(Refused):
        attachments.remove(WORKER, made.id)


def test_an_incident_counts_its_attachments_and_forgets_removed_ones(attachments: Attachments, desk: Desk) -> None:
    desk.send(report())
    subject = "incident", desk.incident().id
    made = [attachments.add(OPERATOR, subject, f"{n}.pdf", b"%PDF-1.7\n%" + bytes([n])) for n in range(3)]
    with pytest.raises(Refused, match="too_many"):
        attachments.add(OPERATOR, subject, "4.pdf", b"%PDF-1.7\n%")
    attachments.remove(OPERATOR, made[0].id)
    assert [one.id for one in attachments.listed(OPERATOR, subject)] == [one.id for one in made[1:]]
    assert desk.incident().attachments == 2
    with pytest.raises(NotFound):
        attachments.open(OPERATOR, made[0].id)


def test_destroying_the_key_of_a_matter_destroys_its_files(
    attachments: Attachments, order: tuple[str, str], keys: KeyStore, database: Database, shelf: Shelf, folder: Path
) -> None:
    made = attachments.add(FIREMAN, order, "a.jpg", photo())
    assert forget_keyless(database, keys, shelf) == 0
    keys.destroy([order[1]])
    with pytest.raises(NotFound):
        attachments.open(OPERATOR, made.id)
    assert forget_keyless(database, keys, shelf) == 1
    assert [one for one in (folder / "attachments").rglob("*") if one.is_file()] == []


def test_forgetting_reaches_every_file_in_bounded_pieces(
    attachments: Attachments, order: tuple[str, str], keys: KeyStore, database: Database, shelf: Shelf, desk: Desk
) -> None:
    attachments.add(FIREMAN, order, "a.jpg", photo())
    attachments.add(FIREMAN, order, "b.jpg", photo())
    to = (Wanted("department", "fire", "消防", "fire"),)
    last = "order", orders_of(desk).send(OPERATOR, OrderDraft(title="另一件", text="", recipients=to)).id
    attachments.add(FIREMAN, last, "c.jpg", photo())
    keys.destroy([last[1]])
    assert [forget_keyless(database, keys, shelf, 1) for _ in range(2)] == [1, 0]
    assert len(attachments.listed(FIREMAN, order)) == 2


def test_a_file_that_was_changed_on_disk_is_not_given(
    attachments: Attachments, order: tuple[str, str], folder: Path
) -> None:
    made = attachments.add(FIREMAN, order, "a.jpg", photo())
    path = folder / "attachments" / made.stored[:2] / made.stored
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(NotFound):
        attachments.open(FIREMAN, made.id)
