"""Stand-ins for what the service works with: a model, a registry, and real bundle folders."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from triage_ml.bundle import Bundle, read_bundle, write_bundle
from triage_ml.errors import NoModelError
from triage_ml.settings import Settings
from triage_serving.registry import Registered, Role


class FakeAnswerer:
    """Answers L1 for everything, after `seconds`; a title with "poison" breaks it."""

    targets = ("tier", "category")

    def __init__(self, bundle: Bundle, seconds: float = 0.0) -> None:
        if bundle.contents.get("breaks_on_load"):
            raise KeyError("a loader that does not know this bundle")
        self.digest = bundle.digest
        self.seconds = seconds
        self.broken = False
        self.batches: list[int] = []

    def answer(self, tickets: Sequence[Mapping[str, Any]], *, include_all: bool = False) -> list[dict[str, Any]]:
        self.batches.append(len(tickets))
        if self.broken or any("poison" in ticket.get("title", "") for ticket in tickets):
            raise ArithmeticError("secret ticket text in the words of an error")
        time.sleep(self.seconds)
        return [self._answer(ticket, include_all) for ticket in tickets]

    def _answer(self, ticket: Mapping[str, Any], include_all: bool) -> dict[str, Any]:
        others = [("L2", 0.04), ("L3", 0.02)] if include_all else [("L2", 0.04)]
        target = {
            "value": "L1",
            "probability": 0.94,
            "threshold": 0.81,
            "action": "auto",
            "reason": "confident",
            "alternatives": [{"value": value, "probability": probability} for value, probability in others],
            "because": [{"term": "password", "weight": 1.31}],
        }
        return {
            "ticket_id": ticket["ticket_id"],
            "decision": {"action": "auto", "reason": "confident"},
            "targets": {"tier": target},
            "pattern": None,
            "automation": None,
        }


class FakeLoader:
    """Loads fake answerers from real bundles, and remembers them."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.loaded: list[FakeAnswerer] = []

    def __call__(self, folder: Path, _settings: Settings) -> FakeAnswerer:
        answerer = FakeAnswerer(read_bundle(folder, "model"), self.seconds)
        self.loaded.append(answerer)
        return answerer


class FakeRegistry:
    """Versions in memory, their bundles in a folder. `error` is raised instead of an answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.promoted: Registered | None = None
        self.challenger: Registered | None = None
        self.error: Exception | None = None
        self.hangs: threading.Event | None = None
        self.downloads = 0

    def register(self, version: str, *, role: Role = "champion", **contents: Any) -> Path:
        """Write a bundle for `version`, make it champion (or challenger), return its folder."""
        path = self.folder / version
        digest = write_bundle(path, "model", {"version": version, **contents}, {"weights": np.arange(8.0)})
        registered = Registered(version, f"run-{version}", digest)
        if role == "champion":
            self.promoted = registered
        else:
            self.challenger = registered
        return path

    def find(self, role: Role) -> Registered:
        if self.hangs is not None:
            self.hangs.wait(30)
        if self.error is not None:
            raise self.error
        found = self.promoted if role == "champion" else self.challenger
        if found is None:
            raise NoModelError("Nothing is registered yet.")
        return found

    def measured(self, model: Registered) -> Mapping[str, float]:
        if self.error is not None:
            raise self.error
        return {"tier.accuracy": 0.9, "tier.ece": 0.01}

    def download(self, model: Registered, folder: Path) -> Path:
        self.downloads += 1
        target = folder / "bundle"
        target.mkdir()
        for file in (self.folder / model.version).iterdir():
            (target / file.name).write_bytes(file.read_bytes())
        return target
