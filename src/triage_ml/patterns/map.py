"""A map of the patterns as one SVG: near is alike, area is tickets, shade is hours, colour is the theme.

It is a static picture: no script, no outside font, the same bytes for the same list. Each circle carries its title and
figures as a tooltip and for screen readers; the patterns with most hours are labelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.book import PatternBook

__all__ = ["MapPoint", "pattern_map"]

FloatArray = NDArray[np.float64]

WIDTH, HEIGHT, EDGE = 960, 560, 40
LARGEST, SMALLEST = 44.0, 4.0
LABELLED = 14
LONGEST_LABEL = 32
STEPS = 300
#: Colours that people with any colour vision tell apart (Okabe and Ito 2008); the themes with most tickets have one.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#6A51A3")
OTHERS = "#8A8F98"


@dataclass(frozen=True)
class MapPoint:
    """What the map shows of a pattern: tickets and hours of the week or of any other time, and its title as people see it."""

    pattern_id: str
    title: str
    volume: int
    hours: float


@dataclass(frozen=True)
class _Circle:
    x: float
    y: float
    radius: float
    colour: str
    shade: float
    point: MapPoint
    theme: str


def pattern_map(book: PatternBook, points: Sequence[MapPoint]) -> str:
    """The SVG document, 960 by 560; patterns that the book does not know are left out.

    A pattern lies where its texts lie in the space, in the two directions that tell these patterns apart most; circles that
    would cover each other are pushed apart.
    """
    place = {pattern_id: index for index, pattern_id in enumerate(book.ids)}
    known = sorted((one for one in points if one.pattern_id in place), key=lambda one: (-one.volume, one.pattern_id))
    if not known:
        return _document([], "No patterns to show.")
    index = np.array([place[one.pattern_id] for one in known])
    radius = _radii([one.volume for one in known])
    centre = _apart(_spread(_directions(book, index)), radius)
    themes = [book.patterns[one].theme_id for one in index.tolist()]
    colour = _colours(themes, [one.volume for one in known])
    most = max(max(one.hours for one in known), 1e-9)
    circles = [
        _Circle(float(x), float(y), float(r), colour[theme], 0.35 + 0.55 * one.hours / most, one, theme)
        for (x, y), r, theme, one in zip(centre, radius, themes, known, strict=True)
    ]
    return _document(
        circles, f"{len(circles)} patterns: near is alike, area is tickets, strength is hours, colour is theme."
    )


def _directions(book: PatternBook, index: NDArray[np.int64]) -> FloatArray:
    """The two principal components of the patterns' places, signs fixed; shape (n, 2)."""
    sums, counts = book.cases.sums(len(book))
    places = (sums / np.maximum(counts, 1)[:, None])[index].astype(np.float64)
    places -= places.mean(axis=0)
    left, values, _ = np.linalg.svd(places, full_matrices=False)
    flat = np.zeros((len(index), 2))
    flat[:, : min(2, len(values))] = (left * values)[:, :2]
    signs = np.sign(flat[np.abs(flat).argmax(axis=0), [0, 1]])
    turned: FloatArray = flat * np.where(signs == 0, 1, signs)
    return turned


def _spread(flat: FloatArray) -> FloatArray:
    """Ranks and values half and half, so that one pattern far away does not press the others together."""
    rank = flat.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") / max(len(flat) - 1, 1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    share = (rank + (flat - low) / np.maximum(high - low, 1e-9)) / 2
    placed: FloatArray = np.array([EDGE, EDGE]) + share * np.array([WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE])
    return placed


def _radii(volumes: Sequence[int]) -> FloatArray:
    share = np.sqrt(np.array(volumes, dtype=np.float64) / max(max(volumes), 1))
    crowd = min(1.0, np.sqrt(0.35 * WIDTH * HEIGHT / (np.pi * np.sum((LARGEST * share) ** 2) + 1e-9)))
    return np.asarray(np.maximum(SMALLEST, LARGEST * share * crowd))


def _apart(centre: FloatArray, radius: FloatArray) -> FloatArray:
    """Push circles that overlap apart, within the frame."""
    reach = radius[:, None] + radius[None, :] + 2
    low, high = radius[:, None] + 2, np.array([WIDTH, HEIGHT]) - radius[:, None] - 2
    number = np.arange(len(radius))
    side = np.sign(number[:, None] - number[None, :])[:, :, None] * np.array([1.0, 0.5])  # for two at the same place
    for step in range(STEPS):
        gap = centre[:, None, :] - centre[None, :, :]
        distance = np.linalg.norm(gap, axis=2)
        np.fill_diagonal(distance, np.inf)
        push = np.maximum(reach - distance, 0) / 2
        np.fill_diagonal(push, 0)
        if push.max() < 0.5:
            break
        toward = np.where(distance[:, :, None] < 1e-6, side, gap / np.maximum(distance, 1e-6)[:, :, None])
        centre = np.clip(
            centre + (push[:, :, None] * toward).sum(axis=1) * (0.6 if step < STEPS // 2 else 0.3), low, high
        )
    return centre


def _colours(themes: Sequence[str], volumes: Sequence[int]) -> dict[str, str]:
    total: dict[str, int] = {}
    for theme, volume in zip(themes, volumes, strict=True):
        total[theme] = total.get(theme, 0) + volume
    order = sorted(total, key=lambda theme: (-total[theme], theme))
    return {theme: COLOURS[place] if place < len(COLOURS) else OTHERS for place, theme in enumerate(order)}


def _document(circles: Sequence[_Circle], caption: str) -> str:
    labelled = sorted(circles, key=lambda one: (-one.point.hours, one.point.pattern_id))[:LABELLED]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-labelledby="map-caption">',
        f'<title id="map-caption">{escape(caption)}</title>',
        *(_circle(one) for one in circles),
        *(_label(one) for one in labelled),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _circle(one: _Circle) -> str:
    said = f"{one.point.title}: {one.point.volume:,} tickets, {one.point.hours:,.1f} hours"
    return (
        f'<circle role="img" cx="{one.x:.1f}" cy="{one.y:.1f}" r="{one.radius:.1f}" fill="{one.colour}" '
        f'fill-opacity="{one.shade:.2f}" stroke="{one.colour}" data-pattern={quoteattr(one.point.pattern_id)}>'
        f"<title>{escape(said)}</title></circle>"
    )


def _label(one: _Circle) -> str:
    title = (
        one.point.title
        if len(one.point.title) <= LONGEST_LABEL
        else one.point.title[: LONGEST_LABEL - 1].rstrip() + "…"
    )
    x = min(max(one.x, 3.2 * len(title)), WIDTH - 3.2 * len(title))
    return (
        f'<text aria-hidden="true" x="{x:.1f}" y="{one.y + 4:.1f}" text-anchor="middle" '
        f'font-family="system-ui, sans-serif" font-size="12" '
        f'paint-order="stroke" stroke="#fff" stroke-width="3" fill="#1b1f24">{escape(title)}</text>'
    )
