from __future__ import annotations

import numpy as np
import pytest

from triage_ml.patterns import assign
from triage_ml.patterns.assign import Prototypes, nearest
from triage_ml.patterns.coarse import coarse_of, nearest_of_one


def units(random: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    vectors = random.standard_normal((rows, columns)) * np.arange(1, columns + 1) ** -0.5
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def exact(vector: np.ndarray, vectors: np.ndarray, group: np.ndarray) -> tuple[int, float, float]:
    cosines = vectors @ vector
    place = int(cosines.argmax())
    others = cosines[group != group[place]]
    return place, float(cosines[place]), float(others.max()) if len(others) else -2.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("columns", [3, 64, 256])
def test_what_is_found_by_rounded_numbers_is_what_a_full_comparison_finds(seed: int, columns: int) -> None:
    random = np.random.default_rng(seed)
    vectors = units(random, 2_000, columns)
    vectors[7] = vectors[3]  # two prototypes at one place, of two patterns
    group = random.integers(0, 300, 2_000)
    near = vectors[:40] + 0.2 * units(random, 40, columns)
    asked = np.concatenate([units(random, 40, columns), near / np.linalg.norm(near, axis=1, keepdims=True)])
    coarse = coarse_of(vectors)

    for vector in asked.astype(np.float32):
        place, best, second = nearest_of_one(vector, vectors, coarse, group)
        assert (best, second) == pytest.approx(exact(vector, vectors, group)[1:], abs=1e-6)
        assert vectors[place] @ vector == pytest.approx(best, abs=1e-6)


def test_a_text_without_a_known_word_is_near_to_none() -> None:
    vectors = units(np.random.default_rng(0), 50, 8)

    assert nearest_of_one(np.zeros(8, dtype=np.float32), vectors, coarse_of(vectors), np.arange(50))[1] == 0.0


def test_where_all_are_one_pattern_there_is_no_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assign, "MANY_PROTOTYPES", 10)
    vectors = units(np.random.default_rng(0), 50, 8)
    ones = np.ones(50, dtype=np.float32)
    prototypes = Prototypes(vectors, np.zeros(50, dtype=np.int64), ones, ones, ones.astype(np.int64))

    near = nearest(vectors[[4, 9]], prototypes)

    assert near.prototype.tolist() == [4, 9]
    assert near.second.tolist() == [-2.0, -2.0]


def test_one_text_is_answered_as_in_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assign, "MANY_PROTOTYPES", 10)
    random = np.random.default_rng(1)
    vectors, asked = units(random, 500, 32), units(random, 60, 32)
    ones = np.ones(500, dtype=np.float32)
    prototypes = Prototypes(vectors, np.arange(500) // 3, ones, ones, ones.astype(np.int64))

    together = nearest(asked, prototypes)
    alone = [nearest(one[None], prototypes) for one in asked]

    assert [one.prototype[0] for one in alone] == together.prototype.tolist()
    assert [one.similarity[0] for one in alone] == pytest.approx(together.similarity.tolist(), abs=1e-6)
    assert [one.second[0] for one in alone] == pytest.approx(together.second.tolist(), abs=1e-6)
