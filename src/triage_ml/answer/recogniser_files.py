"""Recognisers on disk: each is written once, under the week that it was learnt in and its digest; the newest one counts."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from triage_ml.answer.recogniser import KIND, Recogniser
from triage_ml.bundle import bundle_draft

__all__ = ["latest_recogniser", "publish_recogniser", "week_of_recogniser"]

#: Recognisers that stay: the one in use, and one that a service may still be reading.
KEPT = 2


def publish_recogniser(recogniser: Recogniser, bundles: Path, week: str) -> Path:
    """Write it as the newest one and return its folder; all but the last few are deleted, and drafts of runs that were killed."""
    with bundle_draft(bundles, KIND) as draft:
        digest = recogniser.write(draft)
        folder = bundles / f"{KIND}-{week}-{digest.removeprefix('sha256:')[:16]}"
        if not folder.exists():
            draft.rename(folder)
        os.utime(folder)
    for old in _oldest_first(bundles)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def latest_recogniser(bundles: Path) -> Path | None:
    """The folder of the newest one: of the latest week, and of that the one written last; None where there is none."""
    found = _oldest_first(bundles)
    return found[-1] if found else None


def week_of_recogniser(folder: Path) -> str:
    """The week that it was learnt in, as 2026-W47."""
    return folder.name.removeprefix(f"{KIND}-")[:8]


def _oldest_first(bundles: Path) -> list[Path]:
    """Those there are; one that another run deletes meanwhile is not there."""
    written: dict[Path, int] = {}
    for folder in bundles.glob(f"{KIND}-*"):
        with suppress(FileNotFoundError):
            written[folder] = folder.stat().st_mtime_ns
    return sorted(written, key=lambda folder: (week_of_recogniser(folder), written[folder]))
