"""What to do about a pattern: the kind of automation that its evidence speaks for, the runner-up, and why, in one sentence.

Each kind has a weighted sum of signs: of facts, of what close notes say was done, and of what the texts ask for. The softmax of
the sums is its probability. The weights are a multinomial logistic regression (ridge penalty) on the kinds of two simulated
desks, rounded so that they can be read. Experiment 0301 says how often they name the right kind, and how often for categories
that were left out: a proposal to start a talk from, not a verdict. That is why the runner-up and the signs are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from triage_ml.taxonomy import Taxonomy
from triage_ml.value.automatability import Evidence

__all__ = ["KIND_TITLES", "Kind", "Proposal", "propose", "solved_below"]

Kind = Literal[
    "retire_source",
    "self_service_form",
    "runbook_script",
    "chatbot_answer",
    "move_down",
    "fix_root_cause",
    "needs_analysis",
]

KIND_TITLES: dict[Kind, str] = {
    "retire_source": "Tune the source",
    "self_service_form": "Self-service form",
    "runbook_script": "Runbook script",
    "chatbot_answer": "Chatbot answer",
    "move_down": "Move down a tier",
    "fix_root_cause": "Fix the root cause",
    "needs_analysis": "Needs analysis",
}

#: The columns of `_WEIGHTS`.
_KINDS: tuple[Kind, ...] = (
    "chatbot_answer", "fix_root_cause", "needs_analysis", "retire_source", "runbook_script", "self_service_form",
)  # fmt: skip
_START = (-0.9, 0.9, 3.3, -2.5, -0.3, -0.6)
#: Sign -> what it adds to each kind. All are shares but the first: the natural logarithm of core minutes over 20.
_WEIGHTS: Mapping[str, tuple[float, ...]] = {
    "long_work": (-0.7, 0.9, 1.6, -0.9, -0.6, -0.2),
    "machine": (-0.9, 0.2, -0.4, 1.8, 0.4, -1.1),
    "request": (-0.1, -1.1, -0.4, 0.7, -0.2, 1.2),
    "adaptive": (0.9, -0.8, -0.8, -0.2, 0.0, 0.8),
    "preventive": (-1.3, -1.5, -0.9, 2.8, 0.8, 0.0),
    "chat": (3.0, -1.9, -0.9, -2.3, -1.0, 3.1),
    "portal": (0.2, -0.9, -0.8, -1.1, 1.7, 0.9),
    "advice": (3.7, -1.3, -3.4, -2.1, 0.9, 2.1),
    "routine": (-2.3, -0.5, -0.2, 1.3, 2.6, -0.9),
    "granted": (-1.9, -0.6, 0.7, -0.9, 2.1, 0.6),
    "nothing_done": (-0.5, 0.7, 1.7, 8.6, -6.2, -4.3),
    "asks_how": (3.7, 2.8, -1.5, -1.5, 0.1, -3.6),
    "asks_question": (3.6, 2.3, -0.6, -2.7, 0.2, -2.8),
    "asks_please": (-1.9, -0.6, 0.2, -0.5, 1.0, 1.8),
    "asks_fails": (1.9, 1.7, -0.9, -0.6, -1.5, -0.6),
    "asks_again": (1.5, 1.8, -0.7, -0.5, -0.7, -1.4),
    "asks_something_new": (-0.4, 0.6, -1.3, 1.8, -1.1, 0.4),
    "asks_alert": (-1.1, 1.2, -0.9, -0.8, 2.9, -1.4),
}
#: Usual shares of what is asked: without texts a pattern is taken to ask as others do.
_USUAL = {
    "how": 0.02, "question": 0.09, "please": 0.29, "fails": 0.26, "again": 0.21, "something_new": 0.20, "alert": 0.23,
}  # fmt: skip
_TABLE = np.array(list(_WEIGHTS.values()))
TYPICAL_MINUTES = 20.0

SPREAD_OUT = 0.1  # share of the commonest resolution below which none prevails
SOME = 0.25
#: Probability that it can be automated at all, from which on a kind is proposed; below it, it needs analysis.
PROPOSED_FROM = 0.35


@dataclass(frozen=True)
class Proposal:
    """A kind, the sentence that says what speaks for it, and the next best kind if there is one.

    `certainty` is the probability that the pattern can be automated at all, `probability` that of this kind, if so.
    """

    kind: Kind
    why: str
    certainty: float
    probability: float
    runner_up: Kind | None


def propose(evidence: Evidence, taxonomy: Taxonomy) -> Proposal:
    """The most probable kind of automation; without enough signs, what else could be done about the pattern."""
    down = solved_below(evidence, taxonomy)
    if not _says_something(evidence):
        kind: Kind = "move_down" if down else "needs_analysis"
        return Proposal(kind, _why(kind, evidence, down), 0.0, 0.0, None)
    shares = _probabilities(evidence)
    certainty = 1.0 - shares.pop("needs_analysis")
    first, second = sorted(shares, key=lambda kind: -shares[kind])[:2]
    if certainty >= PROPOSED_FROM:
        return Proposal(
            first, _why(first, evidence, down), round(certainty, 3), round(shares[first] / certainty, 3), second
        )
    same = evidence.resolution_share
    kind = "move_down" if down else "needs_analysis"
    if kind == "needs_analysis" and same is not None and same <= SPREAD_OUT:
        kind = "fix_root_cause"
    runner_up = second if kind == first else first
    return Proposal(kind, _why(kind, evidence, down), round(certainty, 3), 0.0, runner_up)


def solved_below(evidence: Evidence, taxonomy: Taxonomy) -> tuple[float, str] | None:
    """Share and name of the lowest tier that solves a good part, where a good part is also solved above it."""
    known = {tier.name: tier.rank for tier in taxonomy.tiers}
    ranked = sorted((known[name], name) for name in evidence.tiers if name in known and known[name] > 0)
    for rank, name in ranked:
        above = sum(evidence.tiers[other] for higher, other in ranked if higher > rank)
        if evidence.tiers[name] >= SOME and above >= SOME:
            return evidence.tiers[name], name
    return None


def _says_something(evidence: Evidence) -> bool:
    return bool(evidence.cues) or evidence.request_share is not None or evidence.machine_share is not None


def _probabilities(evidence: Evidence) -> dict[Kind, float]:
    cues = evidence.cues
    minutes = max(evidence.core_minutes or evidence.minutes or TYPICAL_MINUTES, 1.0)
    signs = {
        "long_work": float(np.log(minutes / TYPICAL_MINUTES)),
        "machine": evidence.machine_share or 0.0,
        "request": evidence.request_share or 0.0,
        "adaptive": evidence.activities.get("adaptive", 0.0),
        "preventive": evidence.activities.get("preventive", 0.0),
        "chat": evidence.channels.get("chat", 0.0),
        "portal": evidence.channels.get("portal", 0.0),
        **{cue: cues.get(cue, 0.0) for cue in ("advice", "routine", "granted", "nothing_done")},
        **{f"asks_{name}": evidence.asks.get(name, usual) - usual for name, usual in _USUAL.items()},
    }
    sums = np.array(_START) + np.array([signs[name] for name in _WEIGHTS]) @ _TABLE
    return dict(zip(_KINDS, special.softmax(sums).tolist(), strict=True))


def _why(kind: Kind, evidence: Evidence, down: tuple[float, str] | None) -> str:
    minutes = f"{evidence.core_minutes or evidence.minutes:.0f} minutes"
    cues, same = evidence.cues, evidence.resolution_share
    if kind == "move_down" and down:
        return f"{down[0]:.0%} are solved in {down[1]} already; the rest reads the same."
    sentences: dict[Kind, str] = {
        "retire_source": f"{evidence.machine_share or 0:.0%} are opened by monitoring, and "
        f"{cues.get('nothing_done', 0):.0%} of the notes say that nothing had to be done.",
        "self_service_form": f"{evidence.request_share or 0:.0%} are requests, {minutes} each: "
        "a form can ask for what is needed.",
        "runbook_script": f"{cues.get('routine', 0):.0%} of the notes name a routine action, {minutes} each: "
        "a script can do it.",
        "chatbot_answer": f"{cues.get('advice', 0):.0%} of the notes say what the user was told, {minutes} each: "
        "an answer with the steps can go out at once.",
        "fix_root_cause": "What is done does not end it"
        + (f", and no way of solving it prevails (the commonest has {same:.0%})." if same is not None else "."),
    }
    return sentences.get(kind, "Nothing in the records speaks clearly for one kind of automation.")
