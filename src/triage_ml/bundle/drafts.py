"""Folders to write bundles into that are named by what is in them; what killed writers left is deleted."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["bundle_draft"]

#: Seconds after which a draft of another machine belongs to nobody.
ABANDONED = 24 * 3600


@contextmanager
def bundle_draft(bundles: Path, kind: str) -> Iterator[Path]:
    """Yield where to `write_bundle` a bundle whose folder is named by its digest; deleted at the end, if it was not renamed.

    Drafts of this kind that killed writers left are deleted first.
    """
    for folder in bundles.glob(f".*{kind}-draft-*"):
        if _is_abandoned(folder, kind):
            shutil.rmtree(folder, ignore_errors=True)
    draft = bundles / f".{kind}-draft-{socket.gethostname()}-{os.getpid()}"
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _is_abandoned(folder: Path, kind: str) -> bool:
    """Whether nobody writes to this draft any more: its process is gone, or it is of another machine and old."""
    own = rf"\.{re.escape(kind)}-draft-(.*)-(\d+)"
    # while it is written a bundle has a draft of its own, with another dot and a random ending (`atomic_folder`)
    name = re.fullmatch(rf"\.{own}-[a-z0-9_]+|{own}", folder.name)
    if name is None:
        return False
    host, process = (one for one in name.groups() if one is not None)
    try:
        if host == socket.gethostname():
            return not _runs(int(process))
        return time.time() - folder.stat().st_mtime > ABANDONED
    except FileNotFoundError:
        return False


def _runs(process: int) -> bool:
    """Whether this is another process that runs; we have no draft before we begin, so one under our number was left."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return process != os.getpid()
