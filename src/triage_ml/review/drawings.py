"""Small inline SVGs: attributes only, so that they are drawn under the strictest content security policy."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

__all__ = ["range_bar", "sparkline"]

WIDTH, HEIGHT, MARGIN = 96, 24, 3
RANGE_WIDTH = 100


def sparkline(weekly: Sequence[int]) -> Markup:
    """A line over the weeks with a dot on the last one; its `title` reads the numbers out.

    >>> "polyline" in sparkline([3, 5, 4])
    True
    """
    top = max([*weekly, 1])
    step = (WIDTH - 2 * MARGIN) / max(len(weekly) - 1, 1)
    points = [
        (MARGIN + index * step, HEIGHT - MARGIN - count / top * (HEIGHT - 2 * MARGIN))
        for index, count in enumerate(weekly)
    ]
    line = " ".join([f"{x:.1f},{y:.1f}" for x, y in points])
    x, y = points[-1]
    numbers = ", ".join([str(int(count)) for count in weekly])
    return Markup(  # noqa: S704 - nothing but numbers; formatting them as Markup is half of the time of a long list
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>Tickets a week: {numbers}</title>'
        f'<polyline points="{line}"/><circle cx="{x:.1f}" cy="{y:.1f}" r="2.4"/></svg>'
    )


def range_bar(low: float, middle: float, high: float, longest: float) -> Markup:
    """P10 to P90 as a bar and P50 as a mark, all bars of a list on one scale that ends at `longest`."""
    scale = RANGE_WIDTH / longest if longest > 0 else 0.0
    left, width = min(low * scale, RANGE_WIDTH), max(min(high, longest) * scale - low * scale, 1.0)
    mark = min(middle * scale, RANGE_WIDTH - 1)
    return Markup(  # noqa: S704 - nothing but numbers
        f'<svg class="range" viewBox="0 0 {RANGE_WIDTH} 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="scale" width="{RANGE_WIDTH}" height="6"/>'
        f'<rect class="span" x="{left:.1f}" width="{width:.1f}" height="6"/>'
        f'<rect class="mark" x="{mark:.1f}" width="1.2" height="6"/></svg>'
    )
