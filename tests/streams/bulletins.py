"""CAP documents for tests, made by code."""

from datetime import UTC, datetime

SECOND = 1_000_000
HOUR = 3_600 * SECOND
SENDER = "qxt@example.cn"
INFO = """<info><language>{language}</language><category>Met</category><event>{event}</event>
<urgency>Expected</urgency><severity>{severity}</severity><certainty>Likely</certainty>{times}
<senderName>{issuer}</senderName><headline>{headline}</headline><description>{description}</description>
<instruction>{instruction}</instruction>{extra}<area><areaDesc>{area}</areaDesc>{where}</area></info>"""
WORDS = {
    "language": "zh-CN", "event": "暴雨", "severity": "Extreme", "issuer": "市气象台",
    "headline": "市气象台发布暴雨红色预警信号", "description": "预计三小时内雨量将达 100 毫米。",
    "instruction": "停止户外作业。", "extra": "", "area": "城区",
    "where": "<geocode><valueName>CN-ADMIN</valueName><value>990101001</value></geocode>",
}  # fmt: skip


def stamp(at: int) -> str:
    """A time as CAP writes it."""
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def info(*, expires: int | None, **words: str) -> str:
    """One info block."""
    times = "" if expires is None else f"<expires>{stamp(expires)}</expires>"
    return INFO.format(**{**WORDS, **words}, times=times)


def document(
    identifier: str = "W1",
    *,
    sent: int,
    kind: str = "Alert",
    status: str = "Actual",
    scope: str = "Public",
    references: str = "",
    expires: int | None = None,
    infos: str | None = None,
    encoding: str = "UTF-8",
    namespace: str = "urn:oasis:names:tc:emergency:cap:1.2",
    **words: str,
) -> bytes:
    """A whole document; `expires` None leaves the end out."""
    said = info(expires=expires, **words) if infos is None else infos
    refers = f"<references>{references}</references>" if references else ""
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<alert xmlns="{namespace}"><identifier>{identifier}</identifier>'
        f"<sender>{SENDER}</sender><sent>{stamp(sent)}</sent><status>{status}</status><msgType>{kind}</msgType>"
        f"<scope>{scope}</scope>{refers}{said}</alert>"
    )
    return text.encode(encoding)


def reference(identifier: str, sent: int) -> str:
    """How a message names another one."""
    return f"{SENDER},{identifier},{stamp(sent)}"
