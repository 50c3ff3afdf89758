"""What every results.json says about itself: command, commit, versions, time taken. What all experiments share."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import time
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["Run"]

_PACKAGES = ("triage-ml", "scikit-learn", "numpy", "scipy", "pandas")


class Run:
    """One run of an experiment: its arguments, its config, and where its results go.

    `options` adds arguments of its own. `config` is the experiment's config.toml; with `--smoke` the keys of its `[smoke]`
    table replace the others.
    """

    def __init__(
        self,
        file: str,
        description: str | None,
        options: Callable[[argparse.ArgumentParser], None] = lambda _: None,
    ) -> None:
        self.folder = Path(file).parent
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--smoke", action="store_true", help="a small run, in seconds, that writes no results")
        parser.add_argument("--data-dir", type=Path, default=os.environ.get("TRIAGE_DATA_DIR", "../shared/data"))
        options(parser)
        arguments = self.arguments = parser.parse_args()
        self.smoke: bool = arguments.smoke
        self.data = Path(arguments.data_dir)
        config = tomllib.loads((self.folder / "config.toml").read_text(encoding="utf-8"))
        small = config.pop("smoke", {})
        self.config: dict[str, Any] = config | (small if self.smoke else {})
        self._begun = time.monotonic()

    def write(self, results: dict[str, Any], table: str, *, keep: bool = True) -> None:
        """Print the results; where they are to be kept (not with `--smoke`) put them beside the experiment, and `table`
        (Markdown) in its README.

        The table goes between the marks `<!-- results -->` and `<!-- /results -->`.
        """
        document = {
            "command": f"python -m experiments run {self.folder.name[:4]}",
            "commit": self._commit(),
            "when": datetime.now(UTC).date().isoformat(),
            "seconds": round(time.monotonic() - self._begun),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "versions": {name: version(name) for name in _PACKAGES},
            "config": self.config,
            "results": results,
            "table": table,
        }
        text = json.dumps(document, indent=1, sort_keys=True)
        print(text, table, sep="\n\n")
        if keep and not self.smoke:
            (self.folder / "results.json").write_text(text + "\n", encoding="utf-8")
            page = self.folder / "README.md"
            block = f"<!-- results -->\n{table}\n<!-- /results -->"
            marked = re.compile(r"(?s)<!-- results -->.*<!-- /results -->")
            page.write_text(marked.sub(lambda _: block, page.read_text(encoding="utf-8")), encoding="utf-8")

    def _commit(self) -> str:
        line = ["git", "-C", str(self.folder), "rev-parse", "HEAD"]
        return subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
