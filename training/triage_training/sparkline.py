"""Weekly counts as a small inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

__all__ = ["sparkline"]

WIDTH, HEIGHT, MARGIN = 96, 24, 3


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
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    numbers = ", ".join(str(int(count)) for count in weekly)
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" role="img"><title>Tickets a week: {}</title>'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="2.4"/></svg>'
    ).format(WIDTH, HEIGHT, numbers, line, f"{x:.1f}", f"{y:.1f}")
