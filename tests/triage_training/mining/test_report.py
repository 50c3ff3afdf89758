from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.review import sparkline
from triage_ml.settings import Settings
from triage_training.mine import mine
from triage_training.report import write_report

SCRIPT = "<script>alert('x')</script> Server beeps loudly"
FORMULA = '=HYPERLINK("http://example.com";"Phone is dead")'


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory, module_desk: pd.DataFrame) -> Settings:
    """The desk with a kind whose texts try to be a script, and one whose titles try to be a formula, every week."""
    settings = Settings(paths={"home": tmp_path_factory.mktemp("home")})  # type: ignore[arg-type]
    rows = [
        {
            "ticket_id": f"X-{kind}-{week}-{number}",
            "opened_at": pd.Timestamp("2026-01-07T10:00", tz="UTC") + pd.Timedelta(weeks=week),
            "title": title,
            "description": body,
            "effort_minutes": 50.0,
        }
        for kind, title, body in (
            ("s", SCRIPT, "beep <img src=x onerror=alert(1)>"),
            ("f", FORMULA, "no dial tone in the office"),
        )
        for week in range(4)
        for number in range(12)
    ]
    mine(pd.concat([module_desk, pd.DataFrame(rows)], ignore_index=True), settings)
    return settings


class _Page(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action", "style"}]


def test_the_latest_week_is_written_to_its_folder_in_every_format(mined: Settings) -> None:
    paths = write_report(mined)

    assert set(paths) == {"html", "csv", "json", "xlsx"}
    assert {path.parent for path in paths.values()} == {mined.paths.reports / "2026-W05"}
    assert all(path.stat().st_size > 500 for path in paths.values())


def test_a_week_and_a_folder_can_be_named(mined: Settings, tmp_path: Path) -> None:
    paths = write_report(mined, "2026-W03", tmp_path / "out")

    document = json.loads(paths["json"].read_text())
    assert paths["json"].parent == tmp_path / "out"
    assert (document["week"], document["tickets"]) == ("2026-W03", 84)


def test_the_json_has_the_keys_of_the_contract(mined: Settings) -> None:
    document = json.loads(write_report(mined)["json"].read_text())

    assert document.keys() >= {"week", "tickets", "covered", "candidates"}
    for candidate in document["candidates"]:
        assert candidate.keys() >= {"pattern_id", "title", "status", "kind", "volume", "trend", "hours"}


def test_text_of_tickets_is_text_on_the_page(mined: Settings) -> None:
    text = write_report(mined)["html"].read_text()
    page = _Page(text)

    assert "beeps" in text.casefold()
    assert not {"script", "img", "iframe", "link", "object", "a"} & set(page.tags)
    assert not re.search(r"<[^>]*\bon\w+=", text)


def test_the_page_needs_nothing_from_elsewhere(mined: Settings) -> None:
    text = write_report(mined)["html"].read_text()

    assert all("url(" not in address and "//" not in address for address in _Page(text).addresses)
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_no_cell_of_the_csv_can_run(mined: Settings) -> None:
    path = write_report(mined)["csv"]

    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(json.loads(path.with_suffix(".json").read_text())["candidates"])
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert any(cell.startswith("'=") for cell in cells)


def test_the_workbook_has_the_rows_of_the_csv_and_no_formula(mined: Settings) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `excel` is not installed")
    paths = write_report(mined)

    sheet = openpyxl.load_workbook(paths["xlsx"]).active
    with paths["csv"].open(encoding="utf-8-sig", newline="") as file:
        assert [str(cell.value) for cell in sheet[1]] == next(csv.reader(file))
        assert sheet.max_row - 1 == sum(1 for _ in csv.reader(file))
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_written_twice_it_is_the_same(mined: Settings) -> None:
    def written() -> dict[str, bytes]:
        return {
            kind: path.read_bytes() for kind, path in write_report(mined).items() if kind != "xlsx"
        }  # has the time in it

    assert written() == written()


def test_a_week_with_nothing_to_list(settings: Settings, desk: pd.DataFrame) -> None:
    mine(desk.iloc[[0, -1]], settings, weeks=["2026-W03"])

    text = write_report(settings)["html"].read_text()

    assert "No pattern had enough tickets" in text


def test_a_week_that_was_not_mined(mined: Settings) -> None:
    with pytest.raises(InputError, match=r"2025-W01 has not been mined\.\nThere are lists from 2026-W02 to 2026-W05"):
        write_report(mined, "2025-W01")


def test_nothing_mined_yet(settings: Settings) -> None:
    with pytest.raises(InputError, match=r"No week has been mined yet\.\nRun: triage mine TICKETS"):
        write_report(settings)


@pytest.mark.parametrize("weekly", [[4], [0, 0], [3, 9, 1, 1000]], ids=["one week", "nothing", "a burst"])
def test_a_sparkline_stays_within_its_box(weekly: list[int]) -> None:
    drawn = str(sparkline(weekly))

    points = [tuple(map(float, pair.split(","))) for pair in re.search(r'points="([^"]+)"', drawn)[1].split()]  # type: ignore[index]
    assert len(points) == len(weekly)
    assert all(0 <= x <= 96 and 0 <= y <= 24 for x, y in points)
    assert f"Tickets a week: {', '.join(map(str, weekly))}" in drawn


def test_the_page_has_a_map_of_the_patterns_that_are_listed(mined: Settings) -> None:
    paths = write_report(mined)

    listed = {one["pattern_id"] for one in json.loads(paths["json"].read_text())["candidates"]}
    drawn = set(re.findall(r'data-pattern="(\w+)"', paths["html"].read_text()))
    assert drawn == listed


def test_without_the_bundle_of_patterns_there_is_a_report_without_a_map(mined: Settings, tmp_path: Path) -> None:
    elsewhere = Settings(paths={"home": tmp_path}, store={"url": mined.store_url})  # type: ignore[arg-type]

    assert "data-pattern" not in write_report(elsewhere)["html"].read_text()
