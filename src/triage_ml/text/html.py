"""HTML -> text, for what mail clients put into tickets.

Tags that HTML knows are taken out, anything else in angle brackets stays: `<jo@example.org>`, `<secret>`, `List<int>`.
A parser would drop those, and takes a hundred times as long.
"""

from __future__ import annotations

import html
import re

__all__ = ["html_to_text"]

_BLOCKS = (
    "address|article|blockquote|br|center|dd|div|dl|dt|fieldset|footer|form|h[1-6]|header|hr|li|ol|p|pre|section|table|"
    "tbody|tfoot|thead|title|tr|ul"
)
_INLINE = (
    "a|abbr|b|big|body|caption|cite|code|col|colgroup|em|font|html|i|img|input|ins|label|link|meta|o:p|s|small|span|"
    "strike|strong|sub|sup|td|th|tt|u|var"
)
_ATTRIBUTES = r"(?=[\s/>])[^<>]{0,2000}>"
_UNSEEN = re.compile(
    r"<(style|script|head)\b[^<>]{0,2000}>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<!doctype[^<>]{0,500}>", re.I | re.S
)
_BLOCK = re.compile(rf"</?(?:{_BLOCKS}){_ATTRIBUTES}", re.I)
_CELL = re.compile(rf"</t[dh]{_ATTRIBUTES}", re.I)
_TAG = re.compile(rf"</?(?:{_INLINE}){_ATTRIBUTES}", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d?);", re.I)


def html_to_text(text: str) -> str:
    """Tags out, entities resolved, one line a block; text without either comes back as it is."""
    if "<" in text:
        text = _UNSEEN.sub(" ", text)
        text = _TAG.sub("", _BLOCK.sub("\n", _CELL.sub(" ", text)))
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    character = html.unescape(entity[0])
    return character if character.isprintable() or character in "\n\t\xa0" else ""
