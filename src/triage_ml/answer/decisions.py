"""From what the classifier says to what is answered: costs, moves, rules, automations, agreement, one decision a ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_ml.answer.agreement import PAIRS, Pair, agree, parents_of
from triage_ml.answer.audit import pick_for_audit, up_for_audit
from triage_ml.answer.costs import cost_table, decide_by_cost
from triage_ml.answer.moves import leave_behind
from triage_ml.answer.rules import RuleBook
from triage_ml.answer.verdicts import AUTO, SUGGEST, Verdicts, reason_code
from triage_ml.classify import TargetAnswers, TriageClassifier
from triage_ml.settings import Decision
from triage_ml.taxonomy import Taxonomy

__all__ = ["AUTOMATION_TIER", "Asked", "Decider"]

#: The tier of what no person works on.
AUTOMATION_TIER = "L0"


@dataclass(frozen=True)
class Asked:
    """What is known of a batch of n tickets beside the classifier's answers.

    Attributes
    ----------
    texts
        Cleaned and redacted.
    fields
        Columns that rules may ask for.
    previous_groups
        The groups that have had each ticket, oldest first; empty where nobody says.
    automations
        By row: how the automation in force for this ticket's pattern is to act, `auto` or `suggest`.
    ticket_ids
        Shape (n,); only asked for where tickets are picked for an audit.
    """

    texts: Sequence[str]
    fields: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    previous_groups: Sequence[Sequence[str]] = ()
    automations: Mapping[int, str] = field(default_factory=dict)
    ticket_ids: Sequence[str] = ()


class Decider:
    """Everything beside the model that has a say, made ready for one model.

    Raises
    ------
    SettingsError
        A rule or the costs name a target or a value that this model and taxonomy don't have.
    """

    def __init__(
        self,
        classifier: TriageClassifier,
        taxonomy: Taxonomy,
        decision: Decision,
        rules: RuleBook,
        automated: bool,
        digest: str = "",
    ) -> None:
        self._taxonomy = taxonomy
        self._rules = rules
        self._force_suggest = decision.force_suggest
        self._audit_share, self._digest = decision.audit_share, digest
        learnt = classifier.classes_
        self._routing = [name for name in decision.routing if name in learnt] or list(learnt)
        self._more = _more_values(learnt, taxonomy, rules, automated)
        rules.check({name: _known(name, values, taxonomy) for name, values in learnt.items()})
        self._costs = decision.costs if "tier" in learnt else None
        if self._costs is not None:
            classes = (*learnt["tier"], *self._more["tier"])
            self._table = cost_table(self._costs, classes)
            evidence = next(iter(classifier.policies("tier").values())).evidence
            self._evidence = np.concatenate([evidence, np.zeros(len(classes) - len(evidence), dtype=bool)])
        self._pairs: list[Pair] | None = None

    def verdicts(self, answers: Mapping[str, TargetAnswers], asked: Asked) -> dict[str, Verdicts]:
        """What each target is answered."""
        found = {name: Verdicts.of(name, answer, self._more[name]) for name, answer in answers.items()}
        tier = found.get("tier")
        if tier is not None and self._costs is not None:
            decide_by_cost(tier, self._costs, self._table, self._evidence)
        if asked.previous_groups:
            leave_behind(asked.previous_groups, found, self._taxonomy)
        if self._rules:
            self._rules.apply(asked.texts, asked.fields, found)
        if tier is not None:
            _automate(tier, asked.automations)
        agree(self._tied(found), found)
        for verdict in found.values():
            self._hold_back(verdict)
        if self._audit_share:
            pick_for_audit([found[name] for name in self._routing], asked.ticket_ids, self._digest, self._audit_share)
        return found

    def decide(self, verdicts: Mapping[str, Verdicts]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Action and reason of each ticket: those of its most cautious routing target, the first of equals."""
        routing = [verdicts[name] for name in self._routing]
        actions = np.stack([verdict.action for verdict in routing])
        reasons = np.stack([verdict.reason for verdict in routing])
        most = actions.argmax(axis=0)[None, :]
        return np.take_along_axis(actions, most, axis=0)[0], np.take_along_axis(reasons, most, axis=0)[0]

    def audited(self, verdicts: Mapping[str, Verdicts]) -> NDArray[np.bool_]:
        """Whether each ticket is one of those of which a share is picked for an audit."""
        return up_for_audit([verdicts[name] for name in self._routing])

    def _tied(self, found: Mapping[str, Verdicts]) -> list[Pair]:
        if self._pairs is None:
            there = [pair for pair in PAIRS if set(pair) <= set(found)]
            self._pairs = [Pair.of(self._taxonomy, found[parent], found[child]) for parent, child in there]
        return self._pairs

    def _hold_back(self, verdict: Verdicts) -> None:
        """L0 needs an automation in force to be `auto`, and assisted support has no `auto` at all.

        The reason of the latter stays (`confident`): it says what would have been `auto`, and `triage ready` measures that.
        """
        if verdict.name == "tier" and verdict.place(AUTOMATION_TIER) >= 0:
            bold = (verdict.action == AUTO) & (verdict.chosen == verdict.place(AUTOMATION_TIER))
            bold &= verdict.reason != reason_code("automated")
            verdict.action[bold] = SUGGEST
            verdict.reason[bold] = reason_code("below_threshold")
        if self._force_suggest:
            verdict.action[verdict.action == AUTO] = SUGGEST


