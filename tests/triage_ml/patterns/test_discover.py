from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from triage_ml.patterns import discover
from triage_ml.patterns.discover import join_alike, neighbour_graph


def blobs(sizes: list[int], seed: int = 0, dimensions: int = 32, noise: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around random centres, and the centre that each belongs to."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(len(sizes), dimensions))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    vectors = centres[labels] + noise * generator.normal(size=(len(labels), dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


@pytest.mark.parametrize(
    "sizes",
    [[40] * 5, [40] * 30, [300, 150, 80, 40, 20, 20, 20]],
    ids=["few groups", "many groups", "uneven sizes"],
)
def test_groups_are_found_without_saying_how_many(sizes: list[int]) -> None:
    vectors, truth = blobs(sizes, dimensions=256, noise=0.05)

    found = discover(vectors, np.ones(len(vectors), dtype=np.int64))

    assert adjusted_rand_score(truth, found.labels) > 0.95


def test_twice_gives_the_same_labels() -> None:
    vectors, _ = blobs([50, 30, 20, 60], noise=0.4)
    weights = np.ones(len(vectors), dtype=np.int64)

    np.testing.assert_array_equal(discover(vectors, weights).labels, discover(vectors, weights).labels)


def test_the_largest_group_by_tickets_comes_first() -> None:
    vectors, truth = blobs([30, 30])
    weights = np.where(truth == 1, 10, 1)

    found = discover(vectors, weights)

    assert found.labels[truth == 1].max() == 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_handful_of_texts_are_groups_of_their_own(count: int) -> None:
    vectors, _ = blobs([2])

    found = discover(vectors[:count], np.ones(count, dtype=np.int64))

    assert found.labels.tolist() == list(range(count))


def test_texts_of_which_no_two_are_alike_are_groups_of_their_own() -> None:
    found = discover(np.eye(5, dtype=np.float32), np.array([1, 5, 3, 2, 4]))

    assert sorted(found.labels.tolist()) == sorted(set(found.parts.tolist())) == [0, 1, 2, 3, 4]
    assert found.labels.tolist() == [4, 0, 2, 3, 1]


def test_parts_of_one_group_are_joined_and_groups_are_not() -> None:
    vectors, truth = blobs([40] * 6)
    parts = truth * 2 + np.arange(len(truth)) % 2

    joined = join_alike(vectors, parts, alike=0.24)

    assert adjusted_rand_score(truth, joined) == pytest.approx(1.0)


def test_joining_uses_the_mean_over_all_pairs() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    parts = np.array([0, 0, 1])  # cosines 0 and 0.6 between them: 0.3 in the mean

    assert join_alike(vectors, parts, alike=0.29).tolist() == [0, 0, 0]
    assert join_alike(vectors, parts, alike=0.31).tolist() == [0, 0, 1]


def test_each_part_lies_within_one_group() -> None:
    vectors, _ = blobs([50, 30, 20, 60], noise=0.4)

    found = discover(vectors, np.ones(len(vectors), dtype=np.int64))

    assert len(np.unique(np.stack([found.labels, found.parts]), axis=1).T) == found.parts.max() + 1


def test_the_graph_is_symmetric_without_loops_and_weighs_between_nought_and_one() -> None:
    vectors, _ = blobs([30, 30])

    graph = neighbour_graph(vectors)

    assert abs(graph - graph.T).max() < 1e-6
    assert graph.diagonal().max() == 0
    assert 0 < graph.data.min() <= graph.data.max() <= 1 + 1e-6
