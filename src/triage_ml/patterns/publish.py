"""Pattern bundles on disk: each is written once, under its own digest, and never changes."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from triage_ml.bundle import read_bundle, write_bundle
from triage_ml.patterns.book import KIND, PatternBook

__all__ = ["book_folder", "load_book", "prune_books", "publish_book"]

_DRAFT = ".patterns-draft-"
#: Seconds after which a draft of another machine belongs to nobody.
ABANDONED = 24 * 3600


def book_folder(bundles: Path, digest: str) -> Path:
    """Where the pattern bundle with this digest is: `<bundles>/patterns-<digest>`."""
    return bundles / f"patterns-{digest.removeprefix('sha256:')}"


def publish_book(book: PatternBook, bundles: Path) -> str:
    """Write the book as a bundle and return its digest; a folder with that digest is left as it is.

    Drafts of runs that were killed are deleted.
    """
    for folder in bundles.glob(f"{_DRAFT}*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
    draft = bundles / f"{_DRAFT}{socket.gethostname()}-{os.getpid()}"
    try:
        digest = write_bundle(draft, KIND, *book.to_bundle())
        folder = book_folder(bundles, digest)
        if not folder.exists():
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return digest


def _is_abandoned(draft: Path) -> bool:
    """Whether nobody writes to this draft any more: its process is gone, or it is of another machine and old."""
    host, _, process = draft.name.removeprefix(_DRAFT).rpartition("-")
    try:
        if host in ("", socket.gethostname()) and process.isdigit():
            os.kill(int(process), 0)
            return False
        return time.time() - draft.stat().st_mtime > ABANDONED
    except ProcessLookupError:
        return True
    except OSError:  # the process is somebody else's, or the draft is gone
        return False


def prune_books(bundles: Path, keep: Sequence[str]) -> list[str]:
    """Delete the pattern bundles but those with a digest in `keep`; returns the names of what was deleted.

    A service that has one of them mapped goes on with it: its pages live as long as that. A folder that can't be deleted is
    left for the next time.
    """
    kept = {book_folder(bundles, digest).name for digest in keep}
    old = [folder for folder in sorted(bundles.glob("patterns-*")) if folder.name not in kept]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return [folder.name for folder in old]


def load_book(bundles: Path, digest: str) -> PatternBook:
    """Read a published book.

    Raises
    ------
    BundleError
        It is not there, damaged, or of a later format.
    """
    return PatternBook.from_bundle(read_bundle(book_folder(bundles, digest), KIND))
