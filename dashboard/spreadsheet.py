"""Cells of the CSV files we write 表格: a spreadsheet takes none of them for a formula, nor a code for a number."""

MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the machine's own encoding."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell must not begin with: a spreadsheet would reckon with it, a Chinese one with the wide signs too."""
DIGITS_MOST = 11
"""More digits than these are shown as 9.9E+14, and beyond 15 the last ones are lost."""


def harmless(text: str) -> str:
    """Return a text as a spreadsheet shows it letter by letter: behind an apostrophe where it would not."""
    risky = text.lstrip(" ").startswith(FORMULA) or (text.isdigit() and len(text) > DIGITS_MOST)
    return f"'{text}" if risky else text


def cell(value: object) -> object:
    """Return a value for a cell: empty for none, numbers bare, texts harmless."""
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return harmless(value) if isinstance(value, str) else "" if value is None else value
