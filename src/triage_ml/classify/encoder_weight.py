"""How much an encoder may say beside the words: a sentence model knows more than static vectors, and gets more weight.

The penalty of a head bears on all columns alike, so the length of the encoder's block decides how soon meaning is believed.
No length is right for every encoder; it is chosen as the penalty is, by the log loss on tickets that were not fitted on.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify.heads import held_out_loss

__all__ = ["choose_encoder_weight"]

_WEIGHTS = (1.0, 1.5, 2.5, 4.0)
_PENALTY = 10.0


def choose_encoder_weight(
    vectors: sparse.csr_matrix, lexical: int, labels: pd.DataFrame, groups: NDArray[np.int64], *, seed: int
) -> float:
    """The weight with the least log loss for the target with the most classes; scales the block in `vectors` by it.

    Parameters
    ----------
    vectors
        Shape (texts, columns), the encoder's block with weight 1; changed in place.
    lexical
        How many columns come before the block.
    labels
        Shape (texts, targets).
    groups
        Shape (texts,): texts with the same number are held out together.
    """
    name = max(labels.columns, key=lambda column: labels[column].nunique())
    rows = np.flatnonzero(labels[name].notna().to_numpy())
    truth = labels[name].to_numpy(dtype=object)[rows]
    block = vectors.indices >= lexical
    meaning = vectors.data[block].copy()
    losses = []
    for weight in _WEIGHTS:
        vectors.data[block] = np.float32(weight) * meaning
        losses.append(held_out_loss(str(name), vectors, rows, truth, groups[rows], (_PENALTY,), seed=seed)[0])
    chosen = _WEIGHTS[int(np.argmin(losses))]
    vectors.data[block] = np.float32(chosen) * meaning
    return chosen
