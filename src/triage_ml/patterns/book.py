"""The set of known patterns, and what is needed to recognise them: it travels as a bundle of kind `patterns`.

A book never changes; `grow` makes the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_ml.bundle import Bundle, pack_strings, unpack_strings
from triage_ml.errors import BundleFormatError
from triage_ml.patterns.assign import Assignment, Prototypes, assign_vectors
from triage_ml.patterns.space import LexicalSpace
from triage_ml.patterns.texts import Coded, Rare
from triage_ml.patterns.uniques import same_form
from triage_ml.patterns.variants import NO_VARIANT, Variant, VariantSet
from triage_ml.text import clean, mask, redact

__all__ = ["KIND", "Bound", "Pattern", "PatternBook", "Rare", "masked_texts"]

#: What kind of bundle a book is.
KIND = "patterns"

#: Fields of `Pattern` that hold lists of texts: as arrays they are small and quick to read, whatever their number.
PATTERN_TEXTS = ("keywords", "examples", "anchors", "anchor_notes")
#: Fields of `Rare` that hold text.
RARE_TEXTS = ("text", "headline", "example", "note")
VARIANT_ARRAYS = ("owner", "notes", "texts")
NOTES_AT_A_TIME = 50_000


@dataclass(frozen=True)
class Pattern:
    """A recurring kind of ticket.

    `anchors` are redacted and masked texts that never change, with the masked close note of each in `anchor_notes` and the
    commonest category in `label`; `examples` are redacted texts to show to people. `born` is the first week in which it was
    found, `founded_on` the number of tickets that it was found with, `parent` the pattern that it was split from.
    """

    pattern_id: str
    title: str
    keywords: tuple[str, ...]
    examples: tuple[str, ...]
    anchors: tuple[str, ...]
    born: str
    founded_on: int
    anchor_notes: tuple[str, ...] = ()
    label: str = ""
    parent: str = ""
    theme_id: str = ""


@dataclass(frozen=True)
class Bound:
    """What people decided, as the book keeps to it.

    `merged` says as which pattern a merged one goes on (never one that is merged itself), `titles` how people called a
    pattern. `splits` are the splits that were made: the decision's key -> the patterns that came of it; `apart` are pairs of
    patterns that must not become one again.
    """

    merged: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PatternBook:
    """Known patterns in one frozen space.

    `prototypes` recognise a filed ticket by its text, `cases` a closed one by its close note and label as well; the
    `owner` of both points into `patterns`. `rare` is what discovery looks through together with the next week.
    """

    space: LexicalSpace
    patterns: tuple[Pattern, ...]
    prototypes: Prototypes
    cases: Prototypes
    rare: tuple[Rare, ...] = ()
    bound: Bound = field(default_factory=Bound)
    variants: VariantSet | None = None

    def __len__(self) -> int:
        return len(self.patterns)

    @cached_property
    def goes_on(self) -> NDArray[np.int64]:
        """Shape (patterns,): the pattern that each one goes on as; itself, if it was not merged."""
        place = {pattern_id: index for index, pattern_id in enumerate(self.ids)}
        return np.array([place[self.bound.merged.get(one, one)] for one in self.ids], dtype=np.int64)

    @cached_property
    def known_variants(self) -> VariantSet:
        """The variants, an empty set where none was found yet."""
        return self.variants or VariantSet.none(self.space.dimensions)

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Titles of the patterns, as people called them where they did."""
        return tuple(self.bound.titles.get(one.pattern_id, one.title) for one in self.patterns)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the patterns, in their order."""
        return tuple(pattern.pattern_id for pattern in self.patterns)

    def assign(self, texts: Sequence[str], *, masked: bool = False) -> list[Assignment | None]:
        """The pattern of each ticket text, or None.

        Texts may be as filed, cleaned or redacted: they are brought to the same masked form. Where the caller has done that
        already, with `masked_texts`, `masked` spares doing it again.
        """
        vectors = self.space.encode(texts if masked else masked_texts(texts))
        pattern, similarity = assign_vectors(vectors, self.prototypes, self.goes_on)
        variant = self.variants_by_text(pattern, vectors)
        now = self.goes_on_as(pattern)
        return [
            None if index < 0 else self._assignment(index, cosine, way)
            for index, cosine, way in zip(now.tolist(), similarity.tolist(), variant, strict=True)
        ]

    def assign_masked(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Index into `patterns` (or -1) and similarity, for texts that are masked already; a merged pattern is the one
        that it goes on as."""
        pattern, similarity = assign_vectors(self.space.encode(texts), self.prototypes, self.goes_on)
        return self.goes_on_as(pattern), similarity

    def assign_filed(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], list[str | None]]:
        """The pattern that recognises each masked text (-1 for none; `goes_on_as` says what it is today), and the variant
        where the text tells it."""
        vectors = self.space.encode(texts)
        founder, _ = assign_vectors(vectors, self.prototypes, self.goes_on)
        return founder, self.variants_by_text(founder, vectors)

    def goes_on_as(self, pattern: NDArray[np.int64]) -> NDArray[np.int64]:
        """The patterns of today for the patterns that founded prototypes, shape (n,); -1 stays -1."""
        if not len(self):
            return pattern
        return np.where(pattern < 0, pattern, self.goes_on[pattern])

    def variants_by_text(self, pattern: NDArray[np.int64], vectors: NDArray[np.float32]) -> list[str | None]:
        """Ids of the variants of filed tickets, where their text tells; `pattern` as `assign_vectors` gives it."""
        return self._variant_ids(self.known_variants.by_text(pattern, vectors))

    def variants_by_note(self, pattern: NDArray[np.int64], notes: Coded) -> list[str | None]:
        """Ids of the variants of closed tickets by their masked notes; an empty note is of none.

        Only notes of patterns with variants are placed, some thousand at a time.
        """
        found = np.full(len(pattern), NO_VARIANT, dtype=np.int64)
        searched = np.flatnonzero(np.isin(pattern, self.known_variants.owner))
        searched = searched[np.argsort(notes.codes[searched], kind="stable")]  # the same note once, or nearly so
        for start in range(0, len(searched), NOTES_AT_A_TIME):
            rows = searched[start : start + NOTES_AT_A_TIME]
            codes, place = np.unique(notes.codes[rows], return_inverse=True)
            vectors = self.space.encode([notes.names[code] for code in codes.tolist()])
            found[rows] = self.known_variants.by_note(pattern[rows], vectors[place])
        return self._variant_ids(found)

    def _variant_ids(self, variant: NDArray[np.int64]) -> list[str | None]:
        ids = self.known_variants.ids
        return [ids[one] if one >= 0 else None for one in variant.tolist()]

    def _assignment(self, index: int, cosine: float, variant_id: str | None) -> Assignment:
        pattern = self.patterns[index]
        title = self.titles[index]
        return Assignment(pattern.pattern_id, title, round(float(cosine), 4), variant_id, pattern.theme_id or None)

    def to_bundle(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Contents and arrays for `write_bundle`."""
        contents = {
            "space": {"version": self.space.version, **self.space.to_params()},
            "patterns": [_without_texts(pattern) for pattern in self.patterns],
            "rare": [{"tickets": rare.tickets, "seen": rare.seen, "label": rare.label} for rare in self.rare],
            "bound": asdict(self.bound),
            "variants": [asdict(one) for one in self.known_variants.variants],
        }
        arrays = {f"space_{name}": array for name, array in self.space.to_arrays().items()}
        for prefix, prototypes in (("prototype", self.prototypes), ("case", self.cases)):
            arrays |= {f"{prefix}_{one.name}": getattr(prototypes, one.name) for one in fields(prototypes)}
        arrays |= {f"variant_{name}": getattr(self.known_variants, name) for name in VARIANT_ARRAYS}
        for name in PATTERN_TEXTS:
            arrays |= _packed_lists(f"pattern_{name}", [getattr(pattern, name) for pattern in self.patterns])
        for name in RARE_TEXTS:
            arrays |= _packed(f"rare_{name}", (getattr(rare, name) for rare in self.rare))
        return contents, arrays

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> PatternBook:
        """The reverse of `to_bundle`.

        Raises
        ------
        BundleFormatError
            The bundle is of another kind, or lacks a part.
        """
        if bundle.kind != KIND:
            raise BundleFormatError(f"Expected a bundle of kind {KIND!r}, found {bundle.kind!r}.")
        try:
            return cls(
                space=LexicalSpace.from_arrays(bundle.contents["space"], _with_prefix(bundle.arrays, "space_")),
                patterns=_patterns(bundle),
                prototypes=Prototypes(**_with_prefix(bundle.arrays, "prototype_")),
                cases=Prototypes(**_with_prefix(bundle.arrays, "case_")),
                rare=_rare_of(bundle),
                bound=_bound(bundle.contents["bound"]),
                variants=VariantSet(
                    tuple(Variant(**row) for row in bundle.contents["variants"]),
                    **{name: bundle.arrays[f"variant_{name}"] for name in VARIANT_ARRAYS},
                ),
            )
        except (KeyError, TypeError) as error:
            raise BundleFormatError(f"The pattern bundle lacks a part ({error}).") from None


def masked_texts(texts: Iterable[str], *, redacted: bool = False) -> list[str]:
    """Ticket texts as patterns compare them: cleaned, redacted (unless they are already), masked, without case.

    Doing it twice changes nothing.
    """
    return [same_form(text) for text in mask(texts if redacted else redact(clean(texts)))]


def _bound(row: Mapping[str, Any]) -> Bound:
    splits = {key: tuple(children) for key, children in row["splits"].items()}
    return Bound(row["merged"], row["titles"], splits, tuple((one, other) for one, other in row["apart"]))


def _without_texts(pattern: Pattern) -> dict[str, Any]:
    return {name: value for name, value in vars(pattern).items() if name not in PATTERN_TEXTS}


def _patterns(bundle: Bundle) -> tuple[Pattern, ...]:
    texts = {name: _unpacked_lists(f"pattern_{name}", bundle.arrays) for name in PATTERN_TEXTS}
    return tuple(
        Pattern(**{**row, **{name: lists[place] for name, lists in texts.items()}})
        for place, row in enumerate(bundle.contents["patterns"])
    )


def _packed_lists(name: str, lists: Sequence[Sequence[str]]) -> dict[str, NDArray[Any]]:
    lengths = np.array([len(one) for one in lists], dtype=np.int64)
    return {**_packed(name, (text for one in lists for text in one)), f"{name}_lengths": lengths}


def _unpacked_lists(name: str, arrays: Mapping[str, NDArray[Any]]) -> list[tuple[str, ...]]:
    texts = iter(unpack_strings(arrays[f"{name}_data"], arrays[f"{name}_offsets"]))
    return [tuple(islice(texts, length)) for length in arrays[f"{name}_lengths"].tolist()]


def _packed(name: str, strings: Iterable[str]) -> dict[str, NDArray[Any]]:
    data, offsets = pack_strings(list(strings))
    return {f"{name}_data": data, f"{name}_offsets": offsets}


def _rare_of(bundle: Bundle) -> tuple[Rare, ...]:
    texts = [
        unpack_strings(bundle.arrays[f"rare_{field}_data"], bundle.arrays[f"rare_{field}_offsets"])
        for field in RARE_TEXTS
    ]
    rows = bundle.contents["rare"]
    return tuple(
        Rare(**dict(zip(RARE_TEXTS, strings, strict=True)), **row) for row, *strings in zip(rows, *texts, strict=True)
    )


def _with_prefix(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
