"""What the README shows is what happens."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_prints_what_stands_below_it() -> None:
    code, printed = re.search(r"```python\n(.*?)```\s+```\n(.*?)```", README, re.DOTALL).groups()  # type: ignore[union-attr]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == printed


def test_the_headline_stands_in_the_results_of_its_experiment() -> None:
    headline = re.search(r"<!-- headline -->\n(.*?)\n<!-- /headline -->", README, re.DOTALL).group(1)  # type: ignore[union-attr]
    table = json.loads((ROOT / "experiments" / "0001-first-figures" / "results.json").read_text(encoding="utf-8"))[
        "table"
    ]
    figures = re.findall(r"\d+\.\d %", headline)
    assert len(figures) >= 3
    assert [figure for figure in figures if figure not in table] == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", README)) <= targets


@pytest.mark.parametrize("command", sorted(set(re.findall(r"\btriage ([a-z]+)\b", README)) - {"import"}))
def test_every_command_that_is_named_exists(command: str) -> None:
    line = [sys.executable, "-m", "triage_ml", command, "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_folder_and_link_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for folder in re.findall(r"^\| `([^`]+)/` \|", README, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder


def test_the_answer_has_the_shape_of_the_contract() -> None:
    shown = re.search(r"<!-- answer -->\n```json\n(.*?)\n```\n<!-- /answer -->", README, re.DOTALL).group(1)  # type: ignore[union-attr]
    answer = json.loads(shown)
    assert {"ticket_id", "prediction_id", "model", "decision", "targets", "pattern", "automation"} <= set(answer)
    assert {"value", "probability", "threshold", "action", "reason", "alternatives", "because"} <= set(
        answer["targets"]["tier"]
    )


def test_every_module_that_a_make_target_runs_exists() -> None:
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8")
    for module in set(re.findall(r"python -m ([a-z_.]+)", recipes)) - {"pip", "pytest", "venv"}:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
