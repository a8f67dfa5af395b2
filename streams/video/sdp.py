"""What a camera says it sends: the session description (RFC 8866) of a DESCRIBE answer, as far as pictures need it."""

import base64
import binascii
from typing import NamedTuple
from urllib.parse import urljoin

from streams.video.errors import Malformed

LINES_MOST = 500
MEDIA_MOST = 16


class Media(NamedTuple):
    """One track. `codec`: upper case, as in rtpmap; `clock`: ticks a second; `control`: what SETUP is asked of."""

    kind: str
    payload_type: int
    codec: str
    clock: int
    control: str
    parameters: dict[str, str]


class Session(NamedTuple):
    """What PLAY is asked of, and the tracks in the order they were described."""

    control: str
    media: tuple[Media, ...]


def parse(text: bytes, base: str) -> Session:
    """Return what a description says; `base` is what relative addresses start from. Raises Malformed."""
    lines = text.decode("utf-8", "replace").splitlines()
    if len(lines) > LINES_MOST:
        raise Malformed(f"the camera's description has more than {LINES_MOST} lines")
    parts: list[list[tuple[str, str]]] = [[]]
    for line in lines:
        kind, mark, value = line.strip().partition("=")
        if not mark or len(kind) != 1:
            continue
        if kind == "m":
            parts.append([])
        parts[-1].append((kind, value))
    if len(parts) - 1 > MEDIA_MOST:
        raise Malformed(f"the camera describes more than {MEDIA_MOST} tracks")
    control = _absolute(base, _attribute(parts[0], "control"))
    tracks = (_media(part, control if _attribute(parts[0], "control") else base) for part in parts[1:])
    return Session(control, tuple(track for track in tracks if track is not None))


def parameter_sets(media: Media) -> tuple[bytes, ...]:
    """Return the parameter sets that stand in a track's description, in the order a decoder wants them; often none."""
    names = ("sprop-vps", "sprop-sps", "sprop-pps") if media.codec == "H265" else ("sprop-parameter-sets",)
    found: list[bytes] = []
    for name in names:
        for word in media.parameters.get(name, "").split(","):
            try:
                found.append(base64.b64decode(word.strip(), validate=True))
            except (binascii.Error, ValueError):
                continue  # the frames carry them too
    return tuple(one for one in found if one)


def _media(part: list[tuple[str, str]], base: str) -> Media | None:
    words = part[0][1].split()
    if len(words) < 4 or not _whole(words[3]):
        return None
    payload_type = int(words[3])
    codec, clock = _mapping(part, payload_type)
    control = _absolute(base, _attribute(part, "control"))
    return Media(words[0], payload_type, codec, clock, control, _parameters(part, payload_type))


def _mapping(part: list[tuple[str, str]], payload_type: int) -> tuple[str, int]:
    for kind, value in part:
        head, _, rest = value.partition(" ")
        if kind == "a" and head == f"rtpmap:{payload_type}":
            codec, _, clock = rest.strip().partition("/")
            digits = clock.partition("/")[0]
            return codec.upper(), int(digits) if _whole(digits) and int(digits) else 90_000
    return "", 90_000


def _parameters(part: list[tuple[str, str]], payload_type: int) -> dict[str, str]:
    for kind, value in part:
        head, _, rest = value.partition(" ")
        if kind == "a" and head == f"fmtp:{payload_type}":
            pairs = (word.strip().partition("=") for word in rest.split(";"))
            return {name.lower(): given for name, _, given in pairs}
    return {}


def _attribute(part: list[tuple[str, str]], name: str) -> str:
    for kind, value in part:
        if kind == "a" and value.startswith(name + ":"):
            return value[len(name) + 1 :].strip()
    return ""


def _absolute(base: str, control: str) -> str:
    if control in ("", "*"):
        return base
    if control.lower().startswith(("rtsp://", "rtsps://")):
        return control
    try:
        joined = urljoin(base if base.endswith("/") else base + "/", control)
    except ValueError as error:
        raise Malformed("the camera's description names an address that is none") from error
    return joined if "://" in joined else base.rstrip("/") + "/" + control


def _whole(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 10
