"""A week's list as files: one self-contained HTML page, a CSV that is safe to open, a workbook, JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, get_args

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from triage_ml.patterns import PatternBook
from triage_ml.review.drawings import sparkline
from triage_ml.review.mapping import week_map
from triage_ml.review.weeks import ReviewedWeek, expected_hours
from triage_ml.review.workbook import workbook
from triage_ml.value import KIND_TITLES

__all__ = ["FORMATS", "Format", "csv_text", "document_template", "week_document"]

Format = Literal["html", "csv", "xlsx", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
#: A spreadsheet runs what begins with these.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_COLUMNS = (
    "place", "pattern_id", "title", "status", "owner", "kind", "why", "tickets", "trend", "trend_ratio", "touch_minutes",
    "touch_source", "hours_p10", "hours_p50", "hours_p90", "hours_expected", "certainty", "automatability", "tiers",
    "realised_hours", "realised_low", "realised_high", "promised_hours_a_week", "realised_hours_a_week",
)  # fmt: skip


def week_document(report: ReviewedWeek, kind: Format, book: PatternBook | None = None) -> bytes:
    """The list in one of `FORMATS`. The HTML page needs nothing from elsewhere, and has the map of the patterns where their
    book is given; no cell can run in a spreadsheet."""
    return _html(report, book) if kind == "html" else _WRITERS[kind](report)


def csv_text(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows under their columns; a text that a spreadsheet would run gets an apostrophe before it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return buffer.getvalue()


@cache
def document_template(name: str) -> Any:
    """A template of this package, escaping all text."""
    environment = Environment(
        loader=PackageLoader("triage_ml.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sparkline"] = sparkline
    return environment.get_template(name)


def _html(report: ReviewedWeek, book: PatternBook | None = None) -> bytes:
    longest = max((candidate["hours"]["p90"] for candidate in report.candidates), default=0.0)
    text: str = document_template("week.html").render(
        week=report,
        monday=report.monday,
        candidates=report.candidates,
        hours=report.hours,
        realised=report.realised,
        longest=longest or 1.0,
        kinds=KIND_TITLES,
        map=week_map(report, book),
    )
    return text.encode()


def _csv(report: ReviewedWeek) -> bytes:
    return csv_text(_COLUMNS, _rows(report)).encode("utf-8-sig")


def _xlsx(report: ReviewedWeek) -> bytes:
    rows = [[_safe(cell) for cell in row] for row in _rows(report)]
    return workbook([(report.week, [_COLUMNS, *rows])])


def _json(report: ReviewedWeek) -> bytes:
    return orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2)


_WRITERS: Mapping[Format, Callable[[ReviewedWeek], bytes]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "json": _json,
}


def _rows(report: ReviewedWeek) -> list[Sequence[object]]:
    return [_row(place, candidate) for place, candidate in enumerate(report.candidates, start=1)]


def _row(place: int, candidate: Mapping[str, Any]) -> Sequence[object]:
    trend, touch, hours = candidate["trend"], candidate["touch_time"], candidate["hours"]
    tiers = ", ".join(f"{tier} {share:.0%}" for tier, share in candidate["tiers"].items())
    names = (candidate[name] for name in ("pattern_id", "title", "status", "owner", "kind", "why", "volume"))
    figures = (trend["direction"], trend["ratio"], touch["minutes"], touch["source"])
    expected = round(expected_hours(candidate), 3)
    saved = (hours["p10"], hours["p50"], hours["p90"], expected, candidate["savings"]["certainty"])
    back = candidate.get("realised") or {}
    looked_back = (back.get(name) for name in ("hours", "low", "high", "promised", "hours_a_week"))
    return (place, *names, *figures, *saved, candidate["automatability"], tiers, *looked_back)


def _safe(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
