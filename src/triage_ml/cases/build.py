"""Build the case index of a ticket table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.bundle import pack_strings, write_bundle
from triage_ml.cases.index import KIND, STRINGS
from triage_ml.errors import NotEnoughDataError
from triage_ml.features import LexicalFeatures
from triage_ml.text import clean, redact, ticket_text

__all__ = ["Built", "build_cases"]

_COLUMNS = 200_000
_FEW = 50


@dataclass(frozen=True)
class Built:
    """What became of the tickets: `unresolved` say nothing of what resolved them, `repeats` say the same as a newer one."""

    cases: int
    unresolved: int
    repeats: int
    digest: str


def build_cases(folder: Path, tickets: pd.DataFrame, *, step: Callable[[str], None] = lambda _: None) -> Built:
    """Write the index of the resolved tickets among `tickets` to `folder`, whole or not at all; an older one is replaced.

    A ticket is a case if it has a `resolution`. Text and resolution are cleaned and redacted before anything else happens.
    Of tickets with the same text and resolution the newest stays. The same tickets, in whatever order, give the same bytes.

    Raises
    ------
    NotEnoughDataError
        No ticket has a resolution.
    """
    step("cleaning and redacting")
    cases, unresolved, repeats = _cases(tickets)
    step(f"weighing the words of {len(cases):,} cases")
    features = LexicalFeatures(words=2, pieces=None, min_texts=1 if len(cases) < _FEW else 2, max_columns=_COLUMNS)
    texts = cases["text"].tolist()
    vectors = features.fit(texts).transform(texts)
    step("writing")
    arrays: dict[str, NDArray[Any]] = {f"features_{name}": array for name, array in features.to_arrays().items()}
    arrays |= _postings(vectors)
    for name in STRINGS:
        arrays[f"{name}_data"], arrays[f"{name}_offsets"] = pack_strings(cases[name].tolist())
    contents = {"cases": len(cases), "features": features.get_params()}
    return Built(len(cases), unresolved, repeats, write_bundle(folder, KIND, contents, arrays))


def _cases(tickets: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """Columns `STRINGS` and `text`, newest first; how many tickets are unresolved, how many repeat a newer one."""
    given = tickets["resolution"].fillna("").tolist() if "resolution" in tickets else [""] * len(tickets)
    found = pd.DataFrame(
        {
            "ticket_id": tickets["ticket_id"].tolist(),
            "title": _safe(tickets["title"].fillna("").tolist() if "title" in tickets else [""] * len(tickets)),
            "resolution": _safe(given),
            "text": _safe(ticket_text(tickets)),
            "at": _moments(tickets),
        }
    )
    resolved = found[found["resolution"] != ""]
    if resolved.empty:
        raise NotEnoughDataError(
            f"None of {len(tickets):,} tickets says what resolved it: expected text in the column resolution.",
            hint="Map the column with the close notes: triage import --map resolution=THEIRS.",
        )
    ordered = resolved.sort_values(["at", "ticket_id"], ascending=[False, True], kind="stable", na_position="last")
    cases = ordered.drop_duplicates(["text", "resolution"])
    return cases, len(found) - len(resolved), len(resolved) - len(cases)


def _moments(tickets: pd.DataFrame) -> pd.Series:
    """When each ticket was resolved, else opened; missing where nobody says."""
    at = pd.Series(pd.NaT, index=range(len(tickets)), dtype="datetime64[us, UTC]")
    for name in ("resolved_at", "opened_at"):
        if name in tickets:
            at = at.fillna(tickets[name].reset_index(drop=True))
    return at


def _safe(texts: list[str]) -> list[str]:
    return redact(clean(texts))


def _postings(vectors: sparse.csr_matrix) -> dict[str, NDArray[Any]]:
    """For each term the cases that have it, in their order, and its weight in them."""
    by_term = vectors.tocsc()
    by_term.sort_indices()
    return {
        "posting_begins": by_term.indptr.astype(np.int64),
        "posting_case": by_term.indices.astype(np.int32),
        "posting_weight": by_term.data.astype(np.float32),
    }
