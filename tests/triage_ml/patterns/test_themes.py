from __future__ import annotations

from triage_ml.patterns import Said, grow
from triage_ml.patterns.themes import with_themes


def test_every_pattern_has_a_theme_and_keeps_it(said: list[Said]) -> None:
    first = grow(None, said, week="2026-W01", min_tickets=4).book
    more = [Said(f"scanner sends empty pdf {word}", "x", "x", 4) for word in ("by mail", "again", "to folder")]

    second = grow(first, [*said, *more], week="2026-W02", min_tickets=4).book

    themes = [one.theme_id for one in first.patterns]
    assert all(theme.startswith("t") for theme in themes)
    assert [one.theme_id for one in second.patterns][: len(first)] == themes
    assert with_themes(second) is second


def test_patterns_that_share_nothing_share_no_theme(said: list[Said], texts_of: dict[str, list[str]]) -> None:
    book = grow(None, said, week="2026-W01", min_tickets=4).book

    themes = {
        kind: {one.theme_id for one in book.assign(texts_of[kind]) if one is not None} for kind in ("vpn", "disk")
    }
    assert themes["vpn"]
    assert themes["vpn"].isdisjoint(themes["disk"])
