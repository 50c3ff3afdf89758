"""Sentence encoders that the user names: meaning beside words.

`model2vec:FOLDER` (static word pieces, fast) or `sentence-transformers:FOLDER` (a transformer, slow); a folder, or a hub id
where downloads are wanted. Nothing is downloaded unless it is named, and without a name nothing here is imported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triage_ml.errors import SettingsError
from triage_ml.files import atomic_file

__all__ = ["Encoder", "load_encoder"]

_PROBE = "x"
Encode = Callable[[list[str]], NDArray[np.float32]]


class Encoder:
    """Texts to rows of length one, each distinct text of a batch encoded once.

    Parameters
    ----------
    name
        As the user wrote it.
    encode
        From texts to vectors of shape (texts, dimensions).
    cache
        Folder to keep vectors in between runs, by the sha256 of the text; None keeps nothing, as suits a service.

    Notes
    -----
    The cache file holds hashes and vectors, no text. It is rewritten whole by `save`. It belongs to the name and to what the
    encoder makes of a fixed text, so that another model in the same folder starts a cache of its own.
    """

    def __init__(self, name: str, encode: Encode, *, cache: Path | None = None) -> None:
        self.name = name
        self._encode = encode
        self.probe: NDArray[np.float32] = self._unit(encode([_PROBE]))[0]
        identity = hashlib.sha256(name.encode() + self.probe.tobytes()).hexdigest()[:16]
        self._file = cache / f"{identity}.npz" if cache else None
        self._known: dict[bytes, NDArray[np.float32]] = {}
        if self._file and self._file.exists():
            with np.load(self._file, allow_pickle=False) as stored:
                self._known = dict(zip((bytes(key) for key in stored["keys"]), stored["vectors"], strict=True))
        self.dimensions = len(self.probe)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (texts, dimensions), float32; a text that says nothing to the encoder is all zeros."""
        written = [text.encode("utf-8", "replace") for text in texts]  # half a surrogate pair is no text to a tokenizer
        keys = [hashlib.sha256(text).digest() for text in written]
        known = self._known if self._file is not None else {}
        new = {key: text.decode() for key, text in zip(keys, written, strict=True) if key not in known}
        if new:
            known.update(zip(new, self._unit(self._encode(list(new.values()))), strict=True))
        if not keys:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.stack([known[key] for key in keys])

    def save(self) -> None:
        """Keep what was encoded for the next run, where there is a folder for it."""
        if self._file is None or not self._known:
            return
        keys = np.frombuffer(b"".join(self._known), dtype=np.uint8).reshape(len(self._known), -1)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(self._file) as draft, draft.open("wb") as file:
            np.savez(file, keys=keys, vectors=np.stack(list(self._known.values())))

    @staticmethod
    def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors = np.asarray(vectors, dtype=np.float32)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: NDArray[np.float32] = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
        return unit


def load_encoder(name: str, *, cache: Path | None = None) -> Encoder:
    """The encoder called `name`; raises SettingsError where it can't be loaded."""
    kind, _, where = name.partition(":")
    if kind not in _LOADERS or not where:
        raise SettingsError(f"Encoder {name!r}: expected model2vec:FOLDER or sentence-transformers:FOLDER.")
    try:
        return Encoder(name, _LOADERS[kind](where), cache=cache)
    except ImportError as error:
        raise SettingsError(
            f"Encoder {name!r} needs the package {error.name or kind}.", hint="pip install 'triage-ml[semantic]'"
        ) from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"Encoder {name!r} can't be loaded: {type(error).__name__}.") from None


def _model2vec(where: str) -> Encode:
    from model2vec import StaticModel

    model = StaticModel.from_pretrained(where)
    return lambda texts: np.asarray(model.encode(texts), dtype=np.float32)


def _sentence_transformers(where: str) -> Encode:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(where, device="cpu")
    return lambda texts: np.asarray(model.encode(texts, show_progress_bar=False), dtype=np.float32)


_LOADERS: dict[str, Callable[[str], Encode]] = {
    "model2vec": _model2vec,
    "sentence-transformers": _sentence_transformers,
}
