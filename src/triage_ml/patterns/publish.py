"""Pattern bundles on disk: each is written once, under its own digest, and never changes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from triage_ml.bundle import read_bundle, write_bundle
from triage_ml.patterns.book import KIND, PatternBook

__all__ = ["book_folder", "load_book", "publish_book"]


def book_folder(bundles: Path, digest: str) -> Path:
    """Where the pattern bundle with this digest is: `<bundles>/patterns-<digest>`."""
    return bundles / f"patterns-{digest.removeprefix('sha256:')}"


def publish_book(book: PatternBook, bundles: Path) -> str:
    """Write the book as a bundle and return its digest; a folder with that digest is left as it is."""
    draft = bundles / f".patterns-draft-{os.getpid()}"
    try:
        digest = write_bundle(draft, KIND, *book.to_bundle())
        folder = book_folder(bundles, digest)
        if not folder.exists():
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return digest


def load_book(bundles: Path, digest: str) -> PatternBook:
    """Read a published book.

    Raises
    ------
    BundleError
        It is not there, damaged, or of a later format.
    """
    return PatternBook.from_bundle(read_bundle(book_folder(bundles, digest), KIND))
