"""Some tickets that would be `auto` are shown to a person: which ones does not depend on what they are, or on luck."""

from __future__ import annotations

import numpy as np
import pytest

from triage_ml.answer.audit import pick_for_audit
from triage_ml.answer.verdicts import ACTIONS, AUTO, REASONS, SUGGEST, Verdicts, reason_code

IDS = [f"INC{number:07}" for number in range(20_000)]


def verdicts(tickets: int, action: int = AUTO, reason: str = "confident") -> Verdicts:
    nobody = np.zeros(tickets, dtype=bool)
    return Verdicts(
        "tier",
        ("L1", "L2"),
        np.tile(np.float32([0.95, 0.05]), (tickets, 1)),
        np.zeros(tickets, dtype=np.int64),
        np.full(tickets, action, dtype=np.int8),
        np.full(tickets, reason_code(reason), dtype=np.int8),
        np.full(tickets, 0.8),
        nobody,
        nobody.copy(),
    )


def picked(ids: list[str], digest: str = "sha256:a", share: float = 0.02) -> set[str]:
    verdict = verdicts(len(ids))
    pick_for_audit([verdict], ids, digest, share)
    assert {(ACTIONS[a], REASONS[r]) for a, r in zip(verdict.action, verdict.reason, strict=True)} <= {
        ("auto", "confident"),
        ("suggest", "picked_for_audit"),
    }
    return {one for one, action in zip(ids, verdict.action, strict=True) if action == SUGGEST}


def test_about_the_share_is_picked_the_same_ones_in_any_order_and_others_by_another_model() -> None:
    first = picked(IDS)
    assert 0.017 < len(first) / len(IDS) < 0.023
    assert picked(IDS[::-1]) == first
    assert picked(IDS[:100]) == first & set(IDS[:100])
    assert first <= picked(IDS, share=0.1)
    another = picked(IDS, digest="sha256:b")
    assert len(first & another) < 0.1 * len(first)


@pytest.mark.parametrize(
    ("action", "reason", "of_tier"),
    [(SUGGEST, "below_threshold", AUTO), (AUTO, "automated", AUTO)],
    ids=["one target is only suggested", "an automation takes it"],
)
def test_what_is_not_the_models_own_auto_is_left_alone(action: int, reason: str, of_tier: int) -> None:
    tier, category = verdicts(500, action, reason), verdicts(500, of_tier)
    pick_for_audit([tier, category], IDS[:500], "sha256:a", 0.5)
    assert set(tier.action.tolist()) == {action}
    assert set(category.action.tolist()) == {of_tier}
