"""What to do about a pattern: the kind of automation that its evidence speaks for, and why, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from triage_ml.taxonomy import Taxonomy
from triage_ml.value.automatability import Evidence

__all__ = ["KIND_TITLES", "Kind", "Proposal", "propose"]

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

MOSTLY = 0.6
SHORT_MINUTES = 45.0
ALIKE = 0.2  # share of the commonest resolution from which one way of solving it prevails
SPREAD_OUT = 0.1  # below it there is none
SOME = 0.25


@dataclass(frozen=True)
class Proposal:
    """A kind, and the sentence that says what speaks for it."""

    kind: Kind
    why: str


def propose(evidence: Evidence, taxonomy: Taxonomy) -> Proposal:
    """The first kind whose condition holds; the order is from the surest sign to the weakest."""
    machine, request, same = evidence.machine_share, evidence.request_share, evidence.resolution_share
    if machine is not None and machine >= MOSTLY:
        return Proposal("retire_source", f"{machine:.0%} of these tickets are opened by monitoring, not by people.")
    if request is not None and request >= MOSTLY:
        return Proposal("self_service_form", f"{request:.0%} are requests: a form can ask for what is needed.")
    if same is not None and same >= ALIKE and 0 < evidence.minutes <= SHORT_MINUTES:
        return Proposal(
            "chatbot_answer",
            f"{same:.0%} are solved the same way, in {evidence.minutes:.0f} minutes on average.",
        )
    if same is not None and same >= ALIKE:
        return Proposal("runbook_script", f"{same:.0%} are incidents solved the same way: a script can do it.")
    if down := _also_solved_below(evidence, taxonomy):
        share, low = down
        return Proposal("move_down", f"{share:.0%} are solved in {low} already; the rest reads the same.")
    if same is not None and same <= SPREAD_OUT:
        return Proposal("fix_root_cause", f"No way of solving it prevails (the commonest has {same:.0%}).")
    return Proposal("needs_analysis", "Nothing in the records speaks clearly for one kind of automation.")


def _also_solved_below(evidence: Evidence, taxonomy: Taxonomy) -> tuple[float, str] | None:
    """Share and name of the lowest tier that solves a good part, where a good part is also solved above it."""
    known = {tier.name: tier.rank for tier in taxonomy.tiers}
    ranked = sorted((known[name], name) for name in evidence.tiers if name in known and known[name] > 0)
    for rank, name in ranked:
        above = sum(evidence.tiers[other] for higher, other in ranked if higher > rank)
        if evidence.tiers[name] >= SOME and above >= SOME:
            return evidence.tiers[name], name
    return None
