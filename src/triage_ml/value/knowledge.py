"""Knowledge gaps: patterns whose resolutions cite no article, or whose cited article no longer goes with most of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["KnowledgeGap", "knowledge_gap"]

#: Fewer resolved tickets than this say nothing about what is written down.
ENOUGH = 5
#: Share of tickets that cite the commonest article below which nothing is written down, or it does not go with the work.
CITED, GOES_WITH = 0.05, 0.20

State = Literal["covered", "no_article", "doubtful_article", "unknown"]


@dataclass(frozen=True)
class KnowledgeGap:
    """`cited` is the share of tickets whose notes name `article`, the commonest; `others` the share that name another."""

    state: State
    article: str | None
    cited: float
    others: float


def knowledge_gap(
    own: Sequence[Mapping[str, Any]], articles: frozenset[str] | None = None, *, noted: bool = True
) -> KnowledgeGap:
    """What the recent tickets of a pattern say about its article.

    Parameters
    ----------
    articles
        Ids of the articles that exist, if a list was given: one that does not exist is doubtful.
    noted
        Whether any of them has a close note: where none has, that no article is cited says nothing.
    """
    counts = Counter(fact["article"] for fact in own if fact["article"])
    if len(own) < ENOUGH or not (counts or noted):
        return KnowledgeGap("unknown", None, 0.0, 0.0)
    if not counts:
        return KnowledgeGap("no_article", None, 0.0, 0.0)
    article = min(counts, key=lambda name: (-counts[name], name))
    cited, others = counts[article] / len(own), (counts.total() - counts[article]) / len(own)
    if cited < CITED:
        return KnowledgeGap("no_article", article, cited, others)
    gone = articles is not None and article not in articles
    doubtful = gone or others > cited or cited < GOES_WITH
    return KnowledgeGap("doubtful_article" if doubtful else "covered", article, cited, others)
