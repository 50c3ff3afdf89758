"""How many tickets a week will come, from the weeks that came: a level that may drift or jump, and what is not known of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["HORIZON_WEEKS", "ticket_quantiles"]

#: Gamma(shape, rate) prior of tickets a week: as if half a ticket had been seen in a tenth of a week (near Jeffreys').
PRIOR_SHAPE, PRIOR_WEEKS = 0.5, 0.1
HORIZON_WEEKS = 4
#: How much of what was known a week ago still holds, 1 is a level that never moves; and how likely each is beforehand.
DISCOUNTS = np.array([1.0, 0.95, 0.9, 0.8, 0.65, 0.5, 0.3])
BEFOREHAND = np.array([0.30, 0.20, 0.15, 0.13, 0.10, 0.07, 0.05])
#: How likely a level is to jump in a given week: about once in two years.
JUMP = 0.01
#: What began within its first week was there for half of it, as far as anybody knows.
FIRST_WEEK = 0.5
#: Points of the distribution function that are looked at.
POINTS = 1_000
#: Stories that are less likely than this beside the likeliest are not told.
LIKELY = 1e-3

FloatArray = NDArray[np.float64]


def ticket_quantiles(weekly: Sequence[int], levels: FloatArray) -> FloatArray:
    """Tickets a week over the next `HORIZON_WEEKS`, at these levels of probability; shape of `levels`.

    Counts are Poisson with a rate that is Gamma distributed. Either the rate loses a share of its evidence each week (power
    discounting, Smith 1979; West and Harrison, Bayesian Forecasting and Dynamic Models, section 10.8), or it jumped in one
    of the weeks and what was before says nothing (Barry and Hartigan 1993). Each of these stories counts as much as it
    foretold the weeks that came (its marginal likelihood), so a steady pattern is read from all its weeks and one that
    appeared, fades or jumped from its last ones. Tickets over the horizon are then a mixture of negative binomials, with
    the evidence discounted to the horizon's middle.

    Parameters
    ----------
    weekly
        Tickets in each week, oldest first. Zeros before the first ticket mean that the pattern was not there yet.
    """
    counts, below = _distribution(tuple(int(count) for count in weekly))
    place = np.minimum(np.searchsorted(below, levels), len(counts) - 1)
    quantiles: FloatArray = counts[place] / HORIZON_WEEKS
    return quantiles


@lru_cache(maxsize=64)
def _distribution(weekly: tuple[int, ...]) -> tuple[NDArray[np.int64], FloatArray]:
    """Tickets over the horizon, and the probability of at most so many; kept, as work and savings both ask for it."""
    shape, rate, weight = _stories(*_since_it_came(weekly))
    told = weight > LIKELY * weight.max()
    shape, rate, weight = shape[told], rate[told], weight[told] / weight[told].sum()
    success = rate / (rate + HORIZON_WEEKS)
    mean = shape * (1 - success) / success
    most = int((mean + 12 * np.sqrt(mean / success)).max()) + 10
    counts = np.unique(np.linspace(0, most, POINTS).astype(np.int64))
    below = weight @ special.betainc(shape[:, None], counts[None, :] + 1, success[:, None])
    return counts, below


def _since_it_came(weekly: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Counts and weeks of exposure from the first week with a ticket on."""
    counts = np.asarray(weekly, dtype=np.float64)
    first = int(np.argmax(counts > 0)) if counts.any() else 0
    exposure = np.ones(len(counts) - first)
    if first > 0:
        exposure[0] = FIRST_WEEK
    return counts[first:], exposure


def _stories(counts: FloatArray, exposure: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shape and rate of the Gamma distribution over the horizon, and the weight, of each story; shape (stories,)."""
    shape, rate, fit = _drifting(counts, exposure)
    ahead = DISCOUNTS ** (1 + (HORIZON_WEEKS - 1) / 2)
    jumps = np.arange(1, len(counts))
    new_shape = PRIOR_SHAPE + _from(counts)[jumps]
    new_rate = PRIOR_WEEKS + _from(exposure)[jumps]
    jump_fit = _steady_fit(counts, exposure)[jumps] + _steady_fit(counts[::-1], exposure[::-1])[len(counts) - jumps]
    fits = np.concatenate([fit + np.log(BEFOREHAND), jump_fit + np.log(JUMP)])
    weight = np.exp(fits - fits.max())
    shapes, rates = np.concatenate([shape * ahead, new_shape]), np.concatenate([rate * ahead, new_rate])
    return shapes, rates, weight / weight.sum()


def _drifting(counts: FloatArray, exposure: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shape and rate after all weeks, and the logarithm of the marginal likelihood, of each discount."""
    shape, rate = np.full(len(DISCOUNTS), PRIOR_SHAPE), np.full(len(DISCOUNTS), PRIOR_WEEKS)
    fit = np.zeros(len(DISCOUNTS))
    for count, weeks in zip(counts, exposure, strict=True):
        shape, rate = shape * DISCOUNTS, rate * DISCOUNTS
        fit += special.gammaln(shape + count) - special.gammaln(shape)
        fit += shape * np.log(rate / (rate + weeks)) + count * np.log(weeks / (rate + weeks))
        shape, rate = shape + count, rate + weeks
    return shape, rate, fit


def _steady_fit(counts: FloatArray, exposure: FloatArray) -> FloatArray:
    """Logarithm of the marginal likelihood of the first 0, 1, … n weeks at one steady rate, without the factor that all
    stories share; shape (n + 1,)."""
    total, weeks = (np.concatenate([[0.0], np.cumsum(values)]) for values in (counts, exposure))
    shared = np.concatenate([[0.0], np.cumsum(counts * np.log(exposure))])
    shape, rate = PRIOR_SHAPE + total, PRIOR_WEEKS + weeks
    fit: FloatArray = shared + special.gammaln(shape) - shape * np.log(rate)
    fit += PRIOR_SHAPE * np.log(PRIOR_WEEKS) - special.gammaln(PRIOR_SHAPE)
    return fit


def _from(values: FloatArray) -> FloatArray:
    """The sum of the values from each place on."""
    sums: FloatArray = np.cumsum(values[::-1])[::-1]
    return sums
