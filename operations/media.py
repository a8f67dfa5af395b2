"""What may be attached 附件类型: judged by what a file holds, never by its name. Pure, bounded.

Images are written anew, so nothing rides along behind them; where a photo was taken is left out unless it is wanted.
"""

import io
import re
import zipfile

import puremagic
from msgspec import Struct
from PIL import Image, ImageOps, UnidentifiedImageError

from operations.errors import Refused

MEBI = 1024 * 1024
LARGEST = 64 * MEBI
"""Bytes of the largest file of any kind: it is sealed as a whole."""
PIXELS_MOST = 40_000_000
THUMBNAIL = 480
"""Pixels of the longer side of the small picture."""
PARTS_MOST, UNPACKED_MOST = 5_000, 256 * MEBI
"""Files in an office document, and bytes of all of them."""
KINDS = ("photo", "voice", "video", "document")
_OFFICE = "application/vnd.openxmlformats-officedocument"
ALLOWED = {
    ".jpg": ("photo", "image/jpeg"),
    ".png": ("photo", "image/png"),
    ".webp": ("photo", "image/webp"),
    ".mp3": ("voice", "audio/mpeg"),
    ".m4a": ("voice", "audio/mp4"),
    ".wav": ("voice", "audio/wav"),
    ".ogg": ("voice", "audio/ogg"),
    ".amr": ("voice", "audio/amr"),
    ".mp4": ("video", "video/mp4"),
    ".mov": ("video", "video/quicktime"),
    ".webm": ("video", "video/webm"),
    ".pdf": ("document", "application/pdf"),
    ".docx": ("document", f"{_OFFICE}.wordprocessingml.document"),
    ".xlsx": ("document", f"{_OFFICE}.spreadsheetml.sheet"),
}
"""The ending of what it really is → (kind, media type)."""
_PHOTOS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
_ODD = {".heif": "heic", ".heic": "heic", ".avif": "heic", ".gif": "gif", ".svg": "svg", ".html": "html"}
_PLACE = re.compile(rb"[+-]\d{2}\.\d{2,8}[+-]\d{3}\.\d{2,8}(?:[+-]\d{1,5}\.\d{1,6})?/")
"""A place as telephones write it into videos (ISO 6709)."""


class Checked(Struct, frozen=True):
    """A file that may be kept: its kind, media type, ending and content."""

    kind: str
    media_type: str
    ending: str
    content: bytes


def checked(content: bytes, limits: dict[str, int], *, keep_place: bool = False) -> Checked:
    """Return what a file is, cleaned; `limits`: bytes by kind. Raises Refused, saying what is wrong with it."""
    if not content:
        raise Refused("attachments.empty")
    ending = ending_of(content)
    kind, media_type = ALLOWED[ending]
    if len(content) > min(limits[kind], LARGEST):
        raise Refused("attachments.too_large", kind=kind, most=min(limits[kind], LARGEST) // MEBI)
    if kind == "photo":
        content = written_anew(content, keep_place=keep_place)
    elif kind == "document":
        _check_document(content, ending)
    elif kind == "video" and not keep_place:
        content = _PLACE.sub(_nowhere, content)
    return Checked(kind, media_type, ending, content)


def ending_of(content: bytes) -> str:
    """Return the ending that fits what a file holds. Raises Refused for what is not allowed."""
    try:
        found = [one.extension.lower() for one in puremagic.magic_string(content)]
    except (puremagic.PureError, ValueError):
        raise Refused("attachments.unknown") from None
    first = {".jpe": ".jpg", ".jpeg": ".jpg", ".jfif": ".jpg", ".mpga": ".mp3", ".oga": ".ogg", ".3gp": ".mp4"}
    told = [first.get(one, one if one.startswith(".") else f".{one}") for one in found]
    if _is_zip(content):
        return _office(content)
    if told and told[0] in _ODD:
        raise Refused(f"attachments.{_ODD[told[0]]}")
    allowed = next((one for one in told[:2] if one in ALLOWED), "")
    if not allowed or (allowed == ".pdf" and not content.startswith(b"%PDF-")):
        raise Refused("attachments.unknown")
    return allowed


def written_anew(content: bytes, *, keep_place: bool = False) -> bytes:
    """Return an image drawn from its pixels: nothing hidden behind or inside it is left. Raises Refused."""
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_PHOTOS)) as image:
            if image.width * image.height > PIXELS_MOST:
                raise Refused("attachments.too_many_pixels", most=PIXELS_MOST // 1_000_000)
            kind = str(image.format)
            exif = image.info.get("exif") if keep_place else None
            image.load()
            upright = image if keep_place else ImageOps.exif_transpose(image)
            more = {"exif": exif} if exif else {}
            return _saved(_plain(upright, kind), kind, **more)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError):
        raise Refused("attachments.broken_image") from None


def thumbnail(content: bytes) -> bytes:
    """Return a small JPEG of an image of ours."""
    with Image.open(io.BytesIO(content), formats=tuple(_PHOTOS)) as image:
        image.draft("RGB", (THUMBNAIL, THUMBNAIL))
        small = ImageOps.exif_transpose(image).convert("RGB")
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        return _saved(_plain(small, "JPEG"), "JPEG")


def _plain(image: Image.Image, kind: str) -> Image.Image:
    """The pixels alone: what an image carries beside them does not go along."""
    mode = "RGB" if kind == "JPEG" or image.mode in ("CMYK", "YCbCr") else "RGBA" if "A" in image.getbands() else "RGB"
    if image.mode == "P" and "transparency" in image.info and kind != "JPEG":
        mode = "RGBA"
    drawn = image.convert(mode)
    drawn.info = {}
    return drawn


def _saved(image: Image.Image, kind: str, **more: bytes) -> bytes:
    out = io.BytesIO()
    quality = {"PNG": {"compress_level": 6}}.get(kind, {"quality": 88})
    image.save(out, kind, **quality, **more)
    return out.getvalue()


def _is_zip(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def _office(content: bytes) -> str:
    """The ending of an office document, by the parts it is made of."""
    names = {one.filename for one in _parts(content)}
    if any("vbaproject" in name.lower() for name in names):
        raise Refused("attachments.macros")
    if "[Content_Types].xml" in names:
        for part, ending in (("word/document.xml", ".docx"), ("xl/workbook.xml", ".xlsx")):
            if part in names:
                return ending
    raise Refused("attachments.unknown")


def _check_document(content: bytes, ending: str) -> None:
    if ending != ".pdf" and sum(one.file_size for one in _parts(content)) > UNPACKED_MOST:
        raise Refused("attachments.unknown")


def _parts(content: bytes) -> list[zipfile.ZipInfo]:
    """The list of what a zip holds; nothing of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as found:
            parts = found.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise Refused("attachments.unknown") from None
    if len(parts) > PARTS_MOST:
        raise Refused("attachments.unknown")
    return parts


def _nowhere(found: re.Match[bytes]) -> bytes:
    return re.sub(rb"\d", b"0", found.group())
