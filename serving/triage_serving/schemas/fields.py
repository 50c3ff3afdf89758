"""The values that come in, checked. Strict: nothing is converted.

NUL is removed from text, where it comes from broken exports and means nothing, and refused in ids, where it would be
another id.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

__all__ = ["Description", "Identifier", "Moment", "Title"]

#: A year from the ends of the calendar: at the ends a moment has no date in some time zone.
FIRST_YEAR, LAST_YEAR = 2, 9998
#: These years as a pattern without a lookahead, which RE2 and so many a client's generator can't compile.
_YEARS = "^(000[2-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-"
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _without_nul(value: Any) -> Any:
    return value.replace("\x00", "") if isinstance(value, str) else value


def _refuse_nul(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("must not contain NUL")
    return value


def _moment(value: Any) -> Any:
    """Strict mode takes no text for a time, and the lax one takes numbers and dates without a zone."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("expected an RFC 3339 time with an offset, like 2026-11-22T09:30:00+01:00")
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("no such time in the calendar") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError("no such time in the calendar of every time zone")
    return moment


Title = Annotated[str, StringConstraints(max_length=1_000), BeforeValidator(_without_nul)]
Description = Annotated[str, StringConstraints(max_length=100_000), BeforeValidator(_without_nul)]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    BeforeValidator(_refuse_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]+$"}),
]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    Field(json_schema_extra={"pattern": _YEARS}),
]
