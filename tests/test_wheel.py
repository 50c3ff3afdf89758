"""The wheel that users get: built, installed in a clean environment, looked into, run."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    line = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(line, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {
        "triage_ml",
        "triage_training",
        "triage_serving",
    }


def test_holds_what_the_packages_read_at_run_time(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {
        path.relative_to(base).as_posix()
        for base in (ROOT / "src", ROOT / "training", ROOT / "serving")
        for path in base.rglob("*")
        if path.suffix in {".toml", ".html", ".css", ".js", ".typed", ".sql", ".mako"} and path.is_file()
    }
    assert wanted
    assert wanted <= names


def test_runs_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """Without its dependencies but for those of `--help`, which come from this environment by a path file."""
    folder = tmp_path / "clean"
    venv.create(folder, with_pip=False, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    (site / "dependencies.pth").write_text(_dependencies_folder(tmp_path), encoding="utf-8")
    done = subprocess.run(
        [str(folder / "bin" / "python"), "-m", "triage_ml", "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert "simulate" in done.stdout
    assert "serve" in done.stdout


def _dependencies_folder(tmp_path: Path) -> str:
    """This environment's packages without the project itself, so that only the wheel can answer."""
    here = Path(next(path for path in sys.path if path.endswith("site-packages")))
    folder = tmp_path / "dependencies"
    folder.mkdir()
    for item in here.iterdir():
        if not item.name.startswith(("triage_ml", "_triage_ml", "_editable", "__editable")) and item.suffix != ".pth":
            (folder / item.name).symlink_to(item)
    return str(folder)
