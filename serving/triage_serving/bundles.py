"""The bundles that this machine keeps: `<home>/bundles/<digest>`, and a pointer to the last one that answered.

With the pointer the service starts and answers while MLflow is away.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from triage_ml.bundle import read_bundle
from triage_ml.errors import BundleCorruptError, BundleError, InputError
from triage_ml.files import atomic_file, atomic_folder
from triage_serving.registry import Registered, Registry

__all__ = ["BundleFolder", "Kept"]

POINTER = "champion.json"


@dataclass(frozen=True)
class Kept:
    """The pointer: which version answered last, and its digest."""

    version: str
    digest: str


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

    def _make(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._folder}: this folder can't be written ({error.strerror}).") from None

    def _keep(self, arrived: Path, path: Path) -> None:
        """Rename it into place; another worker may have been faster, with the same bytes."""
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
