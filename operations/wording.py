"""Words from people and their systems, without the characters that hide or reorder them or that no database takes."""

import re

# C0 and C1 controls but tab and line feed, bidi overrides, embeddings and isolates (Unicode TR 9), byte-order marks,
# interlinear annotation, halves of characters, and tag characters outside emoji flags are of no use in a text.
# Right-to-left letters, joiners (emoji families, Persian) and direction marks stay.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text without hidden characters, line ends as `\\n`."""
    if text.isprintable() or HIDDEN.search(text) is None:  # the first is quicker, but false for a line feed too
        return text
    return HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def cleaned(text: str) -> str:
    """The same, trimmed."""
    return visible(text).strip()
