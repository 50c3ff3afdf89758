from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from triage_ml.patterns import MapPoint, PatternBook, Said, grow, pattern_map

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def book(said: list[Said]) -> PatternBook:
    return grow(None, said, week="2026-W01", min_tickets=4).book


def points(book: PatternBook) -> list[MapPoint]:
    return [MapPoint(one, f"Pattern <{one}> & co", 10 * place + 1, 2.5 * place) for place, one in enumerate(book.ids)]


def test_every_pattern_is_a_circle_with_its_figures_and_none_covers_another(book: PatternBook) -> None:
    root = ElementTree.fromstring(pattern_map(book, points(book)))

    circles = root.findall(f"{SVG}circle")
    assert {one.get("data-pattern") for one in circles} == set(book.ids)
    assert f"Pattern <{book.ids[1]}> & co: 11 tickets, 2.5 hours" in [one.findtext(f"{SVG}title") for one in circles]
    places = np.array([[float(one.get(name) or 0) for name in ("cx", "cy", "r")] for one in circles])
    distance = np.linalg.norm(places[:, None, :2] - places[None, :, :2], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (distance > places[:, None, 2] + places[None, :, 2] - 2).all()
    assert (places[:, :2] > 0).all()
    assert (places[:, 0] < 960).all()


def test_a_screen_reader_reads_the_circles_and_each_title_once(book: PatternBook) -> None:
    root = ElementTree.fromstring(pattern_map(book, points(book)))

    assert root.get("role") == "group"  # the parts of an "img" are not read
    assert {one.get("role") for one in root.findall(f"{SVG}circle")} == {"img"}
    assert {one.get("aria-hidden") for one in root.findall(f"{SVG}text")} == {"true"}


def test_an_id_with_quotes_stays_one_attribute(book: PatternBook) -> None:
    odd = 'P" onload="alert(1)'
    renamed = replace(book, patterns=(replace(book.patterns[0], pattern_id=odd), *book.patterns[1:]))

    root = ElementTree.fromstring(pattern_map(renamed, [MapPoint(odd, "A", 4, 1)]))

    (circle,) = root.findall(f"{SVG}circle")
    assert circle.get("data-pattern") == odd
    assert circle.get("onload") is None


def test_area_is_tickets(book: PatternBook) -> None:
    one, other, *_ = book.ids
    root = ElementTree.fromstring(pattern_map(book, [MapPoint(one, "A", 400, 1), MapPoint(other, "B", 100, 1)]))

    first, second = (float(circle.get("r") or 0) for circle in root.findall(f"{SVG}circle"))
    assert first == pytest.approx(2 * second, rel=0.01)


def test_the_same_list_gives_the_same_picture_in_any_order(book: PatternBook) -> None:
    assert pattern_map(book, points(book)) == pattern_map(book, points(book)[::-1])


@pytest.mark.parametrize("shown", [[], [MapPoint("nowhere", "x", 1, 1)]], ids=["none", "unknown"])
def test_nothing_to_show(book: PatternBook, shown: list[MapPoint]) -> None:
    assert "No patterns to show" in pattern_map(book, shown)


def test_a_single_pattern(book: PatternBook) -> None:
    assert pattern_map(book, points(book)[:1]).count("<circle") == 1
