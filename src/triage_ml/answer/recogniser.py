"""Which filed tickets an automation may take: recognised by their text, on evidence of tickets that people closed.

A pattern's prototypes say what a text is near to. That is enough to list patterns, and not to act: vague texts are near to
something too, siblings share their words, and a kind that is put in two languages is near to itself in one. So every pattern
that could be automated gets a linear head of its own, learnt on closed tickets with what they turned out to be (by close note
and category) as the label. Heads that did not see a ticket say what they would have taken it for; on that evidence the
promised precision is kept as for any target (`choose_policy`), for all automations in force together. Where the evidence does
not carry it, and for a pattern without evidence, an automation is suggested, and never acts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.bundle import pack_strings, read_bundle, unpack_strings, write_bundle
from triage_ml.classify import LinearHead, choose_policy, fit_head, fit_temperature, softmax
from triage_ml.errors import BundleFormatError
from triage_ml.features import LexicalFeatures, features_from_arrays

__all__ = ["FEWEST_TICKETS", "KIND", "Recogniser"]

KIND = "recogniser"
#: A pattern with fewer closed tickets is not learnt.
FEWEST_TICKETS = 30
#: The label of tickets that are of none of the patterns.
OTHER = ""
#: Penalty of the heads (see `fit_head`), and the part of the tickets that each fold holds out.
PENALTY, FOLDS = 10.0, 2
#: An automation acts on nothing that may well be something else, whatever the evidence carries.
LEAST = 0.6
PIECES, COLUMNS = (4, 4), 60_000

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Recogniser:
    """Heads of the patterns that could be automated, and what they would have said of tickets that they did not see.

    Attributes
    ----------
    features, head, temperature
        Masked text -> vector -> margin of each class -> probabilities. The first class is `OTHER`, where there is any.
    answered, probability, right, alike
        Shape (n,): of closed tickets that heads took for a pattern, index of its class, the probability, whether that was
        so, and a number that tickets of the same text share.
    """

    features: LexicalFeatures
    head: LinearHead
    temperature: float
    answered: Integers
    probability: Floats
    right: NDArray[np.bool_]
    alike: Integers

    @classmethod
    def learn(cls, texts: Sequence[str], patterns: Sequence[str | None], *, seed: int = 0) -> Recogniser | None:
        """Learn from closed tickets; None where no pattern has enough of them, or all are of one.

        Parameters
        ----------
        texts
            Masked.
        patterns
            What each ticket turned out to be; None for anything else.
        """
        counts = Counter(one for one in patterns if one is not None)
        known = {one for one, count in counts.items() if count >= FEWEST_TICKETS}
        labels = np.array([one if one in known else OTHER for one in patterns], dtype=object)
        if not known or len(set(labels.tolist())) < 2:
            return None
        features = LexicalFeatures(pieces=PIECES, max_columns=COLUMNS).fit(list(texts))
        vectors = features.transform(texts)
        alike = pd.factorize(np.array(texts, dtype=object))[0].astype(np.int64)
        margins, truth, classes = _held_out(vectors, labels, alike, seed)
        temperature = fit_temperature(margins, truth)
        probabilities = softmax(margins, temperature)
        answered = probabilities.argmax(axis=1)
        taken = np.flatnonzero(np.array(classes, dtype=object)[answered] != OTHER)
        head = fit_head("pattern", vectors, np.arange(len(labels)), labels, penalty=PENALTY, seed=seed)
        return cls(
            features,
            head,
            float(temperature),
            answered[taken].astype(np.int64),
            probabilities[taken, answered[taken]],
            (answered == truth)[taken],
            alike[taken],
        )

    @property
    def patterns(self) -> tuple[str, ...]:
        """Ids of the patterns that were learnt."""
        return tuple(one for one in self.head.classes if one != OTHER)

    def recognise(self, texts: Sequence[str]) -> list[tuple[str | None, float]]:
        """The pattern that each masked text is most likely of, None for none of those, and the probability."""
        probabilities = softmax(self.head.margins(self.features.transform(texts)), self.temperature)
        best = probabilities.argmax(axis=1)
        return [
            (self.head.classes[place] or None, float(row[place]))
            for place, row in zip(best.tolist(), probabilities, strict=True)
        ]

    def thresholds(self, patterns: Collection[str], precision: float) -> dict[str, float]:
        """The probability from which an automation of each of these patterns may act; only of those that may at all.

        `patterns` are all that are in force: the promise is for what they take together, and one that is shown not to keep
        it is bounded by itself.
        """
        classes = [self.head.classes.index(one) for one in sorted(patterns) if one in self.patterns]
        if not classes:
            return {}
        rows = np.flatnonzero(np.isin(self.answered, classes))
        column = np.searchsorted(classes, self.answered[rows])
        probabilities = np.zeros((len(rows), len(classes)), dtype=np.float32)
        probabilities[np.arange(len(rows)), column] = self.probability[rows]
        truth = np.where(self.right[rows], column, -1)
        found = choose_policy(probabilities, truth, precision, self.alike[rows]).thresholds.tolist()
        names = [self.head.classes[one] for one in classes]
        return {name: max(least, LEAST) for name, least in zip(names, found, strict=True) if least <= 1}

    def write(self, folder: Path) -> str:
        """Write it as a bundle; returns the digest."""
        data, offsets = pack_strings(list(self.head.classes))
        contents = {"features": self.features.get_params(), "temperature": self.temperature}
        arrays: dict[str, NDArray[Any]] = {
            "classes_data": data,
            "classes_offsets": offsets,
            "weights": self.head.weights,
            "intercept": self.head.intercept,
            **{name: getattr(self, name) for name in ("answered", "probability", "right", "alike")},
            **{f"features.{name}": array for name, array in self.features.to_arrays().items()},
        }
        return write_bundle(folder, KIND, contents, arrays)

    @classmethod
    def read(cls, folder: Path) -> Recogniser:
        """The reverse of `write`.

        Raises
        ------
        BundleError
            It is not there, damaged, or of a later format.
        """
        bundle = read_bundle(folder, KIND)
        try:
            return cls._of(bundle.contents, bundle.arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleFormatError(
                f"{folder.name}: its contents are not those of a recogniser that this version writes.",
                hint="The next `triage mine` with a new week learns one again.",
            ) from error

    @classmethod
    def _of(cls, contents: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Recogniser:
        own = {name.removeprefix("features."): array for name, array in arrays.items() if name.startswith("features.")}
        classes = tuple(unpack_strings(arrays["classes_data"], arrays["classes_offsets"]))
        return cls(
            features_from_arrays(contents["features"], own),
            LinearHead(classes, arrays["weights"], arrays["intercept"]),
            contents["temperature"],
            *(arrays[name] for name in ("answered", "probability", "right", "alike")),
        )


def _held_out(vectors: Any, labels: NDArray[Any], alike: Integers, seed: int) -> tuple[Floats, Integers, list[str]]:
    """Margins of shape (n, K) by heads that saw no ticket of the same text, the true class of each ticket, and the classes."""
    classes = sorted(set(labels.tolist()))
    fold = np.random.default_rng(seed).permutation(int(alike.max()) + 1)[alike] % FOLDS
    margins = np.full((len(labels), len(classes)), -10.0, dtype=np.float32)
    for side in range(FOLDS):
        rows, asked = np.flatnonzero(fold != side), np.flatnonzero(fold == side)
        if len(set(labels[rows].tolist())) > 1 and len(asked):
            # The penalty counts tickets: half of them want half of it, or the head in force is surer than its evidence.
            penalty = PENALTY * len(labels) / len(rows)
            head = fit_head("pattern", vectors, rows, labels[rows], penalty=penalty, seed=seed)
            places = np.array([classes.index(one) for one in head.classes], dtype=np.int64)
            margins[np.ix_(asked, places)] = head.margins(vectors[asked])
    return margins, np.searchsorted(classes, labels).astype(np.int64), classes
