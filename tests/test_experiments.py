"""Every experiment runs, and its README says what its results say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "experiments").glob("[0-9]*/run.py"))
NEED_DATA = {path.parent.name for path in (ROOT / "experiments").glob("[0-9]*/run.py") if ".data" in path.read_text()}


def ids(folder: Path) -> str:
    return folder.name


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder",
    [pytest.param(f, marks=pytest.mark.needs_shared) if f.name in NEED_DATA else f for f in FOLDERS],
    ids=ids,
)
def test_the_small_run_ends_well_and_writes_nothing(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    done = subprocess.run(
        [sys.executable, str(folder / "run.py"), "--smoke"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("folder", FOLDERS, ids=ids)
def test_the_readme_shows_the_results(folder: Path) -> None:
    page = (folder / "README.md").read_text(encoding="utf-8")
    if not (folder / "results.json").exists():
        assert "Not run yet" in page, "an experiment without results says so"
        return
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["table"]
    assert results["table"] in page
    assert results["command"] in page
    assert len(results["commit"]) == 40


def test_the_index_lists_them_all() -> None:
    sys.path.insert(0, str(ROOT))
    try:
        from experiments.__main__ import index_table
    finally:
        sys.path.remove(str(ROOT))
    assert index_table() in (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")
