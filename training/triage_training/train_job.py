"""Train, write the bundle, write the report, register: what `triage train` does.

Everything that can fail comes first; the version appears in the registry last, and gets its alias after that.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from triage_ml.answer import read_model, write_model
from triage_ml.bundle import CHALLENGER
from triage_ml.errors import TriageError
from triage_ml.evaluate import Check, Cost, answer_all, answer_table
from triage_ml.files import atomic_file
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_training.gate_job import ANSWERS, SEEN, answers_file, judge_first, measure_cost, tickets_for
from triage_training.model_card import model_card
from triage_training.model_report import render_report
from triage_training.promotion import open_champions, user_name
from triage_training.registry import Registry, Version
from triage_training.train import Trained

__all__ = ["Registered", "check_ready", "register_model"]

Step = Callable[[str], None]


@dataclass(frozen=True)
class Registered:
    """A model that is in the registry: its version, its bundle and its report on this machine.

    `checks` are those of the gate that the first version has to pass to become champion; empty for a later one.
    """

    version: Version
    bundle: Path
    report: Path
    cost: Cost
    checks: list[Check]


def check_ready(settings: Settings, registry: Registry) -> None:
    """Raise now, rather than after an hour of training, where MLflow or the store can't be used."""
    registry.check()
    with open_champions(settings, registry) as champions:
        champions.current()


def register_model(
    trained: Trained, taxonomy: Taxonomy, settings: Settings, registry: Registry, *, step: Step = lambda _: None
) -> Registered:
    """Keep what `train` made: on disk, then in MLflow. The first version that passes becomes champion."""
    step("writing the bundle")
    bundle, digest = _write_bundle(trained, taxonomy, settings)
    cost = measure_cost(bundle, trained.test.texts, settings)
    html = render_report(trained, digest)
    report = settings.paths.reports / f"model-{digest[7:15]}.html"
    with atomic_file(report) as page:
        page.write_text(html, encoding="utf-8")
    with open_champions(settings, registry) as champions, tempfile.TemporaryDirectory() as scratch:
        champion = champions.current().champion
        step("asking the champion the same tickets" if champion else "logging to MLflow")
        evidence = _evidence(trained, champion, registry, Path(scratch))
        step("logging to MLflow")
        version = registry.register(
            bundle,
            digest,
            params=_params(trained),
            metrics=_metrics(trained) | {"cost.milliseconds": cost.milliseconds, "cost.megabytes": cost.megabytes},
            tags={"digest": digest, "data_sha256": trained.profile["sha256"]},
            files=evidence
            | {
                "report.html": html,
                "profile.json": json.dumps(trained.profile, indent=1),
                "model_card.md": model_card(trained, digest),
            },
        )
        reign = champions.current()
        if reign.champion is not None:
            registry.point(CHALLENGER, version)
            return Registered(registry.find(str(version.number)), bundle, report, cost, [])
        checks = judge_first(trained.answers, cost, settings)
        if all(check.passed for check in checks):
            plain = [check.to_dict() for check in checks]
            champions.replace(reign, version, "first", who=user_name(), reason="the first version", checks=plain)
        else:
            registry.point(CHALLENGER, version)
        return Registered(registry.find(str(version.number)), bundle, report, cost, checks)


def _write_bundle(trained: Trained, taxonomy: Taxonomy, settings: Settings) -> tuple[Path, str]:
    """Written under a name of its own first: two trainings at once must not meet."""
    folder = settings.paths.bundles
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=folder) as scratch:
        draft = Path(scratch) / "bundle"
        digest = write_model(draft, trained.classifier, taxonomy)
        bundle = folder / digest.removeprefix("sha256:")
        if not bundle.exists():
            try:
                draft.rename(bundle)
            except OSError:
                if not bundle.is_dir():  # another training put the same bytes there
                    raise
    return bundle, digest


def _evidence(trained: Trained, champion: Version | None, registry: Registry, scratch: Path) -> dict[str, Path | str]:
    """Files for the gate: answers of both models (ids and probabilities, no text), and which tickets were trained on."""
    files = {
        ANSWERS: trained.answers,
        SEEN: pd.DataFrame({"ticket": trained.seen}),
    }
    if champion is not None:
        answers = _champion_answers(trained, champion, registry, scratch)
        if answers is not None:
            files[answers_file(champion)] = answers
    for name, table in files.items():
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path, index=False)
    return {name: scratch / name for name in files}


def _champion_answers(trained: Trained, champion: Version, registry: Registry, scratch: Path) -> pd.DataFrame | None:
    """The champion's answers to the test tickets that it was not trained on; None where its bundle can't be read any more."""
    try:
        classifier = read_model(registry.fetch(champion)).classifier
    except TriageError:
        return None
    test = trained.test
    answers = answer_table(test.keys, answer_all(classifier, test.texts), test.labels)
    seen = registry.file(champion, SEEN, scratch / "champion")
    return answers if seen is None else tickets_for(answers, pd.read_parquet(seen)["ticket"].tolist())


def _params(trained: Trained) -> dict[str, Any]:
    model = {name: value for name, value in trained.classifier.get_params(deep=False).items() if name != "features"}
    features = {f"features.{name}": value for name, value in trained.classifier.features_.get_params().items()}
    split = trained.split
    parts = {"split": split.how, "fit": len(split.fit), "calibration": len(split.calibration), "test": len(split.test)}
    return {**model, **features, **parts, "targets": list(trained.classifier.classes_)}


def _metrics(trained: Trained) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name, figures in trained.evaluation.targets.items():
        metrics[f"{name}.ece"] = figures.ece
        for what, interval in (("accuracy", figures.accuracy), ("macro_f1", figures.macro_f1)):
            metrics |= {
                f"{name}.{what}": interval.value,
                f"{name}.{what}.low": interval.low,
                f"{name}.{what}.high": interval.high,
            }
        for promise, row in figures.coverage.items():
            metrics[f"{name}.coverage_at_{promise}"] = row.coverage
            if row.precision is not None:
                metrics[f"{name}.precision_at_{promise}"] = row.precision
        for each in figures.classes:
            metrics |= {
                f"{name}.class.{each.label}.precision": each.precision,
                f"{name}.class.{each.label}.recall": each.recall,
                f"{name}.class.{each.label}.f1": each.f1,
            }
    return metrics
