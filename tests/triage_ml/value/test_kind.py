from __future__ import annotations

from dataclasses import replace

import pytest

from triage_ml.taxonomy import Taxonomy
from triage_ml.value import KIND_TITLES, Evidence, ask_shares, automatability, gather, propose

PLAIN = Evidence(
    resolution_share=0.15,
    groups={"Desk": 1.0},
    handoffs=0.2,
    effort_spread=0.4,
    request_share=0.0,
    machine_share=0.0,
    tightness=0.8,
    minutes=60.0,
    tiers={"L1": 1.0},
)


QUICK = replace(PLAIN, minutes=10.0, core_minutes=9.0)


@pytest.mark.parametrize(
    ("evidence", "kind", "why"),
    [
        (
            replace(QUICK, machine_share=1.0, activities={"preventive": 1.0}, cues={"nothing_done": 0.7}),
            "retire_source",
            "100% are opened by monitoring, and 70% of the notes say that nothing had to be done",
        ),
        (
            replace(QUICK, request_share=0.9, activities={"adaptive": 1.0}, cues={"granted": 0.8}),
            "self_service_form",
            "90% are requests, 9 minutes each",
        ),
        (replace(QUICK, machine_share=0.9, cues={"routine": 0.9}), "runbook_script", "90% of the notes name a routine"),
        (replace(QUICK, channels={"chat": 0.4}, cues={"advice": 0.6}), "chatbot_answer", "what the user was told"),
        (replace(PLAIN, tiers={"L1": 0.4, "L3": 0.6}), "move_down", "40% are solved in L1 already"),
        (replace(PLAIN, resolution_share=0.05), "fix_root_cause", "the commonest has 5%"),
        (PLAIN, "needs_analysis", "Nothing in the records"),
    ],
    ids=lambda value: value if isinstance(value, str) and value in KIND_TITLES else "",
)
def test_the_evidence_speaks_for_a_kind_and_says_why(evidence: Evidence, kind: str, why: str) -> None:
    proposal = propose(evidence, Taxonomy())

    assert proposal.kind == kind
    assert why in proposal.why
    assert proposal.runner_up != kind


def test_without_any_record_it_needs_analysis_and_is_judged_by_its_text() -> None:
    empty = gather(
        resolution_share=None, groups=[], tiers=[], ticket_types=[], channels=[], handoffs=[], efforts=[],
        similarities=[0.7, 0.9], minutes=0.0,
    )  # fmt: skip

    assert propose(empty, Taxonomy()).kind == "needs_analysis"
    assert automatability(empty) == (0.8, {"tight_text": 0.8})


def test_what_is_solved_alike_by_one_group_is_easier_to_automate() -> None:
    easy = replace(PLAIN, resolution_share=0.9, handoffs=0.0, effort_spread=0.1, request_share=1.0)
    hard = replace(PLAIN, resolution_share=0.1, handoffs=2.0, effort_spread=1.5, groups={"A": 0.3, "B": 0.3, "C": 0.4})

    assert automatability(easy)[0] > 0.9
    assert automatability(hard)[0] < 0.4


def test_evidence_leaves_out_what_is_missing() -> None:
    evidence = gather(
        resolution_share=None, groups=["A", None, "A", "B"], tiers=["L1", None], ticket_types=["Request", "incident"],
        channels=[None, None], handoffs=[None, 1.0, float("nan"), 3.0], efforts=[None, 10.0, 10.0, 0.0],
        similarities=[0.5], minutes=10.0,
    )  # fmt: skip

    assert evidence.groups == pytest.approx({"A": 2 / 3, "B": 1 / 3})
    assert evidence.request_share == 0.5
    assert evidence.machine_share is None
    assert evidence.handoffs == 2.0
    assert evidence.effort_spread == 0.0


def test_what_goes_wrong_at_high_cost_is_capped() -> None:
    safe, risky = (replace(PLAIN, resolution_share=1.0, urgent_share=share) for share in (0.0, 0.25))

    assert "risk_cap" not in automatability(safe)[1]
    score, parts = automatability(risky)
    assert score == parts["risk_cap"] == 0.31


def test_core_minutes_are_those_of_tickets_that_nobody_passed_on() -> None:
    evidence = gather(
        resolution_share=None, groups=[], tiers=[], ticket_types=[], channels=["Chat", "email"], handoffs=[0.0, 0.0, 3.0],
        efforts=[10.0, 12.0, 90.0], similarities=[], minutes=37.0, weekly=[0, 4, 0, 3, 2], activities=["Adaptive"],
    )  # fmt: skip

    assert evidence.core_minutes == 11.0
    assert evidence.persistence == 0.75
    assert (evidence.channels, evidence.activities) == ({"chat": 0.5, "email": 0.5}, {"adaptive": 1.0})


def test_what_the_texts_ask_for_tells_kinds_apart_that_close_notes_do_not() -> None:
    alike = replace(QUICK, request_share=0.5, cues={"advice": 0.2, "granted": 0.2})
    how = ask_shares(["How do I book a room?", "Where can I find the form?", "How can I scan to mail?"])
    please = ask_shares(["Please install Visio", "I need access to the share", "Could you please order a mouse"])

    assert propose(replace(alike, asks=how), Taxonomy()).kind == "chatbot_answer"
    assert propose(replace(alike, asks=please), Taxonomy()).kind == "self_service_form"


def test_shares_of_what_is_asked_count_tickets_and_are_empty_without_texts() -> None:
    shares = ask_shares(["Wie kann ich drucken?"] * 3 + ["Fehler beim Drucken", "  "])
    assert (shares["how"], shares["question"], shares["fails"]) == (0.75, 0.75, 0.25)
    assert ask_shares([]) == {}
