"""CloudEvents 1.0 over HTTP: structured, batched and binary mode, from headers and body to items. Pure.

CloudEvents 1.0.2, HTTP protocol binding, clauses 3.1 (binary), 3.2 (structured), 3.3 (batched). The event's `data` is
the report. What the report does not say itself, the envelope fills: `id` ← id, `occurred_at` ← time; when the report
has its own id but no revision, `revision` ← time. The event's `source` does not choose our source: the token does.
"""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from streams.errors import Unreadable
from streams.item import BOM, NOTHING, Item, elements, why

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
REQUIRED = ("id", "source", "specversion", "type")
READ = (*REQUIRED, "time", "datacontenttype")
"""The attributes we use; of an extension nothing is read, so nothing in it can go wrong."""
MOST_DEFAULT = 128

_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PLAIN = msgspec.json.Decoder()
_FAULTS = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the attributes are in `ce-…` headers; header names in lower case."""
    return "ce-specversion" in headers


def binary(headers: Mapping[str, str], body: bytes) -> Item:
    """The item of a binary-mode request."""
    attributes = {name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    attributes["datacontenttype"] = headers.get("content-type", "application/json")
    return _item(attributes, body)


def structured(body: bytes) -> Item:
    """The item of one event in JSON; raises Unreadable when the body is no JSON object."""
    try:
        parts = _RAW.decode(body.removeprefix(BOM))
    except _FAULTS as error:
        raise Unreadable(why(error)) from error
    return _of_parts(parts, body)


def batched(body: bytes) -> list[Item]:
    """The items of a batch; a bad event is an item with its fault. Raises Unreadable when the body is no JSON array."""
    return [_event(event) for event in elements(body.removeprefix(BOM))]


def _event(raw: bytes) -> Item:
    try:
        return structured(raw)
    except Unreadable as error:
        return Item(raw, fault=error.code)


def _of_parts(parts: dict[str, msgspec.Raw], raw: bytes) -> Item:
    attributes: dict[str, str] = {}
    for name in READ:
        if name not in parts:
            continue
        try:
            decoded = _PLAIN.decode(parts[name])
        except _FAULTS as error:
            return Item(raw, fault=why(error), field=name)
        if isinstance(decoded, (str, int)):
            attributes[name] = str(decoded)
    if "data_base64" in parts:
        return _base64(attributes, parts["data_base64"], raw)
    if "data" not in parts:
        return Item(raw, fault="missing", field="data")
    return _item(attributes, bytes(parts["data"]), raw)


def _base64(attributes: dict[str, str], value: msgspec.Raw, raw: bytes) -> Item:
    try:
        data = base64.b64decode(msgspec.json.decode(value, type=str), validate=True)
    except (*_FAULTS, binascii.Error, ValueError):
        return Item(raw, fault="not_base64", field="data_base64")
    return _item(attributes, data, raw)


def _item(attributes: Mapping[str, str], data: bytes, raw: bytes = b"") -> Item:
    """The data with what the envelope fills; a wrong envelope makes a faulty item of the whole event."""
    for name in REQUIRED:
        if not attributes.get(name):
            return Item(raw or data, fault="missing", field=name)
    if attributes["specversion"] != "1.0":
        return Item(raw or data, fault="not_allowed", field="specversion")
    if not _is_json(attributes.get("datacontenttype", "application/json")):
        return Item(raw or data, fault="not_json", field="datacontenttype")
    return Item(data, _defaults(attributes, data))


def _is_json(media_type: str) -> bool:
    essence = media_type.partition(";")[0].strip().lower()
    return essence in ("application/json", "text/json") or essence.endswith("+json")


def _defaults(attributes: Mapping[str, str], data: bytes) -> Mapping[str, object]:
    defaults: dict[str, object] = {"id": attributes["id"]}
    if "time" in attributes:
        defaults["occurred_at"] = attributes["time"]
        if _has_own_id(data):
            defaults["revision"] = attributes["time"][:MOST_DEFAULT]
    return defaults or NOTHING


def _has_own_id(data: bytes) -> bool:
    try:
        return "id" in _RAW.decode(data)
    except _FAULTS:
        return False
