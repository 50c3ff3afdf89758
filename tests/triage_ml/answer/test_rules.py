"""Rules beside the model: what they match, what they do, and how a wrong file is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage_ml.answer import RuleBook, load_rules
from triage_ml.answer.decisions import Asked
from triage_ml.errors import SettingsError

TIERS = ("L1", "L2-EUC", "NOC")
GROUPS = ("Field Support", "Night Desk", "Operations", "Service Desk")
SURE = [[0.9, 0.06, 0.04]]

Write = Callable[[str], RuleBook]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> RuleBook:
        (tmp_path / "rules.toml").write_text(text, encoding="utf-8")
        return load_rules(tmp_path / "rules.toml")

    return written


def one_rule(when: str, then: str) -> str:
    return f'[[rules]]\nname = "the rule"\nwhen = {{ {when} }}\nthen = {{ {then} }}\n'


def test_a_rule_sets_a_value_and_names_itself(desk: Any, answered: Any, what: Any, write: Write) -> None:
    rules = write(one_rule('keywords = ["server down"]', 'target = "tier", value = "NOC"'))
    tier = desk.verdicts({"tier": answered(TIERS, SURE)}, Asked(["The SERVER\n down again"]), rules=rules)["tier"]
    assert what(tier) == ("NOC", "auto", "set_by_rule")
    assert tier.marks == {0: {"rule": "the rule"}}


def test_a_rule_may_set_a_value_that_no_ticket_taught(desk: Any, answered: Any, what: Any, write: Write) -> None:
    rules = write(one_rule('channel = "monitoring"', 'target = "tier", value = "NOC", action = "suggest"'))
    given = {"tier": answered(("L1", "L3"), [[0.9, 0.1]])}
    tier = desk.verdicts(given, Asked(["x"], {"channel": ["Monitoring "]}), rules=rules)["tier"]
    assert what(tier) == ("NOC", "suggest", "set_by_rule")


@pytest.mark.parametrize(
    ("then", "expected"), [('block = ["L3"]', "l1"), ('allow = ["L1"]', "l1"), ('value = "L1"', "l1")]
)
def test_a_rule_holds_whatever_the_case_of_a_class(
    desk: Any, answered: Any, what: Any, write: Write, then: str, expected: str
) -> None:
    rules = write(one_rule('keywords = ["reset"]', f'target = "tier", {then}'))
    given = {"tier": answered(("l1", "l3"), [[0.1, 0.9]])}
    assert what(desk.verdicts(given, Asked(["reset it"]), rules=rules)["tier"])[0] == expected


def test_l0_by_rule_alone_is_never_auto(desk: Any, answered: Any, what: Any, write: Write) -> None:
    rules = write(one_rule('keywords = ["reset"]', 'target = "tier", value = "L0"'))
    tier = desk.verdicts({"tier": answered(TIERS, SURE)}, Asked(["reset it"]), rules=rules)["tier"]
    assert what(tier)[:2] == ("L0", "suggest")


@pytest.mark.parametrize(
    ("when", "text", "fields", "matches"),
    [
        ('keywords = ["vpn"]', "my VPN.", {}, True),
        ('keywords = ["vpn"]', "openvpn", {}, False),
        ('keywords = ["c++", "vpn"]', "build of C++ fails", {}, True),
        ('keywords = ["vpn", "slow"], match = "all"', "vpn is down", {}, False),
        ('keywords = ["vpn", "slow"], match = "all"', "slow since the vpn update", {}, True),
        ('keywords = ["straße"]', "STRASSE 4", {}, True),
        ('priority = ["1", "2"]', "x", {"priority": ["2"]}, True),
        ('priority = ["1", "2"]', "x", {"priority": ["3"]}, False),
        ('priority = "1"', "x", {"priority": [None]}, False),
        ('priority = "1"', "x", {}, False),
        ('priority = "1", keywords = ["vpn"]', "vpn", {"priority": ["1"]}, True),
        ('priority = "1", keywords = ["vpn"]', "wifi", {"priority": ["1"]}, False),
    ],
)
def test_what_a_rule_matches(
    desk: Any, answered: Any, what: Any, write: Write, when: str, text: str, fields: dict[str, Any], matches: bool
) -> None:
    rules = write(one_rule(when, 'block = "auto"'))
    tier = desk.verdicts({"tier": answered(TIERS, SURE)}, Asked([text], fields), rules=rules)["tier"]
    assert what(tier) == (("L1", "suggest", "blocked_by_rule") if matches else ("L1", "auto", "confident"))


def test_a_blocked_value_leaves_the_next_best_as_a_suggestion(
    desk: Any, answered: Any, what: Any, write: Write
) -> None:
    rules = write(one_rule('keywords = ["x"]', 'target = "tier", block = ["L1"]'))
    tier = desk.verdicts({"tier": answered(TIERS, SURE)}, Asked(["x"]), rules=rules)["tier"]
    assert what(tier) == ("L2-EUC", "suggest", "blocked_by_rule")


def test_an_allowed_answer_stays_auto_and_unmarked(desk: Any, answered: Any, what: Any, write: Write) -> None:
    rules = write(one_rule('keywords = ["x"]', 'target = "tier", allow = ["L1", "NOC"]'))
    tier = desk.verdicts({"tier": answered(TIERS, SURE)}, Asked(["x"]), rules=rules)["tier"]
    assert (what(tier), tier.marks) == (("L1", "auto", "confident"), {})


def test_only_what_is_allowed_is_answered(desk: Any, answered: Any, what: Any, write: Write) -> None:
    rules = write(one_rule('keywords = ["x"]', 'target = "tier", allow = ["NOC"]'))
    tier = desk.verdicts({"tier": answered(TIERS, SURE)}, Asked(["x"]), rules=rules)["tier"]
    assert what(tier) == ("NOC", "suggest", "blocked_by_rule")


def test_the_first_rule_that_sets_a_target_wins_and_a_block_holds_besides(
    desk: Any, answered: Any, what: Any, write: Write
) -> None:
    first = one_rule('keywords = ["x"]', 'target = "tier", value = "NOC"')
    second = first.replace("the rule", "another").replace("NOC", "L2-EUC")
    third = one_rule('keywords = ["x"]', 'block = "auto"').replace("the rule", "careful")
    tier = desk.verdicts({"tier": answered(TIERS, SURE)}, Asked(["x"]), rules=write(first + second + third))["tier"]
    assert what(tier) == ("NOC", "suggest", "blocked_by_rule")
    assert tier.marks == {0: {"rule": "careful"}}


def test_a_rule_never_sends_a_ticket_back(desk: Any, answered: Any, what: Any, write: Write) -> None:
    rules = write(one_rule('keywords = ["x"]', 'target = "assignment_group", value = "Operations"'))
    given = {"assignment_group": answered(GROUPS, [[0.02, 0.08, 0.0, 0.9]])}
    group = desk.verdicts(given, Asked(["x"], {}, [["Operations"]]), rules=rules)["assignment_group"]
    assert what(group) == ("Service Desk", "auto", "confident")


def test_a_rule_for_a_tier_takes_the_group_along(desk: Any, answered: Any, what: Any, write: Write) -> None:
    rules = write(one_rule('keywords = ["x"]', 'target = "tier", value = "NOC"'))
    given = {
        "tier": answered(("L1", "L2-EUC"), [[0.9, 0.1]]),
        "assignment_group": answered(("SD", "Guild"), [[0.99, 0.01]]),
    }
    found = desk.verdicts(given, Asked(["x"]), rules=rules)
    assert what(found["tier"]) == ("NOC", "auto", "set_by_rule")
    assert what(found["assignment_group"])[:2] == ("Guild", "suggest")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '\n[[rules]]\nname = "a"\nwhen = { kewords = ["x"] }\nthen = { block = "auto" }\n',
            "line 4: unknown key `kewords`; did you mean `keywords`.",
        ),
        ('[[rule]]\nname = "a"\n', "line 1: unknown key `rule`; did you mean `rules`."),
        (
            '[[rules]]\nname = "a"\nwhen = { keywords = ["x"] }\nthen = { block = "auto" }\n[[rules]]\nname = "b"\n'
            'when = { keywords = ["x"] }\nthen = { target = "tier" }\n',
            "line 8: `rules.then`: expected one of value, block, allow; found none.",
        ),
        (
            '[[rules]]\nname = "a"\nwhen = { keywords = ["x"] }\nthen = { value = "L1" }\n',
            'line 4: `rules.then`: value needs a target, for example target = "tier".',
        ),
        (
            '[[rules]]\nname = "a"\nwhen = {}\nthen = { block = "auto" }\n',
            "line 3: `rules.when`: expected keywords or a field; a rule for every ticket is no rule.",
        ),
        (
            one_rule('keywords = [" "]', 'block = "auto"'),
            "line 3: `rules.when`: a keyword must have a letter, a digit or a sign; an empty one would match nearly "
            "every ticket.",
        ),
        (
            one_rule('keywords = ["x"]', 'block = "auto"') * 2,
            "two rules are called 'the rule'; an answer names its rule.",
        ),
    ],
    ids=["unknown key", "unknown table", "nothing to do", "no target", "every ticket", "blank keyword", "a name twice"],
)
def test_a_wrong_file_is_told_with_its_line(write: Write, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        write(text)
    assert str(caught.value).partition("rules.toml")[2].lstrip(":, ") == message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"rules\.toml: no such rules file\.$"):
        load_rules(tmp_path / "rules.toml")


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ('target = "tear", value = "L1"', "line 1, rule 'the rule': no target 'tear'; did you mean `tier`."),
        (
            'target = "tier", value = "L2-EUX"',
            "line 1, rule 'the rule': tier has no value 'L2-EUX'; did you mean `L2-EUC`.",
        ),
    ],
)
def test_a_rule_for_what_is_not_there_is_told(desk: Any, answered: Any, write: Write, then: str, message: str) -> None:
    rules = write(one_rule('keywords = ["x"]', then))
    with pytest.raises(SettingsError) as caught:
        desk.verdicts({"tier": answered(TIERS, SURE)}, rules=rules)
    assert str(caught.value).endswith(message)
