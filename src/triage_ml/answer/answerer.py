"""Tickets in, answers out: the one place where text, classifier, patterns and automations become an answer.

The service and the batch command both come through here, so they can't disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.answer.decisions import AUTOMATION_TIER, Asked, Decider
from triage_ml.answer.model import Model, read_model
from triage_ml.answer.recogniser import Recogniser
from triage_ml.answer.rule_files import load_rules
from triage_ml.answer.rules import RULE_FIELDS, RuleBook
from triage_ml.answer.stages import Stages
from triage_ml.answer.verdicts import ACTIONS, REASONS, Verdicts
from triage_ml.classify import Explainer, Head, TargetAnswers, Term
from triage_ml.patterns import Assignment, PatternBook, masked_texts
from triage_ml.settings import Decision, Settings
from triage_ml.text import clean, combine, prepare, redact

__all__ = ["Answerer", "load_answerer"]

_FEW_ALTERNATIVES = 3
_FEW_REASONS = 5
#: Above every probability.
_NEVER = 2.0
_ACTIONS = np.array(ACTIONS, dtype=object)
_REASONS = np.array(REASONS, dtype=object)


class Answerer:
    """Answers tickets with one model and what stands beside it.

    Parameters
    ----------
    model
        The model that answers.
    decision
        Which targets route, what a wrong route costs, and whether `auto` is held back to `suggest`.
    rules
        Rules beside the model; see `load_rules`.
    patterns
        The known patterns, from the bundle that `triage mine` published; without them `pattern` is null.
    automations
        The automations in force: pattern id -> what the answer is to say of it. Its key `mode` may be `auto` (the default)
        or `suggest`. They need `patterns`.
    recogniser
        Which tickets an automation may take, and from which probability on it may act; without one, or without enough
        evidence for the model's promised precision, automations are suggested.

    Raises
    ------
    SettingsError
        A rule or a cost names a target or a value that this model and its taxonomy don't have.
    """

    def __init__(
        self,
        model: Model,
        decision: Decision,
        *,
        rules: RuleBook | None = None,
        patterns: PatternBook | None = None,
        automations: Mapping[str, Mapping[str, Any]] | None = None,
        recogniser: Recogniser | None = None,
    ) -> None:
        self.model = model
        self.digest = model.digest
        self.targets = model.targets
        self.rules = rules or RuleBook()
        self.patterns = patterns
        self.automations = dict(automations or {})
        self.recogniser = recogniser
        bold = [key for key, one in self.automations.items() if one.get("mode") != "suggest"]
        self._acts_from = {} if recogniser is None else recogniser.thresholds(bold, model.classifier.precision)
        self._decision = decision
        self._decider = Decider(
            model.classifier,
            model.taxonomy,
            decision,
            self.rules,
            automated=bool(self.automations),
            digest=model.digest,
        )

    def with_patterns(
        self,
        patterns: PatternBook | None,
        automations: Mapping[str, Mapping[str, Any]] | None = None,
        recogniser: Recogniser | None = None,
    ) -> Answerer:
        """The same model and rules beside other patterns and automations; cheap, for a reload without the model."""
        return Answerer(
            self.model,
            self._decision,
            rules=self.rules,
            patterns=patterns,
            automations=automations,
            recogniser=recogniser,
        )

    def answer(self, tickets: Sequence[Mapping[str, Any]], *, include_all: bool = False) -> list[dict[str, Any]]:
        """One answer a ticket, in order, in the shape of the scoring API without `prediction_id` and `model`.

        A ticket has `ticket_id` and `title` or `description`; `channel`, `priority`, `ticket_type`, `configuration_item`
        and `previous_groups` are heeded where they are there. With `include_all` every class is an alternative and every
        word is a reason, those that speak against the answer too.
        """
        texts = prepare([combine(ticket.get("title"), ticket.get("description")) for ticket in tickets])
        classifier = self.model.classifier
        vectors, occurrences = classifier.vectors(texts)
        answers = classifier.answers(vectors, occurrences)
        assigned, taken = self._recognised(texts)
        fields = {name: [ticket.get(name) for ticket in tickets] for name in RULE_FIELDS}
        previous = [ticket.get("previous_groups") or () for ticket in tickets]
        ids = [ticket["ticket_id"] for ticket in tickets]
        verdicts = self._verdicts(answers, ids, texts, fields, previous, taken)
        most = None if include_all else _FEW_REASONS
        explainer = Explainer(texts, vectors, occurrences)
        reasons = {
            name: _because(explainer, classifier.head(name), verdict.chosen, most) for name, verdict in verdicts.items()
        }
        actions, codes = self._decider.decide(verdicts)
        audited = self._decider.audited(verdicts)
        return [
            {
                "ticket_id": ticket["ticket_id"],
                "decision": self._said(ACTIONS[actions[row]], REASONS[codes[row]], bool(audited[row])),
                "targets": {
                    name: _target(verdict, row, reasons[name][row], include_all) for name, verdict in verdicts.items()
                },
                "pattern": _pattern(assigned[row]),
                "automation": self._automation(taken[row], verdicts.get("tier"), row),
            }
            for row, ticket in enumerate(tickets)
        ]

    def table(
        self,
        ticket_ids: Sequence[str],
        texts: Sequence[str],
        *,
        fields: Mapping[str, Sequence[Any]] | None = None,
        previous_groups: Sequence[Sequence[str]] = (),
        stages: Stages | None = None,
    ) -> pd.DataFrame:
        """The same answers as columns, without reasons and alternatives; see `score_table`.

        Equal texts are read once. `stages` is told how long each step took.
        """
        stages = stages or Stages()
        distinct, place = _distinct(texts)
        cleaned = stages.timed("clean", lambda: clean(distinct))
        redacted = stages.timed("redact", lambda: redact(cleaned))
        classifier = self.model.classifier
        vectors = stages.timed("features", lambda: classifier.read(redacted))
        answers = stages.timed("heads", lambda: classifier.answers(*vectors))
        if len(distinct) < len(texts):
            answers = {name: _repeated(answer, place) for name, answer in answers.items()}
            redacted = [redacted[index] for index in place.tolist()]
        return stages.timed(
            "decide", lambda: self._columns(ticket_ids, answers, redacted, fields or {}, previous_groups)
        )

    def _columns(
        self,
        ticket_ids: Sequence[str],
        answers: Mapping[str, TargetAnswers],
        texts: Sequence[str],
        fields: Mapping[str, Sequence[Any]],
        previous: Sequence[Sequence[str]],
    ) -> pd.DataFrame:
        assigned, taken = self._recognised(texts)
        verdicts = self._verdicts(answers, ticket_ids, texts, fields, previous, taken)
        actions, codes = self._decider.decide(verdicts)
        columns: dict[str, Any] = {
            "ticket_id": list(ticket_ids),
            "action": _ACTIONS[actions],
            "reason": _REASONS[codes],
        }
        for name, verdict in verdicts.items():
            columns[name] = np.array(verdict.classes, dtype=object)[verdict.chosen]
            columns[f"{name}_probability"] = verdict.chosen_probability()
            columns[f"{name}_action"] = _ACTIONS[verdict.action]
            columns[f"{name}_reason"] = _REASONS[verdict.reason]
        if self.rules:
            columns["rule"] = [_first_rule(verdicts, row) for row in range(len(texts))]
        if self.patterns is not None:
            columns["pattern_id"] = [one.pattern_id if one else None for one in assigned]
        return pd.DataFrame(columns)

    def _verdicts(
        self,
        answers: Mapping[str, TargetAnswers],
        ticket_ids: Sequence[str],
        texts: Sequence[str],
        fields: Mapping[str, Sequence[Any]],
        previous: Sequence[Sequence[str]],
        taken: Sequence[tuple[str, str] | None],
    ) -> dict[str, Verdicts]:
        automations = {row: one[1] for row, one in enumerate(taken) if one is not None}
        return self._decider.verdicts(answers, Asked(texts, fields, previous, automations, ticket_ids))

    def _said(self, action: str, reason: str, is_up: bool) -> dict[str, Any]:
        """The decision, and the share with which tickets like this one are picked for an audit, where any are."""
        said = {"action": action, "reason": reason}
        return said | {"audit_share": self._decision.audit_share} if self._decision.audit_share and is_up else said

    def _recognised(self, texts: Sequence[str]) -> tuple[Sequence[Assignment | None], Sequence[tuple[str, str] | None]]:
        """The pattern of each ticket, and the automation that takes it; see `_taken`."""
        masked = masked_texts(texts, redacted=True) if self.patterns is not None or self.automations else []
        nothing: list[Assignment | None] = [None] * len(texts)
        assigned = nothing if self.patterns is None else self.patterns.assign(masked, masked=True)
        return assigned, self._taken(masked, assigned)

    def _taken(self, masked: Sequence[str], assigned: Sequence[Assignment | None]) -> Sequence[tuple[str, str] | None]:
        """The automated pattern that takes each ticket, and whether it is to act (`auto`) or to be suggested."""
        near = [one.pattern_id if one is not None and one.pattern_id in self.automations else None for one in assigned]
        if not self.automations or self.recogniser is None:
            return [(one, "suggest") if one else None for one in near]
        taken: list[tuple[str, str] | None] = []
        known = set(self.recogniser.patterns)
        for own, (one, probability) in zip(near, self.recogniser.recognise(masked), strict=True):
            if one is not None and one in self.automations:
                taken.append((one, "auto" if probability >= self._acts_from.get(one, _NEVER) else "suggest"))
            else:
                taken.append((own, "suggest") if own and own not in known else None)
        return taken

    def _automation(self, taken: tuple[str, str] | None, tier: Verdicts | None, row: int) -> dict[str, Any] | None:
        """What takes the ticket; null where a rule or a person took it from the automation."""
        if taken is None:
            return None
        if tier is not None and tier.classes[tier.chosen[row]].casefold() != AUTOMATION_TIER.casefold():
            return None
        return {"pattern_id": taken[0], **self.automations[taken[0]]}


def load_answerer(
    folder: Path,
    settings: Settings,
    *,
    patterns: PatternBook | None = None,
    automations: Mapping[str, Mapping[str, Any]] | None = None,
    recogniser: Recogniser | None = None,
) -> Answerer:
    """Read the model bundle in `folder`, checked, and make it answer under these settings and their rules."""
    rules = load_rules(settings.decision.rules)
    return Answerer(
        read_model(folder),
        settings.decision,
        rules=rules,
        patterns=patterns,
        automations=automations,
        recogniser=recogniser,
    )


def _distinct(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts in the order of their first, and for each text its place among them."""
    places: dict[str, int] = {}
    index = [places.setdefault(text, len(places)) for text in texts]
    return list(places), np.array(index, dtype=np.int64)


