"""Title and description as one text."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import pandas as pd

__all__ = ["combine", "ticket_text"]


def combine(title: object, description: object) -> str:
    """Title, newline, description; what is missing (None, NaN, NA, blank) is left out.

    >>> combine("VPN down", None), combine("VPN down", "since noon")
    ('VPN down', 'VPN down\\nsince noon')
    """
    parts = (part.strip() for part in (title, description) if isinstance(part, str))
    return "\n".join(part for part in parts if part)


def ticket_text(frame: pd.DataFrame) -> list[str]:
    """One text a row of a ticket table; an empty string where a row has neither title nor description."""
    columns: list[Iterable[object]] = [
        frame[name].tolist() if name in frame else repeat(None, len(frame)) for name in ("title", "description")
    ]
    return [combine(title, description) for title, description in zip(*columns, strict=True)]
