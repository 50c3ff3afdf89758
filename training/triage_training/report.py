"""The job behind `triage report`: the weekly list and the service levels, read from the store and written as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage_ml.errors import BundleError, InputError
from triage_ml.files import atomic_file
from triage_ml.patterns import PatternBook, load_book
from triage_ml.review import (
    FORMATS,
    Format,
    ReviewedWeek,
    levels_document,
    load_service_levels,
    load_week,
    routing_figures,
    week_document,
)
from triage_ml.settings import Settings
from triage_ml.store import closed_tickets, latest_book, mined_weeks, open_store
from triage_ml.taxonomy import load_taxonomy

__all__ = ["load_levels", "load_report", "write_levels", "write_report"]

LIST, LEVELS = "weekly-list", "service-levels"


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
            report = load_week(connection, week, today=settings.calendar.today())
            if report is None:
                raise InputError(f"{week} has not been mined.", hint=f"There are lists from {mined[0]} to {mined[-1]}.")
    finally:
        store.close()
    return report


def load_levels(settings: Settings, baseline: tuple[str, str] | None = None) -> dict[str, Any] | None:
    """Service levels of all weeks that were mined, with routing as outcomes judge it; None before the first.

    `baseline` is the first and the last week to compare with; by default that of the settings, else the first half.

    Raises
    ------
    InputError
        No week of the baseline, or none after it, was mined.
    """
    store = open_store(settings.store_url)
    chosen = baseline or settings.report.baseline
    try:
        with store.read() as connection:
            levels = load_service_levels(connection, load_taxonomy(settings.taxonomy.file), chosen)
            if levels is not None:
                levels["routing"] = routing_figures(closed_tickets(connection))
    finally:
        store.close()
    if levels is not None and chosen is not None and not (levels["baseline"] and levels["compared"]):
        raise InputError(
            f"The baseline {chosen[0]} to {chosen[1]} and the weeks after it are not both known.",
            hint=f"There is work from {levels['weeks'][0]} to {levels['weeks'][-1]}.",
        )
    return levels


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
    book = _book(settings)
    documents = {kind: week_document(report, kind, book) for kind in FORMATS}
    return _write(documents, out or settings.paths.reports / report.week, LIST)


def _book(settings: Settings) -> PatternBook | None:
    """The patterns in use; None where their bundle can't be read: the report does without the map then."""
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            digest = latest_book(connection)
        return None if digest is None else load_book(settings.paths.bundles, digest)
    except BundleError:
        return None
    finally:
        store.close()


def write_levels(levels: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write service levels and return the paths by format."""
    return _write({kind: levels_document(levels, kind) for kind in FORMATS}, folder, LEVELS)


def _write(documents: Mapping[Format, bytes], folder: Path, name: str) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for kind, document in documents.items():
        paths[kind] = folder / f"{name}.{kind}"
        with atomic_file(paths[kind]) as draft:
            draft.write_bytes(document)
    return paths