def _repeated(answer: TargetAnswers, place: NDArray[np.int64]) -> TargetAnswers:
    decisions = [answer.decisions[index] for index in place.tolist()]
    return replace(
        answer,
        probabilities=answer.probabilities[place],
        chosen=answer.chosen[place],
        decisions=decisions,
        threshold=answer.threshold[place],
    )


def _because(explainer: Explainer, head: Head, chosen: NDArray[np.int64], most: int | None) -> list[list[Term]]:
    """Reasons for what is answered; none for a value that no ticket taught."""
    learnt = chosen < len(head.classes)
    terms = explainer.terms(head, np.where(learnt, chosen, 0), most=most)
    return [these if known else [] for these, known in zip(terms, learnt.tolist(), strict=True)]


def _first_rule(verdicts: Mapping[str, Verdicts], row: int) -> str | None:
    return next((v.marks[row]["rule"] for v in verdicts.values() if "rule" in v.marks.get(row, ())), None)


def _pattern(assigned: Assignment | None) -> dict[str, Any] | None:
    if assigned is None:
        return None
    told = {} if assigned.variant_id is None else {"variant_id": assigned.variant_id}
    return {"pattern_id": assigned.pattern_id, "title": assigned.title, "similarity": assigned.similarity, **told}


def _target(verdict: Verdicts, row: int, because: list[Term], include_all: bool) -> dict[str, Any]:
    given = verdict.probabilities[row]
    chosen, threshold = int(verdict.chosen[row]), float(verdict.threshold[row])
    barred = set(np.flatnonzero(verdict.barred[row]).tolist()) if verdict.has_bars else set()
    ranked = [k for k in (-given).argsort(kind="stable").tolist() if k != chosen and k not in barred]
    shown = ranked if include_all else [k for k in ranked[:_FEW_ALTERNATIVES] if given[k] >= 0.01]
    return {
        "value": verdict.classes[chosen],
        "probability": round(float(given[chosen]), 4),
        "threshold": round(threshold, 4) if threshold <= 1 else None,
        "action": ACTIONS[verdict.action[row]],
        "reason": REASONS[verdict.reason[row]],
        "alternatives": [{"value": verdict.classes[k], "probability": round(float(given[k]), 4)} for k in shown],
        "because": [{"term": term.term, "weight": round(term.weight, 4)} for term in because],
        **verdict.marks.get(row, {}),
    }
