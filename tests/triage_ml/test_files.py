"""A file or folder is there whole or not at all."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from triage_ml.errors import InputError
from triage_ml.files import atomic_file, atomic_folder


def write_half(path: Path, error: BaseException) -> None:
    with atomic_file(path) as draft:
        draft.write_text("half")
        raise error


def fill_half(path: Path, error: BaseException) -> None:
    with atomic_folder(path) as draft:
        (draft / "half").touch()
        raise error


def test_a_file_appears_when_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "new" / "t.csv"
    with atomic_file(path) as draft:
        draft.write_text("a")
        assert not path.exists()
    assert path.read_text() == "a"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old")
    with pytest.raises(error, match=r"^stop$"):
        write_half(path, error("stop"))
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_a_folder_appears_when_it_is_done_and_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    for name in ("one", "two"):
        with atomic_folder(path) as draft:
            (draft / "sub").mkdir()
            (draft / "sub" / name).write_text(name)
    assert [file.name for file in path.rglob("*") if file.is_file()] == ["two"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_folder_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "bundle"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(error, match=r"^stop$"):
        fill_half(path, error("stop"))
    assert [file.name for file in tmp_path.rglob("*")] == ["bundle", "old"]


def test_a_killed_writer_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from triage_ml.files import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as draft:\n"
        "    draft.write_text('half'); print('ready', flush=True); time.sleep(60)\n"
    )
    path = tmp_path / "t.csv"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        writer.kill()
    assert not path.exists()


def test_a_reader_never_sees_half_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    with atomic_folder(path) as draft:
        for name in "abc":
            (draft / name).touch()
            time.sleep(0.001)
            assert not path.exists()
    assert sorted(file.name for file in path.iterdir()) == ["a", "b", "c"]


@pytest.mark.parametrize("write", [write_half, fill_half])
def test_a_folder_that_cannot_be_made(tmp_path: Path, write: Callable[[Path, BaseException], None]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"file/sub: this folder can't be written \((Not a directory|File exists)\)\.$"
    ):
        write(tmp_path / "file" / "sub" / "t.csv", AssertionError())


def test_a_folder_under_the_name_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r": this is a folder; expected the name of a file to write\.$"):
        write_half(tmp_path, AssertionError())
