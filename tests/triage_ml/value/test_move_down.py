from __future__ import annotations

from typing import Any

import pytest

from triage_ml.taxonomy import Taxonomy, Tier
from triage_ml.value import knowledge_gap, lowest_capable_tier, move_down


def solved(tier: str, count: int, **changes: Any) -> list[dict[str, Any]]:
    row = {"tier": tier, "effort_minutes": 30.0, "handoffs": 0.0, "reopens": 0.0, "assignment_group": f"{tier} desk"}
    return [{**row, "article": None, **changes}] * count


def test_work_that_a_lower_tier_does_as_well_could_go_there() -> None:
    own = solved("L1", 10) + solved("L3", 20) + solved("L0", 5)

    down = move_down(own, Taxonomy())

    assert down is not None
    assert (down.to, down.tickets, down.groups, down.hours) == ("L1", 20, {"L3 desk": 20}, 10.0)


@pytest.mark.parametrize(
    ("lower", "lowest"),
    [
        (solved("L1", 10), "L1"),
        (solved("L1", 10, effort_minutes=90.0), "L3"),
        (solved("L1", 10, reopens=1.0), "L3"),
        (solved("L1", 10, handoffs=3.0), "L3"),
        (solved("L1", 3), "L3"),
        (solved("L1", 10, effort_minutes=None, handoffs=None, reopens=None), "L1"),
    ],
    ids=["as well", "slower", "comes back", "passed on", "too few", "nothing recorded"],
)
def test_only_a_tier_that_does_no_worse_is_able(lower: list[dict[str, Any]], lowest: str) -> None:
    assert lowest_capable_tier(lower + solved("L3", 40), Taxonomy()) == lowest


def test_of_two_tiers_of_one_rank_the_cheaper_is_lower() -> None:
    taxonomy = Taxonomy(tiers=(Tier("A", 2, cost_per_hour=50.0), Tier("B", 2, cost_per_hour=40.0)))

    assert lowest_capable_tier(solved("A", 20) + solved("B", 6), taxonomy) == "B"


@pytest.mark.parametrize("own", [[], solved("L0", 9), solved("Mars", 9)], ids=["none", "automated", "unknown tier"])
def test_without_a_person_who_solved_it_there_is_no_tier(own: list[dict[str, Any]]) -> None:
    assert lowest_capable_tier(own, Taxonomy()) is None
    assert move_down(own, Taxonomy()) is None


@pytest.mark.parametrize(
    ("own", "state", "article"),
    [
        (solved("L1", 4), "unknown", None),
        (solved("L1", 10), "no_article", None),
        (solved("L1", 8, article="KB0010023") + solved("L1", 2), "covered", "KB0010023"),
        (solved("L1", 3, article="KB0010023") + solved("L1", 20), "doubtful_article", "KB0010023"),
    ],
    ids=["too few tickets", "none is cited", "most cite it", "few cite it"],
)
def test_knowledge_gaps(own: list[dict[str, Any]], state: str, article: str | None) -> None:
    gap = knowledge_gap(own)

    assert (gap.state, gap.article) == (state, article)


def test_an_article_that_is_gone_is_doubtful() -> None:
    own = solved("L1", 10, article="KB0010023")

    assert knowledge_gap(own, frozenset({"KB0010024"})).state == "doubtful_article"
    assert knowledge_gap(own, frozenset({"KB0010023"})).state == "covered"


def test_where_nobody_writes_close_notes_nothing_is_known_of_articles() -> None:
    assert knowledge_gap(solved("L1", 10), noted=False).state == "unknown"
    assert knowledge_gap(solved("L1", 10, article="KB0010023"), noted=False).state == "covered"
