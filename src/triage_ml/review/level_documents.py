"""Service levels as files: the same tables on a self-contained HTML page, in a CSV, in a workbook; and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from triage_ml.review.documents import Format, csv_text, document_template
from triage_ml.review.workbook import workbook

__all__ = ["Sheet", "level_sheets", "levels_document"]


@dataclass(frozen=True)
class Sheet:
    """A table with its head; `note` says what it is against."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


def levels_document(levels: Mapping[str, Any], kind: Format) -> bytes:
    """Service levels in one of the formats."""
    sheets = level_sheets(levels)
    if kind == "html":
        text: str = document_template("service_levels.html").render(levels=levels, sheets=sheets)
        return text.encode()
    if kind == "csv":
        return csv_text(("table", "row", "column", "value"), _long(sheets)).encode("utf-8-sig")
    if kind == "xlsx":
        return workbook([(sheet.title, [sheet.columns, *sheet.rows]) for sheet in sheets])
    return orjson.dumps(dict(levels), option=orjson.OPT_INDENT_2)


def level_sheets(levels: Mapping[str, Any]) -> list[Sheet]:
    """The tables that there are figures for."""
    weeks = levels["weeks"]
    against = _against(levels)
    sheets = [
        Sheet("Tickets by tier", ("Tier", *weeks), [(one["tier"], *one["tickets"]) for one in levels["tiers"]]),
        Sheet("Hours by tier", ("Tier", *weeks), [(one["tier"], *one["hours"]) for one in levels["tiers"]]),
        Sheet(
            "Shift left",
            ("Work", "Tickets expected", "Moved", "Share"),
            [
                (
                    f"{', '.join(one['source'])} → {', '.join(one['target'])}",
                    one["expected"],
                    one["moved"],
                    one["share"],
                )
                for one in levels["flows"]
            ],
            against,
        ),
        Sheet(
            "Moved down from a tier",
            ("Tier", "Expected", "Solved there", "Share moved down", "Hours a week", "Cost a week"),
            [
                tuple(one[name] for name in ("tier", "expected", "solved", "share", "hours_a_week", "cost_a_week"))
                for one in levels["moved_down"]
            ],
            against,
        ),
        Sheet("Activities", ("Activity", "Share"), list(levels["activities"].items())),
        Sheet(
            "By week",
            ("Figure", *weeks),
            [("Hand-offs a ticket", *levels["handoffs_by_week"])]
            + ([("Service level kept", *levels["sla"]["by_week"])] if levels["sla"] else []),
        ),
        Sheet(
            "Routing",
            ("Target", "Decided", "Closed tickets", "Coverage", "Precision"),
            [
                tuple(one[name] for name in ("target", "action", "tickets", "coverage", "precision"))
                for one in levels.get("routing", ())
            ],
        ),
        Sheet(
            "Ways of hand-offs",
            ("From", "To", "Direction", "Hand-offs"),
            [
                tuple(one[name] for name in ("source", "target", "direction", "count"))
                for one in levels.get("routes", ())
            ],
        ),
    ]
    return [sheet for sheet in sheets if sheet.rows and any(any(row[1:]) for row in sheet.rows)]


def _against(levels: Mapping[str, Any]) -> str:
    if not levels["baseline"] or not levels["compared"]:
        return ""
    return f"{' to '.join(levels['compared'])} against {' to '.join(levels['baseline'])}, pattern by pattern."


def _long(sheets: Sequence[Sheet]) -> list[Sequence[object]]:
    return [
        (sheet.title, row[0] if sheet.columns[1] != "To" else f"{row[0]} → {row[1]}", name, cell)
        for sheet in sheets
        for row in sheet.rows
        for name, cell in zip(sheet.columns[1:], row[1:], strict=True)
    ]