def _automate(tier: Verdicts, automations: Mapping[int, str]) -> None:
    for mode in ("auto", "suggest"):
        rows = np.array([row for row, how in automations.items() if how == mode], dtype=np.int64)
        if len(rows):
            tier.held[rows[~_set_by_rule(tier, rows)]] = False  # a cost yields to an automation, a rule does not
            tier.fix(rows, AUTOMATION_TIER, AUTO if mode == "auto" else SUGGEST, "automated")


def _set_by_rule(tier: Verdicts, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    given: NDArray[np.bool_] = tier.held[rows] & (tier.reason[rows] == reason_code("set_by_rule"))
    return given


def _more_values(
    learnt: Mapping[str, Sequence[str]], taxonomy: Taxonomy, rules: RuleBook, automated: bool
) -> dict[str, list[str]]:
    """Values that may be answered although no ticket taught them: those that rules set, and those that they entail."""
    wanted = {name: rules.values_of(name) for name in learnt}
    if automated and "tier" in learnt:
        wanted["tier"].append(AUTOMATION_TIER)
    if {"tier", "assignment_group"} <= set(learnt):
        served = {taxonomy.tier_of_group(group) for group in learnt["assignment_group"]}
        unserved = set(wanted["tier"]) - served - {AUTOMATION_TIER}
        wanted["assignment_group"] += [group.name for group in taxonomy.groups if group.tier in unserved]
    for parent, child in PAIRS:
        if {parent, child} <= set(learnt):
            for value in (*learnt[child], *wanted[child]):
                wanted[parent] += parents_of(taxonomy, child, value)
    return {name: _new(wanted[name], learnt[name]) for name in learnt}


def _new(values: Sequence[str], learnt: Sequence[str]) -> list[str]:
    known = {value.casefold() for value in learnt}
    return [value for value in dict.fromkeys(values) if value.casefold() not in known]


def _known(target: str, learnt: Sequence[str], taxonomy: Taxonomy) -> list[str]:
    """The values that a rule may name."""
    more = {
        "tier": taxonomy.tier_names,
        "assignment_group": [group.name for group in taxonomy.groups],
        "category": list(taxonomy.categories),
        "subcategory": [name for children in taxonomy.categories.values() for name in children],
    }
    return list(dict.fromkeys((*learnt, *more.get(target, ()))))
