"""One folder: `manifest.json` and one `.npy` file an array.

The manifest names the format version, what kind of bundle it is, its contents (plain JSON) and the sha256 of every array
file. The digest of the bundle is the sha256 of the manifest, so one short string stands for every byte of it. Nothing in
it depends on when or where it was written: the same model gives the same bytes.

Arrays are read with `allow_pickle=False` and memory-mapped, so that workers share them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_ml.errors import BundleCorruptError, BundleError, BundleFormatError
from triage_ml.files import atomic_folder

__all__ = ["FORMAT_VERSION", "MANIFEST", "Bundle", "read_bundle", "write_bundle"]

FORMAT_VERSION = 2
#: What to do about a bundle that an earlier version wrote.
RENEW = "Train again with this version (triage train), or mine again (triage mine) where it holds patterns."
#: The file that makes a folder a bundle.
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds, in memory.

    `kind` says who can read it (`model`, `patterns`), `contents` is plain JSON, `arrays` maps names to arrays of any
    plain dtype, `digest` is `sha256:<hex>` of the manifest.
    """

    kind: str
    contents: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    digest: str


def write_bundle(folder: Path, kind: str, contents: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """Write a bundle and return its digest.

    It is written beside `folder` and renamed into place, so a reader never sees half of one, and a writer that is killed
    leaves nothing under that name. An existing folder is replaced.
    """
    with atomic_folder(folder) as draft:
        files = {f"{name}.npy": _write_array(draft / f"{name}.npy", array) for name, array in sorted(arrays.items())}
        manifest = {"format_version": FORMAT_VERSION, "kind": kind, "contents": contents, "files": files}
        text = json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode()
        (draft / MANIFEST).write_bytes(text)
    return _digest(text)


def read_bundle(folder: Path, kind: str, *, verify: bool = True) -> Bundle:
    """Read the bundle in `folder`.

    Parameters
    ----------
    kind
        What it must be; another kind is an error.
    verify
        Compare the sha256 of every file with the manifest. Leave it on except where the same files were just checked.

    Raises
    ------
    BundleError
        There is no bundle.
    BundleFormatError
        It was written by a later version, is of another kind, or its manifest is none.
    BundleCorruptError
        A file is missing or differs from its checksum.
    """
    manifest, text = _read_manifest(folder)
    if manifest["kind"] != kind:
        raise BundleFormatError(f"{folder}: expected a bundle of kind {kind!r}, found {manifest['kind']!r}.")
    arrays = {}
    for file, recorded in manifest["files"].items():
        if Path(file).name != file or not file.endswith(".npy"):
            raise BundleFormatError(f"{folder}: the manifest names {file!r}, which is no array of this folder.")
        path = folder / file
        if verify and _sha256(path) != recorded["sha256"]:
            raise BundleCorruptError(
                f"{path}: the checksum differs from the manifest; the file was changed or damaged.",
                hint="Fetch the bundle again, or train a new one.",
            )
        arrays[file.removesuffix(".npy")] = _load_array(path, empty=0 in recorded["shape"])
    return Bundle(kind, manifest["contents"], arrays, _digest(text))


def _read_manifest(folder: Path) -> tuple[dict[str, Any], bytes]:
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
        manifest = json.loads(text)
    except FileNotFoundError:
        raise BundleError(f"{folder}: no bundle there (expected {MANIFEST} and .npy files).") from None
    except (OSError, ValueError) as error:
        raise BundleCorruptError(f"{path}: can't be read as JSON ({type(error).__name__}).") from None
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    # The version comes first: a later format may have other keys.
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BundleFormatError(
            f"{folder}: written in bundle format {version}; this version of triage-ml reads up to {FORMAT_VERSION}.",
            hint="Upgrade triage-ml, or train with this version.",
        )
    if isinstance(version, int) and 0 < version < FORMAT_VERSION:
        raise BundleFormatError(
            f"{folder}: written in bundle format {version} by an earlier triage-ml; this version reads {FORMAT_VERSION}.",
            hint=RENEW,
        )
    if version != FORMAT_VERSION or not _is_complete(manifest):
        raise BundleFormatError(f"{path}: not a triage-ml manifest.")
    return manifest, text


def _is_complete(manifest: dict[str, Any]) -> bool:
    files = manifest.get("files")
    return (
        {"kind", "contents"} <= manifest.keys()
        and isinstance(files, dict)
        and all(isinstance(file, dict) and {"sha256", "shape"} <= file.keys() for file in files.values())
    )


def _write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    return {"sha256": _sha256(path), "dtype": array.dtype.str, "shape": list(array.shape)}


def _load_array(path: Path, *, empty: bool) -> NDArray[Any]:
    try:
        # An array without elements can't be mapped, and there is nothing to share.
        loaded = np.load(path, mmap_mode=None if empty else "r", allow_pickle=False)
    except FileNotFoundError:
        raise BundleCorruptError(f"{path}: the file is missing.") from None
    except (OSError, ValueError) as error:
        raise BundleCorruptError(f"{path}: no plain array ({type(error).__name__}).") from None
    # Still mapped, but a plain array: every index into numpy's memmap class pays for a Python call.
    return np.asarray(loaded)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise BundleCorruptError(f"{path}: the file is missing.") from None


def _digest(manifest: bytes) -> str:
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"
