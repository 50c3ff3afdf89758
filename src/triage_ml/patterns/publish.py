"""Pattern bundles on disk: each is written once, under its own digest, and never changes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from triage_ml.bundle import bundle_draft, read_bundle, write_bundle
from triage_ml.patterns.book import KIND, PatternBook

__all__ = ["book_folder", "load_book", "prune_books", "publish_book"]


def book_folder(bundles: Path, digest: str) -> Path:
    """Where the pattern bundle with this digest is: `<bundles>/patterns-<digest>`."""
    return bundles / f"patterns-{digest.removeprefix('sha256:')}"


def publish_book(book: PatternBook, bundles: Path) -> str:
    """Write the book as a bundle and return its digest; a folder with that digest is left as it is.

    Drafts of runs that were killed are deleted.
    """
    with bundle_draft(bundles, KIND) as draft:
        digest = write_bundle(draft, KIND, *book.to_bundle())
        folder = book_folder(bundles, digest)
        if not folder.exists():
            draft.rename(folder)
    return digest


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
