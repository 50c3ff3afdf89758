"""Which details tickets of a pattern name: what masking found in them becomes the field of a form."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage_ml.text import mask

__all__ = ["Field", "form_fields"]

#: Placeholder -> name, label and type of a field. What is secret is never asked for.
_FIELDS: Mapping[str, tuple[str, str, str]] = {
    "host": ("device", "Device or server", "text"),
    "email": ("email", "E-mail address", "email"),
    "phone": ("phone", "Phone number", "tel"),
    "id": ("reference", "Number or user name", "text"),
    "guid": ("reference", "Number or user name", "text"),
    "hex": ("code", "Code", "text"),
    "date": ("date", "Date", "date"),
    "time": ("time", "Time", "time"),
    "num": ("number", "Number", "number"),
    "path": ("path", "File or folder", "text"),
    "url": ("address", "Web address", "url"),
    "ip": ("ip_address", "IP address", "text"),
    "mac": ("mac_address", "MAC address", "text"),
    "version": ("version", "Version", "text"),
}
REQUIRED_FROM, SHOWN_FROM = 0.6, 0.15
_SLOT = re.compile(r"(?:([^\W\d_]{2,20})[ :#]{1,3})?<([a-z]+)>")
#: Words before a slot that do not say what it is.
_EMPTY = frozenset(
    (
        "on", "in", "at", "to", "for", "from", "of", "and", "or", "is", "the", "a", "an", "my", "our", "since", "with",
        "von", "der", "die", "das", "auf", "im", "am", "en", "el", "la",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A field of a form; `share` of the examples name it."""

    name: str
    label: str
    type: str
    share: float

    @property
    def is_required(self) -> bool:
        """Whether most tickets name it."""
        return self.share >= REQUIRED_FROM


def form_fields(examples: Sequence[str]) -> list[Field]:
    """Fields in order of how many examples name them; the word that mostly stands before one is its label.

    >>> [(field.name, field.label, field.share) for field in form_fields(["Order 4711 is late", "Where is order 815?"])]
    [('number', 'Order', 1.0)]
    """
    named: Counter[str] = Counter()
    before: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text in mask(list(examples)):
        found = {match[2]: match[1] for match in reversed(list(_SLOT.finditer(text))) if match[2] in _FIELDS}
        for slot, word in found.items():
            named[slot] += 1
            if word and word.casefold() not in _EMPTY:
                before[slot][word.casefold()] += 1
    fields: dict[str, Field] = {}
    for slot, count in sorted(named.items(), key=lambda item: (-item[1], item[0])):
        name, label, kind = _FIELDS[slot]
        share = count / len(examples)
        if share >= SHOWN_FROM and name not in fields:
            fields[name] = Field(name, _label(before[slot], count) or label, kind, share)
    return list(fields.values())


def _label(words: Counter[str], count: int) -> str | None:
    word, times = min(words.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return word.capitalize() if times >= 2 and times >= count / 2 else None
