"""Tier and group, category and subcategory: never an answer that the taxonomy contradicts."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.answer.decisions import Asked
from triage_ml.answer.rules import Rule, RuleBook, Then, When
from triage_ml.answer.verdicts import ACTIONS, AUTO, Verdicts
from triage_ml.classify import TargetAnswers
from triage_ml.taxonomy import Group, Taxonomy

TIERS = ("L1", "L2-EUC", "NOC")
GROUPS = ("Field Support", "Operations", "Service Desk")


def both(tier: list[float], group: list[float], answered: Any) -> dict[str, TargetAnswers]:
    return {"tier": answered(TIERS, [tier]), "assignment_group": answered(GROUPS, [group])}


def test_first_choices_that_agree_stay_as_they_are(desk: Any, answered: Any, what: Any) -> None:
    found = desk.verdicts(both([0.9, 0.1, 0.0], [0.1, 0.1, 0.8], answered))
    assert what(found["tier"]) == ("L1", "auto", "confident")
    assert what(found["assignment_group"]) == ("Service Desk", "auto", "confident")
    assert found["assignment_group"].marks == {}


def test_an_unsure_group_follows_a_sure_tier(desk: Any, answered: Any, what: Any) -> None:
    found = desk.verdicts(both([0.95, 0.03, 0.02], [0.1, 0.5, 0.4], answered))
    assert what(found["tier"]) == ("L1", "auto", "confident")
    assert what(found["assignment_group"]) == ("Service Desk", "suggest", "below_threshold")
    assert found["assignment_group"].marks == {0: {"agrees_with": "tier"}}


def test_an_unsure_tier_follows_a_sure_group_and_is_not_auto(desk: Any, answered: Any, what: Any) -> None:
    found = desk.verdicts(both([0.71, 0.29, 0.0], [0.98, 0.01, 0.01], answered))
    assert what(found["tier"]) == ("L2-EUC", "suggest", "below_threshold")
    assert what(found["assignment_group"]) == ("Field Support", "auto", "confident")


def test_a_group_that_the_taxonomy_does_not_know_goes_with_every_tier(desk: Any, answered: Any, what: Any) -> None:
    given = {"tier": answered(TIERS, [[0.1, 0.1, 0.8]]), "assignment_group": answered(("Guild", "SD"), [[0.9, 0.1]])}
    assert what(desk.verdicts(given)["tier"]) == ("NOC", "auto", "confident")


def test_classes_that_differ_in_case_are_two_and_both_agree(desk: Any, answered: Any, what: Any) -> None:
    category = answered(("ACCESS", "Access", "Hardware"), [[0.95, 0.03, 0.02]])
    found = desk.verdicts({"category": category, "subcategory": answered(("Laptop", "VPN"), [[0.1, 0.9]])})
    assert what(found["category"]) == ("ACCESS", "auto", "confident")


def test_an_old_name_of_a_group_has_the_tier_of_the_new_one(desk: Any, answered: Any, what: Any) -> None:
    given = {"tier": answered(TIERS, [[0.3, 0.2, 0.5]]), "assignment_group": answered(("Guild", "SD"), [[0.1, 0.9]])}
    assert what(desk.verdicts(given)["tier"]) == ("L1", "suggest", "below_threshold")


def test_a_group_brings_the_tier_that_no_ticket_taught(desk: Any, answered: Any, what: Any) -> None:
    given = {
        "tier": answered(("L2-EUC", "L3"), [[0.6, 0.4]]),
        "assignment_group": answered(("Night Desk", "SD"), [[0.4, 0.6]]),
    }
    found = desk.verdicts(given)
    assert what(found["tier"]) == ("L1", "suggest", "below_threshold")
    assert found["tier"].chosen_probability().tolist() == [0.0]


def test_a_subcategory_goes_with_its_category(desk: Any, answered: Any, what: Any) -> None:
    given = {
        "category": answered(("Access", "Hardware"), [[0.9, 0.1]]),
        "subcategory": answered(("Laptop", "VPN"), [[0.6, 0.4]]),
    }
    assert what(desk.verdicts(given)["subcategory"]) == ("VPN", "suggest", "below_threshold")


def test_what_a_rule_set_is_followed(desk: Any, answered: Any, what: Any) -> None:
    rule = Rule(name="alarms", when=When(keywords=("alarm",)), then=Then(target="tier", value="NOC"))
    given = both([0.95, 0.03, 0.02], [0.01, 0.01, 0.98], answered)
    found = desk.verdicts(given, Asked(["an alarm"]), rules=RuleBook((rule,), "rules", (1,)))
    assert what(found["tier"]) == ("NOC", "auto", "set_by_rule")
    assert what(found["assignment_group"]) == ("Operations", "suggest", "below_threshold")


def test_two_rules_that_contradict_the_taxonomy_are_for_a_person(desk: Any, answered: Any, what: Any) -> None:
    rules = [
        Rule(name="a", when=When(keywords=("alarm",)), then=Then(target="tier", value="NOC")),
        Rule(name="b", when=When(keywords=("alarm",)), then=Then(target="assignment_group", value="Service Desk")),
    ]
    given = both([0.95, 0.03, 0.02], [0.01, 0.01, 0.98], answered)
    found = desk.verdicts(given, Asked(["an alarm"]), rules=RuleBook(tuple(rules), "rules", (1, 2)))
    assert what(found["tier"])[:2] == ("L1", "human")
    assert what(found["assignment_group"])[:2] == ("Service Desk", "human")


@st.composite
def scenes(
    draw: st.DrawFn,
) -> tuple[Taxonomy, tuple[str, ...], tuple[str, ...], np.ndarray, np.ndarray, list[list[str]]]:
    tiers = ("L1", "L2", "L3", "NOC")[: draw(st.integers(2, 4))]
    names = tuple(f"G{number}" for number in range(draw(st.integers(2, 6))))
    known = draw(st.lists(st.sampled_from(names), unique=True))
    groups = tuple(Group(name, draw(st.sampled_from(("L1", "L2", "L3", "NOC")))) for name in known)
    seed, rows = draw(st.integers(0, 2**16)), draw(st.integers(1, 6))
    chance = np.random.default_rng(seed)
    previous = draw(st.lists(st.lists(st.sampled_from(names), max_size=3), min_size=rows, max_size=rows))
    tier, group = (chance.dirichlet([0.5] * len(values), rows) for values in (tiers, names))
    return Taxonomy(groups=groups), tiers, names, tier, group, previous


@given(scenes())
def test_no_group_is_ever_answered_with_another_tier_than_its_own(desk: Any, answered: Any, scene: Any) -> None:
    taxonomy, tiers, names, tier, group, previous = scene
    first = {"tier": answered(tiers, tier), "assignment_group": answered(names, group)}
    found = type(desk)(taxonomy).verdicts(first, Asked([""] * len(tier), {}, previous))
    for row in range(len(tier)):
        value, its_group = (found[name].classes[found[name].chosen[row]] for name in ("tier", "assignment_group"))
        assert taxonomy.tier_of_group(its_group) in (None, value)
    for name, verdict in found.items():
        assert_never_bolder(first[name], verdict)


@given(scenes())
def test_an_answer_does_not_depend_on_its_neighbours(desk: Any, answered: Any, scene: Any) -> None:
    taxonomy, tiers, names, tier, group, previous = scene
    desk = type(desk)(taxonomy)

    def ask(rows: slice) -> list[tuple[str, int, int]]:
        given = {"tier": answered(tiers, tier[rows]), "assignment_group": answered(names, group[rows])}
        found = desk.verdicts(given, Asked([""] * len(tier[rows]), {}, previous[rows]))
        return [
            (v.classes[v.chosen[row]], int(v.action[row]), int(v.reason[row]))
            for row in range(len(tier[rows]))
            for v in found.values()
        ]

    assert ask(slice(None)) == [one for row in range(len(tier)) for one in ask(slice(row, row + 1))]


def assert_never_bolder(first: TargetAnswers, verdict: Verdicts) -> None:
    """Only what the model itself would do is `auto`."""
    for row in np.flatnonzero(verdict.action == AUTO).tolist():
        assert verdict.chosen[row] == first.chosen[row]
        assert first.decisions[row][0] == ACTIONS[AUTO]
