"""The set of known patterns, and what is needed to recognise them: it travels as a bundle of kind `patterns`.

A book never changes; `grow` makes the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_ml.bundle import Bundle, pack_strings, unpack_strings
from triage_ml.errors import BundleFormatError
from triage_ml.patterns.assign import Assignment, Prototypes, assign_vectors
from triage_ml.patterns.space import LexicalSpace
from triage_ml.patterns.uniques import COMPARED
from triage_ml.text import clean, mask, redact

__all__ = ["KIND", "Pattern", "PatternBook", "Rare", "masked_texts"]

#: What kind of bundle a book is.
KIND = "patterns"

#: Fields of `Rare` that hold text.
RARE_TEXTS = ("text", "headline", "example", "note")


@dataclass(frozen=True)
class Pattern:
    """A recurring kind of ticket.

    `anchors` are redacted and masked texts that never change; `examples` are redacted texts to show to people. `born` is
    the first week in which it was found, `founded_on` the number of tickets that it was found with.
    """

    pattern_id: str
    title: str
    keywords: tuple[str, ...]
    examples: tuple[str, ...]
    anchors: tuple[str, ...]
    born: str
    founded_on: int


@dataclass(frozen=True)
class Rare:
    """A text that was seen but belongs to no pattern yet: it waits for others of its kind.

    `seen` is the last week (or another label of the run) in which it came up; `label` and `note` are the category and the
    masked close note of its tickets, empty where there is none.
    """

    text: str
    headline: str
    example: str
    tickets: int
    seen: str
    label: str = ""
    note: str = ""


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

    def __len__(self) -> int:
        return len(self.patterns)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the patterns, in their order."""
        return tuple(pattern.pattern_id for pattern in self.patterns)

    def assign(self, texts: Sequence[str]) -> list[Assignment | None]:
        """The pattern of each ticket text, or None.

        Texts may be as filed, cleaned or redacted: they are brought to the same masked form.
        """
        pattern, similarity = self.assign_masked(masked_texts(texts))
        return [
            None
            if index < 0
            else Assignment(self.patterns[index].pattern_id, self.patterns[index].title, round(float(cosine), 4))
            for index, cosine in zip(pattern.tolist(), similarity.tolist(), strict=True)
        ]

    def assign_masked(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Index into `patterns` (or -1) and similarity, for texts that are masked already."""
        return assign_vectors(self.space.encode(texts), self.prototypes)

    def to_bundle(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Contents and arrays for `write_bundle`."""
        contents = {
            "space": {"version": self.space.version, **self.space.to_params()},
            "patterns": [asdict(pattern) for pattern in self.patterns],
            "rare": [{"tickets": rare.tickets, "seen": rare.seen, "label": rare.label} for rare in self.rare],
        }
        arrays = {f"space_{name}": array for name, array in self.space.to_arrays().items()}
        arrays |= {f"prototype_{name}": array for name, array in vars(self.prototypes).items()}
        arrays |= {f"case_{name}": array for name, array in vars(self.cases).items()}
        for field in RARE_TEXTS:
            arrays |= _packed(f"rare_{field}", (getattr(rare, field) for rare in self.rare))
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
                patterns=tuple(_pattern(row) for row in bundle.contents["patterns"]),
                prototypes=Prototypes(**_with_prefix(bundle.arrays, "prototype_")),
                cases=Prototypes(**_with_prefix(bundle.arrays, "case_")),
                rare=_rare_of(bundle),
            )
        except (KeyError, TypeError) as error:
            raise BundleFormatError(f"The pattern bundle lacks a part ({error}).") from None


def masked_texts(texts: Iterable[str]) -> list[str]:
    """Ticket texts as patterns compare them: cleaned, redacted, masked, without case.

    Doing it twice changes nothing.
    """
    return [" ".join(text.casefold().split())[:COMPARED] for text in mask(redact(clean(texts)))]


def _pattern(row: Mapping[str, Any]) -> Pattern:
    lists = {name: tuple(row[name]) for name in ("keywords", "examples", "anchors")}
    return Pattern(**{**row, **lists})


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
