"""The case index on disk, and the search in it.

A case is a unit vector of weighted words and pairs of words. The index keeps, for each term, the cases that have it: a
query adds up the lists of its own terms and has the exact cosine to every case, without looking at the others. Arrays are
memory-mapped, so a service with several workers holds one copy, and only the texts that are returned are ever decoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_ml.bundle import MANIFEST, Bundle, read_bundle, unpack_strings
from triage_ml.errors import BundleFormatError
from triage_ml.features import LexicalFeatures
from triage_ml.text import clean, redact

__all__ = ["KIND", "STRINGS", "CaseIndex", "SimilarCase", "cases_folder", "open_cases"]

#: What kind of bundle an index is.
KIND = "cases"

#: What is kept of each case, all of it redacted but the id.
STRINGS = ("ticket_id", "title", "resolution")


@dataclass(frozen=True)
class SimilarCase:
    """A resolved ticket; `title` and `resolution` are redacted, `similarity` is the cosine of the texts, 0 to 1."""

    ticket_id: str
    title: str
    resolution: str
    similarity: float


class CaseIndex:
    """Finds the nearest resolved cases; `open_cases` reads one.

    Parameters
    ----------
    bundle
        Of kind `cases`, as `build_cases` writes it.

    Raises
    ------
    BundleFormatError
        A part is missing.
    """

    def __init__(self, bundle: Bundle) -> None:
        try:
            self._features = LexicalFeatures.from_arrays(bundle.contents["features"], _features(bundle.arrays))
            self._begins = bundle.arrays["posting_begins"]
            self._case, self._weight = bundle.arrays["posting_case"], bundle.arrays["posting_weight"]
            self._strings = {
                name: (bundle.arrays[f"{name}_data"], bundle.arrays[f"{name}_offsets"]) for name in STRINGS
            }
            self._size = int(bundle.contents["cases"])
        except KeyError as error:
            raise BundleFormatError(f"The case index lacks a part ({error}).", hint="triage index TICKETS.") from None
        self.digest = bundle.digest

    def __len__(self) -> int:
        return self._size

    def nearest(
        self, texts: Sequence[str], k: int = 5, *, but: Sequence[str | None] | None = None
    ) -> list[list[SimilarCase]]:
        """Up to `k` cases for each text, the nearest first; fewer where fewer share a term with it.

        Parameters
        ----------
        texts
            Ticket texts as filed, cleaned or redacted: they are brought to the same form.
        but
            One ticket id a text, or None: the ticket that asks, which must not be its own answer.
        """
        vectors = self._features.transform(redact(clean(texts)))
        found = []
        for row in range(len(texts)):
            terms = slice(vectors.indptr[row], vectors.indptr[row + 1])
            scores = self._scores(vectors.indices[terms], vectors.data[terms])
            cases = [self._case_at(place, float(scores[place])) for place in _best(scores, k + 1).tolist()]
            found.append([case for case in cases if but is None or case.ticket_id != but[row]][:k])
        return found

    def _scores(self, terms: NDArray[np.int32], values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosine to every case, shape (cases,)."""
        scores = np.zeros(self._size, dtype=np.float32)
        bounds = zip(self._begins[terms].tolist(), self._begins[terms + 1].tolist(), values, strict=True)
        for begin, end, value in bounds:
            scores[self._case[begin:end]] += value * self._weight[begin:end]
        return scores

    def _case_at(self, place: int, similarity: float) -> SimilarCase:
        ticket_id, title, resolution = (self._string(name, place) for name in STRINGS)
        return SimilarCase(ticket_id, title, resolution, round(min(similarity, 1.0), 4))

    def _string(self, name: str, place: int) -> str:
        data, offsets = self._strings[name]
        begin, end = offsets[place : place + 2].tolist()
        return unpack_strings(data[begin:end], np.array([0, end - begin]))[0]


def cases_folder(home: Path) -> Path:
    """Where the case index is: `<home>/cases`."""
    return home / "cases"


def open_cases(home: Path) -> CaseIndex | None:
    """The case index of this home, checked; None where there is none.

    Raises
    ------
    BundleError
        It is damaged or of a later format.
    """
    folder = cases_folder(home)
    return CaseIndex(read_bundle(folder, KIND)) if (folder / MANIFEST).is_file() else None


def _features(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    prefix = "features_"
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _best(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Places of the `k` highest scores above 0, highest first, equal ones in their order."""
    last = np.partition(scores, -k)[-k] if k < len(scores) else 0.0
    places = np.flatnonzero(scores >= last) if last > 0 else np.flatnonzero(scores > 0)
    return places[np.argsort(-scores[places], kind="stable")][:k]
