"""Fit a `Network` beside the linear head.

It learns by the softmax's log loss, one ticket after the other, with half of its terms left out (Srivastava et al. 2014,
"Dropout"), in steps that Adagrad sizes (Duchi et al. 2011), one size a term. Alone it is about as good as the linear head; what
the two get wrong differs, so that both together can be better than either, which experiment 0010 measures. A wider layer is a
little better still, and every ticket pays for it when it is scored.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify.network import Network
from triage_ml.compiled import compiled

__all__ = ["fit_network", "place_columns", "visits_of"]

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

_UNITS = 64
_FEWEST_TEXTS, _MOST_COLUMNS = 5, 100_000
_RATE = 0.05
_DROPPED = 0.5
_BEGIN = 0.05  # spread of the first weights
#: How often each ticket is visited: as often as makes this many visits in all, but within these bounds.
_VISITS, _FEWEST_EPOCHS, _MOST_EPOCHS = 100_000, 3, 15
#: A million tickets are visited once: more than this many visits are only made to see every ticket.
_MOST_VISITS = 1_000_000


class _Layers(NamedTuple):
    """The parameters while they are learnt: a network's, the biases as the last row."""

    hidden: Floats
    output: Floats


class _Steps(NamedTuple):
    """What Adagrad remembers: summed squares of the slopes, for each row of `hidden` their mean, for `output` each."""

    hidden: Floats
    output: Floats


def visits_of(tickets: int) -> int:
    """How many visits are made to fit on so many tickets."""
    epochs = min(max(_VISITS / tickets, _FEWEST_EPOCHS), _MOST_EPOCHS)
    return max(tickets, min(round(epochs * tickets), _MOST_VISITS))


def place_columns(vectors: sparse.csr_matrix) -> NDArray[np.int32]:
    """Which row of the hidden layer each column reads, -1 for none. Shape (columns,), int32.

    The columns that most texts have, and only those that enough have for a pattern among them to be more than chance.
    """
    texts = _count_texts(vectors.indices, vectors.shape[1])
    most_first = np.lexsort((np.arange(len(texts)), -texts))[:_MOST_COLUMNS]
    chosen = np.sort(most_first[texts[most_first] >= _FEWEST_TEXTS])
    place = np.full(len(texts), -1, dtype=np.int32)
    place[chosen] = np.arange(len(chosen))
    return place


@compiled
def _count_texts(columns: NDArray[np.int32], most: int) -> Rows:
    """How often each column is there; `bincount` would first write the columns of all texts anew, twice as wide."""
    counts = np.zeros(most, dtype=np.int64)
    for column in columns:
        counts[column] += 1
    return counts


def fit_network(
    vectors: sparse.csr_matrix,
    place: NDArray[np.int32],
    rows: Rows,
    codes: Rows,
    classes: int,
    *,
    visits: int,
    seed: int,
) -> Network:
    """Fit a network whose scores are nought on average over the classes.

    Parameters
    ----------
    vectors
        Shape (tickets, columns), float32.
    place
        Shape (columns,), int32: the row of the hidden layer that a column reads, -1 for none; see `place_columns`.
    rows, codes
        Which of them to fit on, and the index of the class of each.
    visits
        How many tickets are visited in all, one after the other, in a new order each time round.
    seed
        Of the first weights, the order of tickets and the terms that are left out.
    """
    draw = np.random.default_rng(seed)
    columns = int(place.max(initial=-1)) + 1
    layers = _Layers(
        np.float32(_BEGIN) * draw.standard_normal((columns + 1, _UNITS), dtype=np.float32),
        draw.standard_normal((_UNITS + 1, classes), dtype=np.float32) / np.float32(np.sqrt(_UNITS)),
    )
    layers.hidden[-1], layers.output[-1] = 0, 0
    steps = _Steps(np.zeros(columns + 1, dtype=np.float32), np.zeros((_UNITS + 1, classes), dtype=np.float32))
    pointers = vectors.indptr.astype(np.int64)
    longest = int(np.diff(pointers).max(initial=0))
    chance = np.uint64(draw.integers(1, 2**63))
    done = 0
    while done < visits:
        order = draw.permutation(len(rows))[: visits - done]
        rate, fall = _RATE * (1 - done / visits), _RATE / visits
        state = _visit_all(
            pointers,
            vectors.indices,
            vectors.data,
            place,
            rows,
            codes,
            order,
            longest,
            layers,
            steps,
            rate,
            fall,
            chance,
        )
        chance = np.uint64(state)  # compiled code hands back a plain int
        done += len(order)
    output = layers.output - layers.output.mean(axis=1, keepdims=True)
    return Network(place, layers.hidden[:-1], layers.hidden[-1], output[:-1], output[-1])


