"""The weekly list as files: one self-contained HTML page, a CSV that is safe to open, JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from triage_ml.errors import InputError
from triage_ml.files import atomic_file
from triage_ml.review import ReviewedWeek, load_week, sparkline
from triage_ml.settings import Settings
from triage_ml.store import mined_weeks, open_store
from triage_ml.value import KIND_TITLES

__all__ = ["load_report", "write_report"]

NAME = "weekly-list"
#: A spreadsheet runs what begins with these.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def load_report(settings: Settings, week: str | None) -> ReviewedWeek:
    """The list of a week, by default the latest that was mined.

    Raises
    ------
    InputError
        The week was not mined, or none was.
    """
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            mined = mined_weeks(connection)
            if not mined:
                raise InputError("No week has been mined yet.", hint="Run: triage mine TICKETS")
            report = load_week(connection, week, today=datetime.now(UTC).date())
            if report is None:
                raise InputError(f"{week} has not been mined.", hint=f"There are lists from {mined[0]} to {mined[-1]}.")
    finally:
        store.close()
    return report


def write_report(settings: Settings, week: str | None = None, out: Path | None = None) -> dict[str, Path]:
    """Write the list of a week and return the paths by format.

    Parameters
    ----------
    week
        By default the latest that was mined.
    out
        Folder; by default `<home>/reports/<week>/`.

    Raises
    ------
    InputError
        The week was not mined, or the folder can't be written.
    """
    report = load_report(settings, week)
    folder = out or settings.paths.reports / report.week
    documents = {
        "html": report_html(report).encode(),
        "csv": report_csv(report).encode("utf-8-sig"),
        "json": orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2),
    }
    if find_spec("openpyxl") is not None:
        documents["xlsx"] = report_xlsx(report)
    paths = {kind: folder / f"{NAME}.{kind}" for kind in documents}
    for kind, path in paths.items():
        with atomic_file(path) as draft:
            draft.write_bytes(documents[kind])
    return paths


def report_csv(report: ReviewedWeek) -> str:
    """One row a candidate; no cell can run in a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(_CSV_COLUMNS)
    for place, candidate in enumerate(report.candidates, start=1):
        writer.writerow([_safe(cell) for cell in _csv_row(place, candidate)])
    return buffer.getvalue()


def report_xlsx(report: ReviewedWeek) -> bytes:
    """The rows of the CSV as a workbook; needs the extra `excel`. Text is written as text, so no cell is a formula."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=False)
    sheet = book.create_sheet(report.week, 0)
    sheet.append(_CSV_COLUMNS)
    for place, candidate in enumerate(report.candidates, start=1):
        row = [_safe(cell) for cell in _csv_row(place, candidate)]
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in row])
    sheet.freeze_panes = "D2"
    del book["Sheet"]
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def report_html(report: ReviewedWeek) -> str:
    """One page that needs nothing from elsewhere; all text is escaped."""
    environment = Environment(
        loader=PackageLoader("triage_training"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sparkline"] = sparkline
    candidates = report.candidates
    longest = max((candidate["hours"]["p90"] for candidate in candidates), default=0.0)
    return environment.get_template("week.html").render(
        week=report,
        monday=report.monday,
        candidates=candidates,
        hours=report.hours,
        longest=longest or 1.0,
        kinds=KIND_TITLES,
    )


_CSV_COLUMNS = (
    "place", "pattern_id", "title", "status", "kind", "why", "tickets", "trend", "trend_ratio", "touch_minutes",
    "touch_source", "hours_p10", "hours_p50", "hours_p90", "automatability", "tiers",
)  # fmt: skip


def _csv_row(place: int, candidate: Mapping[str, Any]) -> Sequence[object]:
    trend, touch, hours = candidate["trend"], candidate["touch_time"], candidate["hours"]
    tiers = ", ".join(f"{tier} {share:.0%}" for tier, share in candidate["tiers"].items())
    names = (candidate[name] for name in ("pattern_id", "title", "status", "kind", "why", "volume"))
    figures = (trend["direction"], trend["ratio"], touch["minutes"], touch["source"])
    return (place, *names, *figures, hours["p10"], hours["p50"], hours["p90"], candidate["automatability"], tiers)


def _safe(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
