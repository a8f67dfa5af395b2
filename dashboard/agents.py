"""What a browser calls itself (浏览器), said briefly."""

import re

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Version", "Safari"))
SYSTEMS = ("Windows", "Android", "Mac OS X", "CrOS", "Linux")


def browser(agent: str) -> str:
    """Return the browser and the system of a user agent, such as "Chrome 139 · Linux"; what nobody knows is cut."""
    name = next((f"{said} {found[1]}" for key, said in BROWSERS if (found := re.search(rf"{key}/(\d+)", agent))), "")
    system = next((one for one in SYSTEMS if one in agent), "")
    return " · ".join(one for one in (name, system) if one) or agent[:40]


def handheld(agent: str) -> bool:
    """Say whether a user agent calls itself a phone's."""
    return "Mobile" in agent
