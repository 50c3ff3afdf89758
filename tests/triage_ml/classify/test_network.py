"""A hidden layer learns what no sum over terms can say, and is told term by term all the same."""

from __future__ import annotations

import tracemalloc
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify import TriageClassifier, classifier_from_bundle, classifier_to_bundle
from triage_ml.classify.network import Network
from triage_ml.classify.network_fit import fit_network, place_columns, visits_of
from triage_ml.errors import BundleCorruptError
from triage_ml.features import LexicalFeatures

#: Two words of each text decide together: both or neither of a pair is one class, one of them the other.
LEFT, RIGHT, OTHERS = ("outlook", "excel"), ("crashes", "slow"), ("please", "today", "again", "urgent", "thanks")


def tickets(rows: int, seed: int, others: int = 2) -> tuple[list[str], NDArray[np.int64]]:
    draw = np.random.default_rng(seed)
    left, right = draw.integers(0, 2, rows), draw.integers(0, 2, rows)
    texts = [f"{LEFT[a]} {' '.join(draw.choice(OTHERS, others))} {RIGHT[b]}" for a, b in zip(left, right, strict=True)]
    return texts, left ^ right


@pytest.fixture(scope="module")
def words() -> LexicalFeatures:
    return LexicalFeatures(words=1, skip=False, pieces=None).fit(tickets(500, seed=0)[0])


@pytest.fixture(scope="module")
def network(words: LexicalFeatures) -> Network:
    texts, codes = tickets(500, seed=0)
    vectors = words.transform(texts)
    return fit_network(vectors, place_columns(vectors), np.arange(500), codes, 2, visits=15 * 500, seed=0)


def test_it_learns_what_two_words_mean_together(words: LexicalFeatures, network: Network) -> None:
    """No linear head on single words is right more often than about half the time."""
    texts, codes = tickets(300, seed=1)
    assert (network.scores(words.transform(texts)).argmax(axis=1) == codes).mean() > 0.95


def test_scores_are_the_formula(words: LexicalFeatures, network: Network) -> None:
    vectors = words.transform(tickets(50, seed=2)[0])
    read = vectors.toarray()[:, network.place >= 0] @ network.hidden[network.place[network.place >= 0]]
    expected = np.maximum(read + network.hidden_bias, 0) @ network.output + network.output_bias
    np.testing.assert_allclose(network.scores(vectors), expected, atol=1e-4)


def test_scores_are_nought_on_average_over_the_classes(words: LexicalFeatures, network: Network) -> None:
    scores = network.scores(words.transform(tickets(50, seed=2)[0]))
    np.testing.assert_allclose(scores.mean(axis=1), 0, atol=1e-4)


def test_one_by_one_is_the_same_as_together_to_the_last_bit(words: LexicalFeatures, network: Network) -> None:
    texts = tickets(40, seed=3)[0]
    alone = np.vstack([network.scores(words.transform([text])) for text in texts])
    assert np.array_equal(alone, network.scores(words.transform(texts)))


def test_what_each_column_adds_and_a_constant_sum_to_the_score(words: LexicalFeatures, network: Network) -> None:
    vectors = words.transform(tickets(30, seed=4)[0])
    chosen = np.arange(30) % 2
    text = np.repeat(np.arange(30), np.diff(vectors.indptr)).astype(np.int32)
    added = vectors.data * network.added(vectors.indices, text, network.slopes(vectors, chosen))
    total = np.bincount(text, weights=added, minlength=30) + network.constant(vectors, chosen)
    np.testing.assert_allclose(total, network.scores(vectors)[np.arange(30), chosen], atol=1e-4)


@pytest.mark.parametrize("units", [1, 16, 21])
def test_what_a_column_adds_is_its_row_times_the_slopes(units: int) -> None:
    draw = np.random.default_rng(0)
    hidden = draw.normal(size=(3, units)).astype(np.float32)
    output = draw.normal(size=(units, 2)).astype(np.float32)
    place = np.array([2, -1, 0, 1], dtype=np.int32)
    network = Network(place, hidden, np.zeros(units, np.float32), output, np.zeros(2, np.float32))
    slopes = draw.normal(size=(2, units)).astype(np.float32)
    columns, texts = np.array([0, 1, 2, 3], dtype=np.int32), np.array([0, 0, 1, 1], dtype=np.int32)
    expected = [hidden[2] @ slopes[0], 0, hidden[0] @ slopes[1], hidden[1] @ slopes[1]]
    np.testing.assert_allclose(network.added(columns, texts, slopes), expected, atol=1e-5)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(words: LexicalFeatures) -> None:
    texts, codes = tickets(200, seed=5)
    vectors = words.transform(texts)
    first, second, third = (
        fit_network(vectors, place_columns(vectors), np.arange(200), codes, 2, visits=600, seed=seed)
        for seed in (7, 7, 8)
    )
    assert first.hidden.tobytes() == second.hidden.tobytes()
    assert first.output.tobytes() == second.output.tobytes()
    assert first.hidden.tobytes() != third.hidden.tobytes()


