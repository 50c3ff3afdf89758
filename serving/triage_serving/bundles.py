"""The bundles that this machine keeps: `<home>/bundles/<digest>`, and a pointer to the last one that answered.

With the pointer the service starts and answers while MLflow is away.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from triage_ml.bundle import read_bundle
from triage_ml.errors import BundleCorruptError, BundleError, InputError
from triage_ml.files import atomic_file, atomic_folder
from triage_serving.registry import Registered, Registry

__all__ = ["BundleFolder", "Kept"]

POINTER = "champion.json"
#: A model bundle's folder; pattern bundles and the pointer have other names.
_NAME = re.compile(r"[0-9a-f]{64}")
#: Somebody may be about to use what is younger, and still be writing a draft that is younger.
YOUNG_SECONDS = 3600.0
DRAFT_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Kept:
    """The pointer: which version answered last, its digest, and what was measured when it was trained."""

    version: str
    digest: str
    measured: Mapping[str, float] = field(default_factory=dict)


class BundleFolder:
    """Fetches, verifies and remembers model bundles."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where the bundle with this digest is or will be."""
        return self._folder / digest.removeprefix("sha256:")

    def last(self) -> Kept | None:
        """What the pointer says; None without one, or with one that can't be read."""
        try:
            return Kept(**orjson.loads((self._folder / POINTER).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def remember(self, kept: Kept) -> None:
        """Point to the bundle that answers now."""
        if self.last() != kept:
            with atomic_file(self._folder / POINTER) as draft:
                draft.write_bytes(orjson.dumps(asdict(kept)))

    def fetch(self, registry: Registry, model: Registered) -> tuple[Path, str]:
        """The verified bundle of a version, downloaded unless it is here; returns folder and digest.

        Raises
        ------
        BundleError
            What came is broken, or is not what training registered.
        RegistryError
            It can't be downloaded.
        """
        if model.digest is not None and (digest := self._verified(self.path(model.digest))) == model.digest:
            return self.path(digest), digest
        self._make()
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=self._folder) as draft:
            arrived = registry.download(model, Path(draft))
            digest = read_bundle(arrived, "model").digest
            if model.digest not in (None, digest):
                raise BundleCorruptError(f"Version {model.version}: the bundle is not the one that was registered.")
            self._keep(arrived, self.path(digest))
        return self.path(digest), digest

    def use(self, digest: str) -> None:
        """Note that the bundle is used now, so that it is not among the oldest; where the disk can't be written, nothing."""
        with suppress(OSError):
            os.utime(self.path(digest))

    def delete_old(self, *, keep: int, in_use: Collection[str]) -> list[str]:
        """Delete model bundles but those in use, the last `keep` that were used, and young ones; returns their digests.

        Also what downloads left that were killed. Who has a bundle mapped goes on with it: its pages live as long as that.
        """
        spared = {self.path(digest).name for digest in in_use}
        if (last := self.last()) is not None:
            spared.add(self.path(last.digest).name)
        models = {path: age for path, age in self._aged() if _NAME.fullmatch(path.name) and path.name not in spared}
        gone = [path for path in sorted(models, key=models.__getitem__)[keep:] if models[path] > YOUNG_SECONDS]
        for path in gone:
            _delete(path)
        for path, age in self._aged():
            if path.name.startswith(".") and path.is_dir() and age > DRAFT_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        return [f"sha256:{path.name}" for path in gone]

    def _aged(self) -> Iterator[tuple[Path, float]]:
        for path in list(self._folder.iterdir()) if self._folder.is_dir() else []:
            with suppress(OSError):  # somebody else was faster
                yield path, time.time() - path.stat().st_mtime

    def _make(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._folder}: this folder can't be written ({error.strerror}).") from None

    def _keep(self, arrived: Path, path: Path) -> None:
        """Rename it into place; another worker may have been faster, with the same bytes, and uses them."""
        if self._verified(path) is not None:
            return
        try:
            with atomic_folder(path) as draft:
                for file in arrived.iterdir():
                    file.rename(draft / file.name)
        except OSError:
            if self._verified(path) is None:
                raise

    def _verified(self, path: Path) -> str | None:
        try:
            return read_bundle(path, "model").digest
        except BundleError:
            return None


def _delete(path: Path) -> None:
    """Out of its name first, so that nobody reads half of it."""
    aside = Path(tempfile.mkdtemp(prefix=".gone-", dir=path.parent))
    with suppress(OSError):
        path.rename(aside / path.name)
    shutil.rmtree(aside, ignore_errors=True)
