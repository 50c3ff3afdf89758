"""The job behind `triage kit`: a candidate's starter kit, written to a folder."""

from __future__ import annotations

from pathlib import Path

from triage_ml.errors import InputError
from triage_ml.files import atomic_file
from triage_ml.review import kit_kind, load_candidate, starter_kit
from triage_ml.settings import Settings
from triage_ml.store import open_store
from triage_ml.value import KIND_TITLES

__all__ = ["write_kit"]


def write_kit(
    settings: Settings, pattern_id: str, kind: str | None = None, folder: Path | None = None
) -> tuple[str, list[Path]]:
    """Write the kit of a pattern; returns its kind and the paths, in order of the alphabet.

    Raises
    ------
    InputError
        There is no such pattern or kind, or the folder can't be written.
    """
    if kind is not None and kind not in KIND_TITLES:
        raise InputError(f"{kind!r} is no kind of automation.", hint=f"Known are {', '.join(KIND_TITLES)}.")
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            found = load_candidate(connection, pattern_id, today=settings.calendar.today())
    finally:
        store.close()
    if found is None:
        raise InputError(f"There is no pattern {pattern_id!r}.", hint="The list shows the ids: triage report --json")
    target = folder or settings.paths.home / "kits" / pattern_id
    paths = []
    for name, text in sorted(starter_kit(found, kind).items()):
        paths.append(target / name)
        with atomic_file(target / name) as draft:
            draft.write_text(text, encoding="utf-8")
    return KIND_TITLES[kit_kind(found, kind)], paths
