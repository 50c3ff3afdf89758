"""What an automation may take: learnt on closed tickets, with the promise kept on later ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from triage_ml.answer import Recogniser, latest_recogniser, publish_recogniser
from triage_ml.bundle import write_bundle
from triage_ml.errors import BundleCorruptError, BundleFormatError

WORDS = {
    "p-reset": ("password", "forgot", "expired", "reset", "login"),
    "p-disk": ("disk", "full", "space", "volume", "threshold"),
    None: ("printer", "paper", "jam", "screen", "mouse", "badge", "invoice", "door"),
}
COMMON = ("please", "help", "since", "today", "monday", "user", "again", "server", "asap", "thanks")


def tickets(
    number: int, seed: int, *, vague: float = 0.1, mixed: float = 0.0
) -> tuple[list[str], list[str | None], list[str | None]]:
    """Texts, the pattern that each was closed as, and the true one: a share is vague, and a share of the closed ones of the
    first pattern is in truth of no pattern."""
    dice = np.random.default_rng(seed)
    texts: list[str] = []
    closed: list[str | None] = []
    true: list[str | None] = []
    kinds = list(WORDS)
    for _ in range(number):
        kind = kinds[dice.choice(3, p=[0.2, 0.2, 0.6])]
        own = () if dice.random() < vague else tuple(dice.choice(WORDS[kind], 3))
        texts.append(" ".join((*own, *dice.choice(COMMON, 4))))
        is_other = kind == "p-reset" and dice.random() < mixed
        closed.append(None if is_other else kind)
        true.append(None if is_other else kind)
    return texts, closed, true


def took(found: Recogniser, texts: list[str], patterns: list[str], precision: float = 0.9) -> list[str | None]:
    acts_from = found.thresholds(patterns, precision)
    return [one if one and share >= acts_from.get(one, 2) else None for one, share in found.recognise(texts)]


def learnt(number: int = 1500, seed: int = 0, **noise: float) -> Recogniser:
    texts, closed, _ = tickets(number, seed, **noise)
    found = Recogniser.learn(texts, closed)
    assert found is not None
    return found


def test_it_acts_on_what_is_clear_and_leaves_what_is_vague() -> None:
    texts, _, true = tickets(2000, seed=9)
    said = took(learnt(), texts, ["p-reset", "p-disk"])

    right = [one == truth for one, truth in zip(said, true, strict=True) if one]
    wanted = [one == truth for one, truth in zip(said, true, strict=True) if truth]
    assert np.mean(right) >= 0.95
    assert np.mean(wanted) >= 0.8


def test_a_pattern_whose_tickets_turn_out_to_be_something_else_never_acts_and_the_other_goes_on() -> None:
    acts_from = learnt(mixed=0.4).thresholds(["p-reset", "p-disk"], 0.9)
    assert set(acts_from) == {"p-disk"}


def test_too_little_evidence_carries_no_promise() -> None:
    assert learnt(160).thresholds(["p-reset"], 0.95) == {}
    assert Recogniser.learn(["password expired"] * 20 + ["printer jam"] * 20, ["p-reset"] * 20 + [None] * 20) is None


def test_where_every_ticket_is_of_something_wanted_they_are_told_apart_all_the_same() -> None:
    texts, closed, _ = tickets(2000, seed=0, vague=0.0)
    kept = [row for row, one in enumerate(closed) if one is not None]
    found = Recogniser.learn([texts[row] for row in kept], [closed[row] for row in kept])
    assert found is not None
    assert set(found.thresholds(["p-reset", "p-disk"], 0.9)) == {"p-reset", "p-disk"}
    assert [one for one, _ in found.recognise(["password forgot", "disk full"])] == ["p-reset", "p-disk"]
    assert Recogniser.learn(["password expired"] * 40, ["p-reset"] * 40) is None


def test_one_template_said_by_many_is_one_piece_of_evidence() -> None:
    texts, closed, _ = tickets(400, seed=3)
    texts += ["alert job failed on host"] * 400
    found = Recogniser.learn(texts, [*closed, *["p-alert"] * 400])
    assert found is not None
    assert "p-alert" in found.patterns
    assert found.thresholds(["p-alert"], 0.9) == {}


def test_a_pattern_that_was_not_learnt_has_no_threshold() -> None:
    assert learnt().thresholds(["p-new"], 0.9) == {}


def test_the_same_tickets_give_the_same_bytes_and_it_reads_as_it_was_written(tmp_path: Path) -> None:
    one, other = learnt(), learnt()
    assert one.write(tmp_path / "one") == other.write(tmp_path / "other")

    again = Recogniser.read(tmp_path / "one")
    texts, *_ = tickets(50, seed=4)
    assert again.recognise(texts) == one.recognise(texts)
    assert again.thresholds(["p-reset", "p-disk"], 0.9) == one.thresholds(["p-reset", "p-disk"], 0.9)


def test_the_one_of_the_latest_week_counts_and_old_ones_go(tmp_path: Path) -> None:
    assert latest_recogniser(tmp_path) is None
    folders = [
        publish_recogniser(learnt(400, seed), tmp_path, week)
        for seed, week in ((1, "2026-W47"), (2, "2026-W48"), (3, "2026-W46"), (4, "2026-W48"))
    ]
    assert latest_recogniser(tmp_path) == folders[3]
    assert {folder.name for folder in tmp_path.iterdir()} == {folders[1].name, folders[3].name}
    assert publish_recogniser(learnt(400, 2), tmp_path, "2026-W48") == folders[1]
    assert latest_recogniser(tmp_path) == folders[1], "learnt again it is the newest"


def test_a_damaged_one_is_refused(tmp_path: Path) -> None:
    folder = publish_recogniser(learnt(400), tmp_path, "2026-W47")
    (folder / "weights.npy").write_bytes(b"damaged")
    with pytest.raises(BundleCorruptError):
        Recogniser.read(folder)


def test_one_with_other_contents_is_told_as_that(tmp_path: Path) -> None:
    write_bundle(tmp_path / "other", "recogniser", {"features": {}}, {"weights": np.zeros(3, dtype=np.float32)})
    with pytest.raises(BundleFormatError, match="not those of a recogniser"):
        Recogniser.read(tmp_path / "other")


def half_told(number: int, seed: int) -> tuple[list[str], list[str | None]]:
    """Texts and patterns of a desk where one to three own words tell a pattern, and a quarter of the rest borrows one."""
    dice = np.random.default_rng(seed)
    texts: list[str] = []
    closed: list[str | None] = []
    for _ in range(number):
        kind = int(dice.integers(0, 8)) if dice.random() < 0.48 else None
        if kind is not None:
            own = [f"own{kind}x{word}" for word in dice.integers(0, 12, dice.integers(1, 4))]
        else:
            own = [f"own{dice.integers(0, 8)}x{dice.integers(0, 12)}"] if dice.random() < 0.25 else []
        texts.append(" ".join([*(f"word{word}" for word in dice.integers(0, 400, 6)), *own]))
        closed.append(f"p{kind}" if kind is not None and dice.random() > 0.03 else None)
    return texts, closed


def test_the_promise_is_kept_on_later_tickets_desk_after_desk() -> None:
    later, true = half_told(8000, seed=99)
    kept = []
    for seed in range(10):
        found = Recogniser.learn(*half_told(3000, seed))
        assert found is not None
        said = took(found, later, list(found.patterns))
        right = [one == truth for one, truth in zip(said, true, strict=True) if one]
        assert len(right) > 1000
        kept.append(bool(np.mean(right) >= 0.9))
    assert sum(kept) >= 9
