"""From Gridwall to a group robot of a 政务钉钉-type work chat: a card in the department's group.

ROBOT_URLS names a JSON file {"fire": {"url": "https://…", "secret": "SEC…"}}: one robot a department. The robot's own
signature is that of such chats: HMAC-SHA256 over "timestamp\\nsecret" with the secret, in the address.
"""

import base64
import hashlib
import hmac
import json
import os
import time
import urllib.parse
import urllib.request
from pathlib import Path

from receiver import main


def mapped(message: dict) -> dict:
    """Return the card."""
    order, due = message["order"], message["order"].get("due", {})
    lines = [f"### {message['summary']}", f"- 地点：{order.get('address') or '—'}"]
    lines += [f"- {name}：{at}" for name, at in due.items()]
    lines += ["", message["text"], "", f"> {message['id']}"]
    return {"msgtype": "markdown", "markdown": {"title": message["summary"], "text": "\n".join(lines)}}


def signed(url: str, secret: str, now: float) -> str:
    """Return the robot's address with its signature."""
    stamp = str(round(now * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    query = urllib.parse.urlencode({"timestamp": stamp, "sign": base64.b64encode(digest).decode()})
    return f"{url}{'&' if '?' in url else '?'}{query}"


def deliver(message: dict) -> str:
    """Post the card to the department's group; a department without a robot cannot be reached (KeyError)."""
    robots = json.loads(Path(os.environ["ROBOT_URLS"]).read_text("utf-8"))
    robot = robots[message["recipient"]["department"]]
    request = urllib.request.Request(
        signed(robot["url"], robot["secret"], time.time()),
        data=json.dumps(mapped(message), ensure_ascii=False).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        said = json.loads(answer.read(64 * 1024) or b"{}")
    if said.get("errcode", 0) != 0:
        raise ValueError(said.get("errmsg", "refused"))
    return "sent"


if __name__ == "__main__":
    main(deliver)
