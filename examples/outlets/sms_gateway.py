"""From Gridwall to an SMS gateway 短信网关: one message to one phone. Set GATEWAY_URL to the address of yours.

In Gridwall: add a signed webhook, "Recipient's phone": only those with a phone.
"""

import json
import os
import urllib.request

from receiver import main

SIGN = "【网格指挥中心】"
LONGEST = 280


def mapped(message: dict) -> dict:
    """Return what the gateway wants; names as most gateways have them, change them to yours."""
    order = message["order"]
    text = f"{SIGN}{message['summary']} {order.get('address', '')} {message['text']}"
    return {
        "mobile": message["recipient"]["phone"],
        "content": " ".join(text.split())[:LONGEST],
        "bizId": message["id"],  # the gateway's own idempotency key
    }


def deliver(message: dict) -> str:
    """Hand it to the gateway; an SMS that was taken is sent, not delivered."""
    wanted = mapped(message)
    request = urllib.request.Request(
        os.environ["GATEWAY_URL"],
        data=json.dumps(wanted, ensure_ascii=False).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10):
        return "sent"


if __name__ == "__main__":
    main(deliver)
