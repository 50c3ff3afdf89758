"""Addresses in words of others: to be read, never to be followed by a click."""

from __future__ import annotations

import re

__all__ = ["unlinked"]

#: What mail programs, chats and Markdown turn into a link, and where to break it.
_LINK = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)


def unlinked(text: str) -> str:
    """The same text with a zero-width space in each address, so that nothing makes a link of it.

    >>> unlinked("see https://x.example").encode("unicode_escape").decode()
    'see https:\\\\u200b//x.example'
    """
    return _LINK.sub("\u200b", text)
