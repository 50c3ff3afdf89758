"""Files and folders that are there whole or not at all, even when the writer is killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triage_ml.errors import InputError

__all__ = ["atomic_file", "atomic_folder"]


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a draft beside `path`; when the block ends well, flush it to disk and rename it into place."""
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; expected the name of a file to write.")
    with _plain_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)
        _sync(draft)
        draft.replace(path)
        _sync(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a draft folder beside `path`; when the block ends well, flush its files and rename it into place.

    An existing folder is moved aside first and removed last.
    """
    with _plain_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        yield draft
        draft.chmod(0o755)
        for file in sorted(draft.rglob("*")):
            _sync(file)
        _swap(draft, path)
        _sync(path.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _swap(draft: Path, path: Path) -> None:
    if not path.exists():
        draft.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
    path.rename(old / path.name)
    draft.rename(path)
    shutil.rmtree(old)


@contextmanager
def _plain_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{folder}: this folder can't be written ({error.strerror}).") from None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
