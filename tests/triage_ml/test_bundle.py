"""A bundle comes back byte for byte, refuses what was changed, and runs no code."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.bundle import FORMAT_VERSION, pack_strings, read_bundle, unpack_strings, write_bundle
from triage_ml.errors import BundleCorruptError, BundleError, BundleFormatError

CONTENTS = {"classes": ["L1", "Zürich"], "threshold": 0.81}
ARRAYS = {
    "coef": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "empty": np.empty((0, 4), dtype=np.int64),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", "model", CONTENTS, ARRAYS)
    return tmp_path / "bundle"


def edit_manifest(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_what_is_written_is_read_again(folder: Path) -> None:
    bundle = read_bundle(folder, "model")
    assert (bundle.kind, bundle.contents) == ("model", CONTENTS)
    assert bundle.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(bundle.arrays[name], array)
        assert bundle.arrays[name].dtype == array.dtype
    assert bundle.arrays["coef"].flags.f_contiguous


def test_arrays_are_mapped_so_that_workers_share_them(folder: Path) -> None:
    array = read_bundle(folder, "model").arrays["coef"]
    assert isinstance(array.base, np.memmap)
    assert type(array) is np.ndarray  # the memmap class would cost a Python call at every index


def test_the_same_model_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    digest = write_bundle(tmp_path / "again", "model", CONTENTS, dict(reversed(ARRAYS.items())))
    assert digest == read_bundle(folder, "model").digest
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_another_model_gives_another_digest(folder: Path, tmp_path: Path) -> None:
    changed = ARRAYS | {"coef": ARRAYS["coef"] + 1}
    assert write_bundle(tmp_path / "other", "model", CONTENTS, changed) != read_bundle(folder, "model").digest


@pytest.mark.parametrize("position", [0, 60, -1], ids=["magic", "header", "last byte"])
def test_one_changed_byte_is_found(folder: Path, position: int) -> None:
    path = folder / "coef.npy"
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    message = (
        f"{path}: the checksum differs from the manifest; the file was changed or damaged.\n"
        "Fetch the bundle again, or train a new one."
    )
    with pytest.raises(BundleCorruptError, match=f"^{re.escape(message)}$"):
        read_bundle(folder, "model")


def test_a_missing_array(folder: Path) -> None:
    (folder / "coef.npy").unlink()
    with pytest.raises(BundleCorruptError, match=r"coef\.npy: the file is missing\.$"):
        read_bundle(folder, "model")
    with pytest.raises(BundleCorruptError, match=r"coef\.npy: the file is missing\.$"):
        read_bundle(folder, "model", verify=False)


def test_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no bundle there \(expected manifest\.json and \.npy files\)\.$"):
        read_bundle(tmp_path, "model")


def test_a_later_format(folder: Path) -> None:
    edit_manifest(folder, lambda manifest: manifest.update(format_version=FORMAT_VERSION + 1))
    message = (
        f"{folder}: written in bundle format {FORMAT_VERSION + 1}; this version of triage-ml reads up to {FORMAT_VERSION}.\n"
        "Upgrade triage-ml, or train with this version."
    )
    with pytest.raises(BundleFormatError, match=f"^{re.escape(message)}$"):
        read_bundle(folder, "model")


def test_a_later_format_is_told_even_where_its_keys_are_others(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps({"format_version": FORMAT_VERSION + 1, "parts": []}))
    with pytest.raises(BundleFormatError, match="written in bundle format"):
        read_bundle(folder, "model")


def test_an_earlier_format(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps({"format_version": FORMAT_VERSION - 1, "parts": []}))
    message = (
        f"{folder}: written in bundle format {FORMAT_VERSION - 1} by an earlier triage-ml; this version reads {FORMAT_VERSION}.\n"
        "Train again with this version (triage train), or mine again (triage mine) where it holds patterns."
    )
    with pytest.raises(BundleFormatError, match=f"^{re.escape(message)}$"):
        read_bundle(folder, "model")


def test_another_kind(folder: Path) -> None:
    with pytest.raises(BundleFormatError, match=r"expected a bundle of kind 'patterns', found 'model'\.$"):
        read_bundle(folder, "patterns")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("{", BundleCorruptError, r"manifest\.json: can't be read as JSON \(JSONDecodeError\)\.$"),
        ("[]", BundleFormatError, r"manifest\.json: not a triage-ml manifest\.$"),
        (f'{{"format_version": {FORMAT_VERSION}}}', BundleFormatError, r"manifest\.json: not a triage-ml manifest\.$"),
        (
            f'{{"format_version": {FORMAT_VERSION}, "kind": "model", "contents": {{}}, "files": {{"a.npy": 3}}}}',
            BundleFormatError,
            r"manifest\.json: not a triage-ml manifest\.$",
        ),
        ('{"format_version": "1"}', BundleFormatError, r"manifest\.json: not a triage-ml manifest\.$"),
    ],
)
def test_a_manifest_that_is_none(folder: Path, text: str, error: type[BundleError], message: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(error, match=message):
        read_bundle(folder, "model")


@pytest.mark.parametrize("name", ["../outside.npy", "coef.pkl", "/etc/passwd"])
def test_a_manifest_that_names_other_files(folder: Path, name: str) -> None:
    edit_manifest(folder, lambda manifest: manifest.update(files={name: {"sha256": "", "shape": [1]}}))
    with pytest.raises(
        BundleFormatError, match=f"the manifest names {re.escape(repr(name))}, which is no array of this folder"
    ):
        read_bundle(folder, "model")


def test_a_pickled_array_is_never_loaded(folder: Path) -> None:
    np.save(folder / "coef.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(BundleCorruptError, match=r"coef\.npy: no plain array \(ValueError\)\.$"):
        read_bundle(folder, "model", verify=False)


def test_a_bare_pickle_is_never_loaded(folder: Path) -> None:
    (folder / "coef.npy").write_bytes(pickle.dumps(print))
    with pytest.raises(BundleCorruptError, match=r"coef\.npy: no plain array"):
        read_bundle(folder, "model", verify=False)


def test_objects_are_refused_when_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved when allow_pickle=False"):
        write_bundle(tmp_path / "bundle", "model", {}, {"names": np.array(["a", None], dtype=object)})
    assert not list(tmp_path.iterdir())


@given(st.lists(st.text()))
def test_strings_pack_and_unpack(strings: list[str]) -> None:
    data, offsets = pack_strings(strings)
    assert unpack_strings(data, offsets) == strings
    assert (len(offsets), offsets[-1]) == (len(strings) + 1, len(data))
