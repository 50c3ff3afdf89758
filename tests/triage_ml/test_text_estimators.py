"""One contract for everything that is fitted on texts; scikit-learn's own checks want matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from triage_ml.classify import TriageClassifier
from triage_ml.features import JoinedFeatures, LexicalFeatures

TEXTS = [
    f"{word} {end}" for word in ("password expired", "printer jammed", "vpn drops") for end in ("again", "today")
] * 20
LABELS = pd.DataFrame({"category": [text.split()[0] for text in TEXTS]})

Make = Callable[[], Any]


def classifier() -> TriageClassifier:
    return TriageClassifier(penalty=2.0, precision=0.8, fewest_words=1, seed=3)


def lexical() -> LexicalFeatures:
    return LexicalFeatures(words=1, pieces=(4, 4), min_texts=1)


@pytest.fixture(params=["classifier", "lexical", pytest.param("joined", marks=pytest.mark.needs_shared)])
def make(request: pytest.FixtureRequest) -> Make:
    if request.param == "joined":
        folder = request.getfixturevalue("shared") / "models" / "minilm-static-256"
        return lambda: JoinedFeatures(f"model2vec:{folder}", encoder_weight=2.0)
    return {"classifier": classifier, "lexical": lexical}[request.param]


def fitted(make: Make, texts: Any = TEXTS, labels: pd.DataFrame = LABELS) -> Any:
    return make().fit(texts, labels)


def output(estimator: Any, texts: Any) -> np.ndarray:
    """What it gives for texts, as one matrix with a row a text."""
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(texts)["category"].to_numpy()
    given = estimator.transform(texts)
    return given.toarray() if sparse.issparse(given) else given


def test_fit_returns_the_estimator_and_leaves_its_parameters(make: Make) -> None:
    estimator = make()
    before = estimator.get_params()
    assert estimator.fit(TEXTS, LABELS) is estimator
    assert estimator.get_params() == before


def test_clone_is_unfitted_with_the_same_parameters(make: Make) -> None:
    copy = clone(fitted(make))
    assert copy.get_params() == make().get_params()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        output(copy, ["a b"])


def test_parameters_can_be_set_by_name(make: Make) -> None:
    estimator = make()
    assert estimator.set_params(**make().get_params(deep=False)).get_params() == make().get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense'"):
        estimator.set_params(nonsense=1)


def test_lists_tuples_and_series_of_any_index_are_the_same(make: Make) -> None:
    estimator = fitted(make)
    expected = output(estimator, TEXTS[:7])
    series = pd.Series(TEXTS[:7], index=[9, 9, 3, 2, 1, 0, -5])
    np.testing.assert_array_equal(output(estimator, tuple(TEXTS[:7])), expected)
    np.testing.assert_array_equal(output(estimator, series), expected)
    np.testing.assert_array_equal(output(fitted(make, pd.Series(TEXTS)), TEXTS[:7]), expected)


def test_fitting_again_forgets_the_first_time(make: Make) -> None:
    estimator = fitted(make, [text[::-1] for text in TEXTS])
    np.testing.assert_array_equal(output(estimator.fit(TEXTS, LABELS), TEXTS), output(fitted(make), TEXTS))


def test_inputs_stay_as_they_are(make: Make) -> None:
    texts, labels = list(TEXTS), LABELS.copy()
    output(fitted(make, texts, labels), texts)
    assert texts == TEXTS
    pd.testing.assert_frame_equal(labels, LABELS)


def test_a_text_is_answered_alike_alone_and_among_others(make: Make) -> None:
    estimator = fitted(make)
    alone = np.vstack([output(estimator, [text]) for text in TEXTS[:6]])
    np.testing.assert_array_equal(output(estimator, TEXTS[:6]), alone)
    np.testing.assert_array_equal(output(estimator, TEXTS[5::-1]), alone[::-1])


def test_no_texts_give_no_rows(make: Make) -> None:
    estimator = fitted(make)
    assert output(estimator, []).shape == (0, output(estimator, TEXTS[:1]).shape[1])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\t ",
        "printer",
        "a" * 100_000,
        "printer " * 12_500,
        "🖨️🔥 👩\u200d💻",
        "المدرسة printer שלום",
        "<html><body><p>printer</p><script>x</script></body></html>",
        "iVBORw0KGgoAAAANSUhEUgAA" * 4000,
        "\x00\x01\x02\x7f\ufffd\ud800 PK\x03\x04",
        "ß" * 40 + " İstanbul ſ",
    ],
    ids=[
        "empty",
        "blank",
        "one word",
        "one monster",
        "100,000 characters",
        "emoji",
        "right to left",
        "HTML",
        "base64",
        "binary",
        "cases",
    ],
)
def test_any_text_has_a_finite_answer(make: Make, text: str) -> None:
    given = output(fitted(make), [text, TEXTS[0]])
    assert given.shape[0] == 2
    assert np.isfinite(given).all()
    np.testing.assert_array_equal(given[1:], output(fitted(make), [TEXTS[0]]))
