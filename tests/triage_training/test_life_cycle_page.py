"""docs/life-cycle.md names commands, options and methods that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from triage_training.commands import app
from triage_training.notebook import Triage

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "life-cycle.md").read_text(encoding="utf-8")
LINES = re.findall(r"`triage ([a-z-]+)((?: [^`]*)?)`", PAGE)


@pytest.mark.parametrize(("command", "rest"), LINES, ids=[f"{name}{rest}" for name, rest in LINES])
def test_a_command_has_the_options_that_are_named(command: str, rest: str) -> None:
    group = typer.main.get_command(app)
    found = group.commands[command]  # type: ignore[attr-defined]
    options = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(re.findall(r"--[a-z-]+", rest)) <= options


def test_the_python_example_calls_what_there_is() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL).group(1)  # type: ignore[union-attr]
    compile(code, "life-cycle.md", "exec")
    called = re.findall(r"\btriage\.(\w+)\(", code)
    assert len(called) >= 6
    assert all(callable(getattr(Triage, name)) for name in called)


def test_every_link_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
