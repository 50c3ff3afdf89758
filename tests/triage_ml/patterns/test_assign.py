from __future__ import annotations

import numpy as np
import pytest

from triage_ml.patterns import NO_PATTERN
from triage_ml.patterns.assign import HIGHEST, LOWEST, Prototypes, assign_vectors, threshold_of


def prototypes(*rows: tuple[list[float], int, float]) -> Prototypes:
    vectors, owners, thresholds = zip(*rows, strict=True)
    ones = np.ones(len(owners))
    return Prototypes(
        np.array(vectors, dtype=np.float32),
        np.array(owners),
        np.array(thresholds, dtype=np.float32),
        ones.astype(np.float32),
        ones.astype(np.int64),
    )


def unit(*values: float) -> np.ndarray:
    vector = np.array([values], dtype=np.float32)
    return vector / np.linalg.norm(vector)


TWO = prototypes(([1.0, 0.0], 0, 0.5), ([0.0, 1.0], 1, 0.9))


def test_a_text_goes_to_the_nearest_pattern_that_it_is_near_enough_to() -> None:
    pattern, similarity = assign_vectors(np.concatenate([unit(1, 0.2), unit(0.05, 1)]), TWO)

    assert pattern.tolist() == [0, 1]
    assert similarity[1] > 0.99


def test_below_the_patterns_own_threshold_it_belongs_to_none() -> None:
    pattern, similarity = assign_vectors(unit(0.6, 1), TWO)

    assert pattern.tolist() == [NO_PATTERN]
    assert 0.8 < similarity[0] < 0.9


def test_as_near_to_two_patterns_it_belongs_to_none() -> None:
    even = prototypes(([1.0, 0.0], 0, 0.5), ([0.0, 1.0], 1, 0.5))

    assert assign_vectors(unit(1, 1), even)[0].tolist() == [NO_PATTERN]


def test_as_near_to_two_prototypes_of_one_pattern_it_belongs_to_that() -> None:
    one = prototypes(([1.0, 0.0], 3, 0.5), ([0.0, 1.0], 3, 0.5))

    assert assign_vectors(unit(1, 1), one)[0].tolist() == [3]


def test_without_patterns_nothing_belongs() -> None:
    pattern, similarity = assign_vectors(unit(1, 0), Prototypes.none(2))

    assert pattern.tolist() == [NO_PATTERN]
    assert similarity.tolist() == [0.0]


def test_the_zero_vector_belongs_to_none() -> None:
    assert assign_vectors(np.zeros((1, 2), dtype=np.float32), TWO)[0].tolist() == [NO_PATTERN]


def test_a_threshold_stays_within_its_bounds() -> None:
    ones = np.ones(4, dtype=np.int64)

    assert threshold_of(np.full(4, 1.0, dtype=np.float32), ones) == pytest.approx(HIGHEST)
    assert threshold_of(np.full(4, 0.01, dtype=np.float32), ones) == pytest.approx(LOWEST)


def test_a_frequent_text_at_the_edge_stays_inside() -> None:
    similarities = np.array([0.55, 0.50, 0.45, 0.40], dtype=np.float32)

    assert threshold_of(similarities, np.array([1, 1, 1, 500])) <= 0.40 + 1e-6
