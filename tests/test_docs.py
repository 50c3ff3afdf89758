"""What docs/ says is what the program has."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage_ml.settings import Settings, load_settings
from triage_ml.settings_page import setting_rows, settings_table, settings_toml

ROOT = Path(__file__).parents[1]


def test_every_setting_stands_in_the_docs() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert settings_table() in page, "write it again: see docs/README.md"


@pytest.mark.parametrize("row", list(setting_rows()), ids=lambda row: f"{row.section}.{row.key}")
def test_every_setting_says_what_it_is_for(row: object) -> None:
    assert getattr(row, "note", "").endswith(".")


def test_what_is_printed_can_be_read_again(tmp_path: Path) -> None:
    file = tmp_path / "triage.toml"
    chosen = Settings(serving={"port": 9000}, train={"targets": ("category",)})
    file.write_text(settings_toml(chosen), encoding="utf-8")
    assert load_settings(file) == chosen
    assert "port = 9000" in file.read_text(encoding="utf-8").splitlines()
    assert '# host = "127.0.0.1"' in file.read_text(encoding="utf-8").splitlines()
