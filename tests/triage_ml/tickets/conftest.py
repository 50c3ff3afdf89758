"""Small exports, written to files; and an import that needs no home."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from triage_ml.taxonomy import Group, Taxonomy
from triage_ml.tickets.importing import Imported, import_tickets
from triage_ml.tickets.read import read_files

TAXONOMY = Taxonomy(
    groups=(Group("Service Desk", "L1", ("SD Berlin", "Helpdesk")), Group("Database", "L3"), Group("Field", "L2-EUC"))
)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write a text or bytes to a file and return its path."""

    def write(content: str | bytes, name: str = "t.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def imported(written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Imported]:
    """Import a text as a file, from its own folder so that messages name it shortly."""

    def run(content: str | bytes, name: str = "t.csv", **options: object) -> Imported:
        written(content, name)
        monkeypatch.chdir(tmp_path)
        chosen = {
            "mapping": {},
            "timezone": "UTC",
            "taxonomy": TAXONOMY,
            "hashed": lambda name: f"p-{len(name)}",
        } | options
        return import_tickets(read_files([Path(name)]), name, **chosen)  # type: ignore[arg-type]

    return run