def test_columns_of_few_texts_are_not_read() -> None:
    counts = [6, 5, 4, 0]
    dense = np.zeros((6, 4), dtype=np.float32)
    for column, count in enumerate(counts):
        dense[:count, column] = 1
    assert place_columns(sparse.csr_matrix(dense)).tolist() == [0, 1, -1, -1]


def test_columns_are_chosen_without_another_copy_of_them() -> None:
    columns = np.random.default_rng(0).integers(0, 1000, 1_000_000).astype(np.int32)
    vectors = sparse.csr_matrix((np.ones(1_000_000, np.float32), columns, np.array([0, 1_000_000])), shape=(1, 1000))
    place_columns(vectors)  # what compiling takes is not asked
    tracemalloc.start()
    try:
        place = place_columns(vectors)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (place >= 0).all()
    assert peak < columns.nbytes / 4


def test_no_column_is_read_where_all_are_rare() -> None:
    vectors = sparse.csr_matrix(np.eye(4, dtype=np.float32))
    network = fit_network(vectors, place_columns(vectors), np.arange(4), np.array([0, 0, 0, 1]), 2, visits=60, seed=0)
    scores = network.scores(vectors)
    assert np.array_equal(scores, np.repeat(scores[:1], 4, axis=0))
    assert scores[0, 0] > scores[0, 1]


@pytest.mark.parametrize(
    ("rows", "visits"),
    [(100, 1500), (10_000, 100_000), (40_000, 120_000), (1_000_000, 1_000_000), (3_000_000, 3_000_000)],
)
def test_visits_are_bounded(rows: int, visits: int) -> None:
    assert visits_of(rows) == visits


WORDS_ALONE = LexicalFeatures(words=1, skip=False, pieces=None)


def learnt(order: NDArray[np.int64]) -> TriageClassifier:
    """On single words, so that only the network can know the pairs."""
    texts, codes = tickets(600, seed=6)
    labels = pd.DataFrame({"category": np.where(codes, "odd", "even")}).iloc[order]
    return TriageClassifier(features=WORDS_ALONE).fit([texts[row] for row in order], labels)


@pytest.fixture(scope="module")
def model() -> TriageClassifier:
    return learnt(np.arange(600))


@pytest.mark.parametrize("shuffled", [False, True], ids=["the same order", "another order"])
def test_the_same_seed_gives_the_same_arrays_in_any_order(model: TriageClassifier, shuffled: bool) -> None:
    order = np.random.default_rng(3).permutation(600) if shuffled else np.arange(600)
    contents, arrays = classifier_to_bundle(model)
    again_contents, again_arrays = classifier_to_bundle(learnt(order))
    assert "target-0.network.hidden" in arrays
    assert contents == again_contents
    assert {name: array.tobytes() for name, array in arrays.items()} == {
        name: array.tobytes() for name, array in again_arrays.items()
    }


def mislabelled(rows: int, seed: int) -> tuple[list[str], pd.Series]:
    """One label of ten is wrong; hardly two texts are the same."""
    texts, codes = tickets(rows, seed, others=6)
    codes ^= np.random.default_rng(seed).random(rows) < 0.1
    return texts, pd.Series(np.where(codes, "odd", "even"), name="category")


def test_it_is_right_as_often_as_it_says_and_decides() -> None:
    given = TriageClassifier(features=WORDS_ALONE, precision=0.8).fit(*mislabelled(1000, seed=11))
    texts, truth = mislabelled(2000, seed=12)
    answers = given.decide(texts)
    right, automatic = answers["category"] == truth, answers["category_action"] == "auto"
    assert given.head("category").network is not None
    assert answers["category_probability"].mean() == pytest.approx(right.mean(), abs=0.03)
    assert automatic.mean() > 0.5
    assert right[automatic].mean() >= 0.8


