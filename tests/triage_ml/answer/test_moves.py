"""Never back to the group that a person just moved the ticket from."""

from __future__ import annotations

from typing import Any

from triage_ml.answer.decisions import Asked

TIERS = ("L1", "L2-EUC", "NOC")
GROUPS = ("Field Support", "Night Desk", "Operations", "Service Desk")


def test_the_next_best_group_is_suggested(desk: Any, answered: Any, what: Any) -> None:
    given = {"assignment_group": answered(GROUPS, [[0.02, 0.08, 0.0, 0.9]])}
    found = desk.verdicts(given, Asked([""], {}, [["Service Desk"]]))["assignment_group"]
    assert what(found) == ("Night Desk", "suggest", "just_moved_from")


def test_a_group_is_left_behind_under_its_old_name_and_any_case(desk: Any, answered: Any, what: Any) -> None:
    given = {"assignment_group": answered(GROUPS, [[0.02, 0.08, 0.0, 0.9]])}
    found = desk.verdicts(given, Asked([""], {}, [[" sd "]]))["assignment_group"]
    assert what(found)[0] == "Night Desk"


def test_every_group_that_had_the_ticket_is_left_behind(desk: Any, answered: Any, what: Any) -> None:
    given = {"assignment_group": answered(GROUPS, [[0.02, 0.08, 0.0, 0.9]])}
    found = desk.verdicts(given, Asked([""], {}, [["Service Desk", "Night Desk"]]))["assignment_group"]
    assert what(found)[0] == "Field Support"


def test_an_answer_that_is_no_group_of_before_stays(desk: Any, answered: Any, what: Any) -> None:
    given = {"assignment_group": answered(GROUPS, [[0.02, 0.08, 0.0, 0.9]])}
    found = desk.verdicts(given, Asked([""], {}, [["Operations"]]))["assignment_group"]
    assert what(found) == ("Service Desk", "auto", "confident")


def test_a_ticket_that_every_group_had_is_for_a_person(desk: Any, answered: Any, what: Any) -> None:
    given = {"assignment_group": answered(GROUPS, [[0.02, 0.08, 0.0, 0.9]])}
    found = desk.verdicts(given, Asked([""], {}, [list(GROUPS)]))["assignment_group"]
    assert what(found) == ("Service Desk", "human", "just_moved_from")


def test_a_tier_is_used_up_when_all_of_its_groups_had_the_ticket(desk: Any, answered: Any, what: Any) -> None:
    given = {"tier": answered(TIERS, [[0.9, 0.06, 0.04]])}
    found = desk.verdicts(given, Asked([""], {}, [["Service Desk", "Night Desk"]]))["tier"]
    assert what(found) == ("L2-EUC", "suggest", "just_moved_from")


def test_a_desk_that_moves_tickets_between_tiers_names_the_tier(desk: Any, answered: Any, what: Any) -> None:
    given = {"tier": answered(TIERS, [[0.9, 0.06, 0.04]])}
    found = desk.verdicts(given, Asked([""], {}, [["l1"]]))["tier"]
    assert what(found) == ("L2-EUC", "suggest", "just_moved_from")


def test_without_a_group_target_the_tier_of_the_last_group_is_not_auto(desk: Any, answered: Any, what: Any) -> None:
    given = {"tier": answered(TIERS, [[0.9, 0.06, 0.04]])}
    found = desk.verdicts(given, Asked([""], {}, [["Service Desk"]]))["tier"]
    assert what(found) == ("L1", "suggest", "just_moved_from")


def test_with_a_group_target_the_tier_stays_auto_for_its_other_group(desk: Any, answered: Any, what: Any) -> None:
    given = {
        "tier": answered(TIERS, [[0.9, 0.06, 0.04]]),
        "assignment_group": answered(GROUPS, [[0.02, 0.08, 0.0, 0.9]]),
    }
    found = desk.verdicts(given, Asked([""], {}, [["Service Desk"]]))
    assert what(found["tier"]) == ("L1", "auto", "confident")
    assert what(found["assignment_group"]) == ("Night Desk", "suggest", "just_moved_from")


def test_only_the_ticket_that_was_moved_is_touched(desk: Any, answered: Any, what: Any) -> None:
    given = {"assignment_group": answered(GROUPS, [[0.02, 0.08, 0.0, 0.9]] * 2)}
    found = desk.verdicts(given, Asked(["", ""], {}, [(), ["Service Desk"]]))["assignment_group"]
    assert what(found, 0) == ("Service Desk", "auto", "confident")
    assert what(found, 1)[2] == "just_moved_from"
