"""Run experiments, list them, write their index: `python -m experiments --help`."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent


def folders() -> list[Path]:
    """The experiments, in order of their numbers."""
    return sorted(path for path in ROOT.iterdir() if re.match(r"\d{4}-", path.name) and (path / "run.py").exists())


def question(folder: Path) -> str:
    """The first heading of its README."""
    return (folder / "README.md").read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def index_table() -> str:
    """The index as Markdown."""
    rows = ["| | question | ran on commit |", "|---|---|---|"]
    for folder in folders():
        results = folder / "results.json"
        commit = json.loads(results.read_text(encoding="utf-8"))["commit"][:10] if results.exists() else "not yet"
        rows.append(f"| [{folder.name[:4]}]({folder.name}/README.md) | {question(folder)} | {commit} |")
    return "\n".join(rows)


def write_index() -> None:
    """Put the table between the marks of README.md."""
    page = ROOT / "README.md"
    text = page.read_text(encoding="utf-8")
    fresh = re.sub(r"(?s)<!-- index -->.*<!-- /index -->", f"<!-- index -->\n{index_table()}\n<!-- /index -->", text)
    page.write_text(fresh, encoding="utf-8")


def run(which: str, rest: list[str]) -> int:
    """Run those whose name begins with `which`; the worst exit code."""
    chosen = [folder for folder in folders() if which == "all" or folder.name.startswith(which)]
    if not chosen:
        sys.exit(f"no experiment begins with {which!r}; see: python -m experiments list")
    return max(
        subprocess.run([sys.executable, str(folder / "run.py"), *rest], check=False).returncode for folder in chosen
    )


def main() -> None:
    """Parse the words and do it."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("task", choices=["list", "run", "index"])
    parser.add_argument("which", nargs="?", default="all", help="number of an experiment, or all")
    arguments, rest = parser.parse_known_args()
    if arguments.task == "list":
        print("\n".join(f"{folder.name[:4]}  {question(folder)}" for folder in folders()))
    elif arguments.task == "index":
        write_index()
    else:
        sys.exit(run(arguments.which, rest))


if __name__ == "__main__":
    main()
