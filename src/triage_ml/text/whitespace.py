"""Characters that nobody sees, and too many of those that make space."""

from __future__ import annotations

import re

__all__ = ["drop_controls", "tidy"]

# Control characters but tab and newline; soft hyphen, zero-width space, word joiner, byte order mark; marks that turn the
# direction of writing (letters bring their own). The joiners U+200C and U+200D stay: emoji and several scripts need them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n{3,}")


def drop_controls(text: str) -> str:
    """Every line end as a newline, no control character besides it and tab."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("", _LINE_ENDS.sub("\n", text))


def tidy(text: str) -> str:
    """One space between words, at most one blank line, nothing at the ends."""
    if "  " not in text and text.isascii() and text.isprintable():  # nothing but single spaces
        return text.strip()
    if "\n" not in text:
        return " ".join(text.split())
    lines = "\n".join([" ".join(line.split()) for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", lines).strip()