@compiled
def _visit_all(
    pointers: NDArray[np.int64],
    columns: NDArray[np.int32],
    values: Floats,
    place: NDArray[np.int32],
    rows: Rows,
    codes: Rows,
    order: Rows,
    longest: int,
    layers: _Layers,
    steps: _Steps,
    rate: float,
    fall: float,
    chance: np.uint64,
) -> np.uint64:
    """Visit each ticket of `order` once, the rate falling with each; returns the state of the random numbers."""
    units, classes = layers.hidden.shape[1], layers.output.shape[1]
    kept, kept_values = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.float32)
    state, slopes, errors = (
        np.empty(units, dtype=np.float32),
        np.empty(units, dtype=np.float32),
        np.empty(classes, dtype=np.float32),
    )
    for ticket in order:
        begin, end = pointers[rows[ticket]], pointers[rows[ticket] + 1]
        count = 0
        for index in range(begin, end):
            chance = _next(chance)
            row = place[columns[index]]
            if row >= 0 and np.float64(chance >> np.uint64(11)) * 2.0**-53 >= _DROPPED:
                kept[count], kept_values[count] = row, values[index] * np.float32(1 / (1 - _DROPPED))
                count += 1
        _read(kept[:count], kept_values[:count], layers, state, errors)
        errors[codes[ticket]] -= np.float32(1)
        _move_output(layers, steps, state, slopes, errors, np.float32(rate))
        _move_hidden(kept[:count], kept_values[:count], layers, steps, slopes, np.float32(rate))
        rate -= fall
    return chance


@compiled
def _next(chance: np.uint64) -> np.uint64:
    """The next state of a xorshift generator (Marsaglia 2003), which is its random number too."""
    chance ^= chance << np.uint64(13)
    chance ^= chance >> np.uint64(7)
    chance ^= chance << np.uint64(17)
    return chance


@compiled
def _read(columns: Rows, values: Floats, layers: _Layers, state: Floats, given: Floats) -> None:
    """Fill `state` with the activations of the hidden units and `given` with the probabilities of the classes."""
    hidden, output = layers
    state[:] = hidden[-1]
    for place in range(len(columns)):
        column, value = columns[place], values[place]
        for unit in range(len(state)):
            state[unit] += value * hidden[column, unit]
    given[:] = output[-1]
    for unit in range(len(state)):
        active = max(state[unit], np.float32(0))
        state[unit] = active
        if active > 0:
            for k in range(len(given)):
                given[k] += active * output[unit, k]
    most, total = given.max(), np.float32(0)
    for k in range(len(given)):
        given[k] = np.exp(given[k] - most)
        total += given[k]
    given /= total


@compiled
def _move_output(
    layers: _Layers, steps: _Steps, state: Floats, slopes: Floats, errors: Floats, rate: np.float32
) -> None:
    """Fill `slopes` with the slope of the loss at each hidden unit, and step the output layer."""
    output, squares = layers.output, steps.output
    for unit in range(len(state)):
        slopes[unit] = np.float32(0)
        active = state[unit]
        if active > 0:
            slope = np.float32(0)
            for k in range(len(errors)):
                slope += output[unit, k] * errors[k]
            slopes[unit] = slope
            for k in range(len(errors)):
                _step(output, squares, unit, k, active * errors[k], rate)
    for k in range(len(errors)):
        _step(output, squares, len(state), k, errors[k], rate)


@compiled
def _step(weights: Floats, squares: Floats, row: int, column: int, slope: np.float32, rate: np.float32) -> None:
    """One weight against its slope."""
    squares[row, column] += slope * slope
    weights[row, column] -= rate * slope / np.sqrt(squares[row, column] + np.float32(1e-6))


@compiled
def _move_hidden(
    columns: Rows, values: Floats, layers: _Layers, steps: _Steps, slopes: Floats, rate: np.float32
) -> None:
    """Step the rows of the hidden layer that the ticket's terms read, and its bias."""
    hidden, squares = layers.hidden, steps.hidden
    square = np.float32(0)
    for unit in range(len(slopes)):
        square += slopes[unit] * slopes[unit] / np.float32(len(slopes))
    if square == 0:
        return
    bias = len(squares) - 1
    for place in range(len(columns) + 1):
        row, value = (columns[place], values[place]) if place < len(columns) else (bias, np.float32(1))
        squares[row] += value * value * square
        size = rate * value / np.sqrt(squares[row] + np.float32(1e-6))
        for unit in range(len(slopes)):
            hidden[row, unit] -= size * slopes[unit]
