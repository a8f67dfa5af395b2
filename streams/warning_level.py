"""The level of a warning 预警级别: red, orange, yellow or blue, from whatever its issuer says it by. Pure.

In this order: the colour in place of the severity (GB/T 35965), a parameter or event code that is a colour, the last
colour in headline or event ("黄色升级为橙色" is orange), the severity.
"""

import re
from collections.abc import Iterable

from operations.warning import LEVELS
from streams.cap import COLOURS, Info

CHINESE = {"红": "red", "橙": "orange", "黄": "yellow", "蓝": "blue"}
BY_SEVERITY = {severity: colour for colour, severity in COLOURS.items()}
WORD = re.compile(
    r"([红橙黄蓝])色|\b(red|orange|amber|yellow|blue)\b(?=\s+(?:\w+\s+){0,3}(?:warning|alert|signal))", re.I
)
VALUE = re.compile(r"([红橙黄蓝])色?(?:预警(?:信号)?)?|(red|orange|amber|yellow|blue)", re.I)


def level(info: Info) -> str:
    """Return the level of what is said in one language, or "" where nobody says one."""
    if info.colour:
        return info.colour
    for _, value in info.parameters:
        found = VALUE.fullmatch(value.strip())
        if found:
            return _colour(found)
    for words in (info.headline, info.event):
        last = [found for found in WORD.finditer(words)][-1:]
        if last:
            return _colour(last[0])
    return BY_SEVERITY.get(info.severity, "")


def gravest(infos: Iterable[Info]) -> str:
    """Return the gravest level of all that is said."""
    found = {level(info) for info in infos}
    return next((one for one in LEVELS if one in found), "")


def _colour(found: re.Match[str]) -> str:
    if found[1]:
        return CHINESE[found[1]]
    return found[2].lower().replace("amber", "orange")
