"""The settings as a person reads them: on the terminal, and as the table in docs/settings.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from triage_ml.settings import Settings

__all__ = ["SettingRow", "json_text", "setting_rows", "settings_table", "settings_toml"]


@dataclass(frozen=True)
class SettingRow:
    """One setting: its section and key, its default, and what it is for."""

    section: str
    key: str
    default: Any
    note: str


def setting_rows() -> Iterator[SettingRow]:
    """All settings, in the order of their sections."""
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for key, inner in model.model_fields.items():
                yield SettingRow(section, key, inner.get_default(call_default_factory=True), inner.description or "")


def settings_toml(settings: Settings) -> str:
    """All settings as TOML; a value that is the default stands in a comment, so the file says what was chosen."""
    lines: list[str] = []
    section = ""
    for row in setting_rows():
        if row.section != section:
            section = row.section
            lines += ["", f"[{section}]"]
        value = getattr(getattr(settings, row.section), row.key)
        default = "" if row.default is None else row.default
        lines += [
            f"# {row.note}",
            f"# {row.key} = {_toml(default)}" if value == row.default else f"{row.key} = {_toml(value)}",
        ]
    return "\n".join(lines).lstrip()


def settings_table() -> str:
    """The table of docs/settings.md."""
    rows = ["| key | default | what it is for |", "|---|---|---|"]
    for row in setting_rows():
        default = "" if row.default is None else f"`{_toml(row.default)}`"
        rows.append(f"| `[{row.section}] {row.key}` | {default} | {row.note} |")
    return "\n".join(rows)


def json_text(document: Any) -> str:
    """Indented JSON."""
    return json.dumps(document, indent=2)


def _toml(value: Any) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value if isinstance(value, bool | int | float) else str(value))


def write_table(page: Path) -> None:
    """Put the table between the marks of docs/settings.md."""
    text = page.read_text(encoding="utf-8")
    block = f"<!-- settings -->\n{settings_table()}\n<!-- /settings -->"
    page.write_text(re.sub(r"(?s)<!-- settings -->.*<!-- /settings -->", lambda _: block, text), encoding="utf-8")


if __name__ == "__main__":
    write_table(Path("docs/settings.md"))
