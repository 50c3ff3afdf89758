"""What is known of a pattern's recent tickets beside the figures of the list: who says it, where, how, in which language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from triage_training.languages import language_of

__all__ = ["SITE_COLUMNS", "evidence_by_pattern"]

#: Texts that are said by so many tickets are templates: a machine or a form made them.
TEMPLATE_TICKETS = 3
SHOWN = 5
#: Typical texts, and texts at the edge, that are kept of a pattern.
EDGE = 3
#: Columns that may say where tickets come from, the first that is there.
SITE_COLUMNS = ("site", "location", "office", "country")


def evidence_by_pattern(
    frame: pd.DataFrame, facts: Iterable[Mapping[str, Any]], texts: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Evidence of each pattern, as plain JSON.

    Parameters
    ----------
    frame
        The table that the tickets are in; tickets that it does not hold count with their facts alone.
    facts
        Facts of the tickets to look at, as they will be listed.
    texts
        Text key -> masked text.

    Returns
    -------
    dict
        Pattern id -> `tickets`, `texts` (different ones), `templates` (commonest texts with their tickets), `machine_made`
        (share of tickets that say a template), `languages`, `requesters` and `sites` (how many, and the share of the first),
        `reopened` (share), `handed_off` (share), `variants` (shares of those with one), `typical` and `edge` (texts that are
        most and least like it).
    """
    columns = {
        "requesters": _column(frame, ("requester_id",)),
        "sites": _column(frame, SITE_COLUMNS),
        "configuration_items": _column(frame, ("configuration_item",)),
    }
    of_pattern: dict[str, list[Mapping[str, Any]]] = {}
    for fact in facts:
        if fact["pattern_id"] is not None:
            of_pattern.setdefault(fact["pattern_id"], []).append(fact)
    return {pattern_id: _evidence(own, columns, texts) for pattern_id, own in of_pattern.items()}


def _evidence(
    own: Sequence[Mapping[str, Any]], columns: Mapping[str, Mapping[str, str]], texts: Mapping[str, str]
) -> dict[str, Any]:
    said = Counter(fact["text_key"] for fact in own)
    templates = [(key, count) for key, count in said.most_common() if count >= TEMPLATE_TICKETS]
    languages: Counter[str] = Counter()
    for key, count in said.items():
        if key in texts:
            languages[language_of(texts[key])] += count
    variants = Counter(fact["variant_id"] for fact in own if fact["variant_id"])
    found: dict[str, Any] = {
        "tickets": len(own),
        "texts": len(said),
        "machine_made": round(sum(count for _, count in templates) / len(own), 3),
        "templates": [{"text": texts[key], "tickets": count} for key, count in templates[:SHOWN] if key in texts],
        **_typical_and_edge(own, texts),
        "languages": _shares(languages),
        "variants": _shares(variants),
        "reopened": _share_of(own, "reopens"),
        "handed_off": _share_of(own, "handoffs"),
    }
    for name, values in columns.items():
        seen = Counter(values[fact["ticket_id"]] for fact in own if fact["ticket_id"] in values)
        if seen:
            found[name] = {"count": len(seen), "largest": round(seen.most_common(1)[0][1] / seen.total(), 3)}
    return found


def _typical_and_edge(own: Sequence[Mapping[str, Any]], texts: Mapping[str, str]) -> dict[str, list[str]]:
    """The texts that are most like the pattern, and those that just belong to it; each once."""
    likeness = {fact["text_key"]: fact["similarity"] or 0.0 for fact in own if fact["text_key"] in texts}
    ordered = sorted(likeness, key=lambda key: (-likeness[key], key))
    edge = ordered[max(len(ordered) - EDGE, EDGE) :]
    return {"typical": [texts[key] for key in ordered[:EDGE]], "edge": [texts[key] for key in edge[::-1]]}


def _column(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, str]:
    """Ticket id -> value of the first of these columns that is there."""
    name = next((one for one in names if one in frame), None)
    if name is None:
        return {}
    there = frame[["ticket_id", name]].dropna()
    return dict(zip(there["ticket_id"].tolist(), there[name].astype(str).tolist(), strict=True))


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = max(counts.total(), 1)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    return {name: round(count / total, 3) for name, count in ordered}


def _share_of(own: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Share of the tickets whose count is known and above 0."""
    known = [fact[name] for fact in own if fact[name] is not None]
    return round(sum(value > 0 for value in known) / len(known), 3) if known else None