def test_a_classifier_gets_a_network_where_it_helps(model: TriageClassifier) -> None:
    texts, codes = tickets(200, seed=7)
    assert model.head("category").network is not None
    assert (model.predict(texts)["category"] == np.where(codes, "odd", "even")).mean() > 0.9


def test_its_reasons_sum_to_the_margin(model: TriageClassifier) -> None:
    texts = tickets(20, seed=8)[0]
    head, vectors = model.head("category"), model.vectors(texts)[0]
    margins = head.margins(vectors)
    chosen = margins.argmax(axis=1)
    told = np.array([sum(term.weight for term in terms) for terms in model.explain(texts, "category", most=None)])
    np.testing.assert_allclose(told + head.constant(vectors, chosen), margins.max(axis=1), atol=1e-3)


def test_it_goes_to_arrays_and_back(model: TriageClassifier) -> None:
    texts = tickets(20, seed=9)[0]
    again = classifier_from_bundle(*classifier_to_bundle(model))
    assert again.head("category").network is not None
    pd.testing.assert_frame_equal(again.decide(texts), model.decide(texts))


PARTS = {f"target-0.network.{part}" for part in ("hidden", "hidden_bias", "output", "output_bias")} | {"network.place"}
OTHER_ARRAYS = r"^Target 'category': the arrays of its network are not those that the bundle tells of\.\nTrain it again"


def without(arrays: dict[str, NDArray[Any]], names: Collection[str]) -> dict[str, NDArray[Any]]:
    return {name: array for name, array in arrays.items() if name not in names}


@pytest.mark.parametrize("lost", [PARTS, {"network.place"}, {"target-0.network.output"}], ids=len)
def test_a_bundle_that_lost_its_network_is_refused(model: TriageClassifier, lost: Collection[str]) -> None:
    contents, arrays = classifier_to_bundle(model)
    assert arrays.keys() >= lost
    with pytest.raises(BundleCorruptError, match=OTHER_ARRAYS):
        classifier_from_bundle(contents, without(arrays, lost))


def test_a_network_that_nobody_tells_of_is_refused(model: TriageClassifier) -> None:
    contents, arrays = classifier_to_bundle(model)
    contents["targets"][0]["network"] = False
    with pytest.raises(BundleCorruptError, match=OTHER_ARRAYS):
        classifier_from_bundle(contents, arrays)


@pytest.mark.parametrize("has_network", [True, False], ids=["with a network", "without one"])
def test_a_bundle_of_before_loads(model: TriageClassifier, has_network: bool) -> None:
    """It does not tell of the network, and has `place` once a target."""
    contents, arrays = classifier_to_bundle(model)
    del contents["targets"][0]["network"]
    own = without(arrays, {"network.place"}) | {"target-0.network.place": arrays["network.place"]}
    old = classifier_from_bundle(contents, own if has_network else without(arrays, PARTS))
    texts = tickets(20, seed=9)[0]
    assert (old.head("category").network is not None) is has_network
    assert old.decide(texts).equals(model.decide(texts)) is has_network


def test_targets_read_the_same_columns_and_say_so_once() -> None:
    """Of three targets two have a network."""
    texts, codes = tickets(600, seed=6)
    odd = pd.Series(np.where(codes, "odd", "even"))
    first = pd.Series([text.split()[0] for text in texts])
    labels = pd.DataFrame({"category": odd, "first": first, "tier": odd.map({"odd": "L1", "even": "L2"})})
    model = TriageClassifier(features=WORDS_ALONE, penalty=3.0).fit(texts, labels)
    contents, arrays = classifier_to_bundle(model)
    assert [target["network"] for target in contents["targets"]] == [True, False, True]
    assert [name for name in arrays if name.endswith("place")] == ["network.place"]
    again = classifier_from_bundle(contents, arrays)
    pd.testing.assert_frame_equal(again.decide(texts[:20]), model.decide(texts[:20]))
    assert again.head("first").network is None


def test_a_target_without_a_network_goes_to_arrays_and_back() -> None:
    texts = [f"{word} {end}" for word in ("printer", "vpn") for end in range(100)]
    labels = pd.DataFrame({"category": ["Printing"] * 100 + ["Network"] * 100})
    contents, arrays = classifier_to_bundle(TriageClassifier(penalty=3.0).fit(texts, labels))
    assert contents["targets"][0]["network"] is False
    assert classifier_from_bundle(contents, arrays).predict(["printer 7"])["category"].tolist() == ["Printing"]
