"""Parts of the tickets that a mean hides: by tier, channel, language, length of text and age, each with its interval."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from triage_ml.evaluate.answers import stands_for
from triage_ml.evaluate.metrics import Interval, coverage_of

__all__ = ["SLICES", "SliceFigures", "guess_language", "share_interval", "slice_columns", "slice_figures"]

SLICES = ("tier", "channel", "language", "length", "age")
_FEWEST = 30
_LENGTHS = ((0, "1 to 10 words"), (11, "11 to 30 words"), (31, "31 to 100 words"), (101, "more than 100 words"))

#: The commonest function words of a language tell it from the others in a sentence or two (Grefenstette 1995).
_FUNCTION_WORDS = {
    "en": "the and to is of for in it my i on not can with have when this please are be",
    "de": "der die das und ist nicht ich mit auf für ein eine zu von bitte den dem kann wir hat",
    "es": "el la los de que y en no un una por con para se mi es al las favor puedo",
    "fr": "le la les de des et est je pas un une pour sur mon dans vous que ne merci avec",
    "pt": "o a os de que e não um uma para com por meu em se do da no na favor",
    "it": "il la di che e non un una per con mi è del della sono i le si al grazie",
    "nl": "de het een en is niet ik van op met voor mijn te dat kan aan er naar graag wij",
    "pl": "w i nie na do się z jest to że mam proszę o po od dla jak mi za po",
}
_LANGUAGE_OF = {name: frozenset(words.split()) for name, words in _FUNCTION_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")
_WORDS_READ = 120


@dataclass(frozen=True)
class SliceFigures:
    """One target on one part of the tickets: accuracy with a 95 % interval, share decided auto, precision on that."""

    slice: str
    value: str
    tickets: int
    accuracy: Interval
    coverage: float
    precision: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "slice": self.slice,
            "value": self.value,
            "tickets": self.tickets,
            "accuracy": round(self.accuracy.value, 4),
            "interval": [round(self.accuracy.low, 4), round(self.accuracy.high, 4)],
            "coverage": round(self.coverage, 4),
            "precision": None if self.precision is None else round(self.precision, 4),
        }


def slice_columns(tickets: pd.DataFrame, texts: Sequence[str]) -> pd.DataFrame:
    """For each ticket what it is sliced by: `slice.channel`, `slice.language`, `slice.length`, `slice.age`, `slice.tier`.

    Age is the ISO month it was opened in. A column that the tickets don't have is left out. Beside these, where labels came back
    from the service: `label_source` and `label_stands_for` (`triage_ml.evaluate.stands_for`).
    """
    columns: dict[str, Any] = {
        f"slice.{name}": tickets[name].astype("string").to_numpy(dtype=object)
        for name in ("tier", "channel")
        if name in tickets and tickets[name].notna().any()
    }
    columns["slice.language"] = [guess_language(text) for text in texts]
    columns["slice.length"] = [_length(text) for text in texts]
    if "opened_at" in tickets and tickets["opened_at"].notna().any():
        columns["slice.age"] = tickets["opened_at"].dt.strftime("%Y-%m").to_numpy(dtype=object)
    if "label_source" in tickets:
        columns["label_source"] = tickets["label_source"].astype("string").to_numpy(dtype=object)
    if "label_stands_for" in tickets or "label_audit_share" in tickets:
        columns["label_stands_for"] = stands_for(tickets)
    return pd.DataFrame(columns)


def slice_figures(answers: pd.DataFrame, target: str) -> list[SliceFigures]:
    """Figures of every value with at least 30 labelled tickets; `answers` is an answer table with slice columns."""
    rows = answers[answers[f"{target}_truth"].notna().to_numpy() & (stands_for(answers) > 0)]
    weights = stands_for(rows)
    right = (rows[target] == rows[f"{target}_truth"]).to_numpy(dtype=bool)
    automatic = rows[f"{target}_auto"].to_numpy(dtype=bool)
    figures = []
    for name in (name for name in SLICES if f"slice.{name}" in rows):
        values = rows[f"slice.{name}"].astype("string")
        for value in sorted(values.dropna().unique()):
            here = (values == value).fillna(False).to_numpy(dtype=bool)
            if here.sum() >= _FEWEST:
                figures.append(_one(name, str(value), right[here], automatic[here], weights[here]))
    return figures


def share_interval(hits: float, total: float, confidence: float = 0.95) -> Interval:
    """A share with its Wilson score interval (Wilson 1927): right also near 0 and 1 and for few tickets.

    >>> interval = share_interval(9, 10)
    >>> round(interval.low, 2), round(interval.high, 2)
    (0.6, 0.98)
    """
    if total == 0:
        return Interval(0.0, 0.0, 1.0)
    z = float(norm.ppf((1 + confidence) / 2))
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return Interval(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def guess_language(text: str) -> str:
    """The language whose function words stand in the text most often; `other` where there are hardly any.

    >>> guess_language("Ich kann mich nicht mit dem VPN verbinden")
    'de'
    """
    words = [word.lower() for word in _WORD.findall(text[: 12 * _WORDS_READ])[:_WORDS_READ]]
    counts = {name: sum(word in known for word in words) for name, known in _LANGUAGE_OF.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= max(1, 0.05 * len(words)) else "other"


def _length(text: str) -> str:
    words = len(text.split())
    return next(name for least, name in reversed(_LENGTHS) if words >= least)


def _one(
    name: str, value: str, right: NDArray[np.bool_], automatic: NDArray[np.bool_], weights: NDArray[np.float64]
) -> SliceFigures:
    """Tickets that stand for several count as those that would say as much (Kish 1965) in the interval."""
    size = float(weights.sum() ** 2 / (weights**2).sum())
    accuracy = share_interval(size * float(np.average(right, weights=weights)), size)
    whole = coverage_of(automatic, right, weights)
    return SliceFigures(name, value, len(right), accuracy, whole.coverage, whole.precision)
