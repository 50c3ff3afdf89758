"""Train, write the bundle, write the report, register: what `triage train` does.

Everything that can fail comes first; the version appears in the registry last, and gets its alias after that.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from triage_ml.answer import read_model, write_model
from triage_ml.bundle import CHALLENGER
from triage_ml.errors import BundleError, RegistryError
from triage_ml.evaluate import Check, Cost, LearningCurve, answer_all, answer_table
from triage_ml.files import atomic_file
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_training.gate_cost import measure_cost
from triage_training.gate_evidence import ANSWERS, SEEN, answers_file, are_unseen, read_evidence, seen_table
from triage_training.gate_job import judge_first
from triage_training.promotion import Champions, OvertakenError, open_champions, user_name
from triage_training.registry import Registry, Version
from triage_training.run_figures import run_metrics, run_params
from triage_training.run_files import run_files
from triage_training.train import Trained
from triage_training.trials import Trial

__all__ = ["Extras", "Registered", "check_ready", "register_model", "resume_alias"]

Step = Callable[[str], None]


@dataclass(frozen=True)
class Registered:
    """A model that is in the registry: its version, its bundle and its report on this machine.

    `checks` are those of the gate that the first version has to pass to become champion; empty for a later one. Its
    calibration can only be warned of (`triage_ml.evaluate.absolute_checks`).
    """

    version: Version
    bundle: Path
    report: Path
    cost: Cost
    checks: list[Check]


@dataclass(frozen=True)
class Extras:
    """What a training may log beside the model: learning curves, trials of a search, redacted examples, tags."""

    curves: Mapping[str, LearningCurve] = field(default_factory=dict)
    trials: Sequence[Trial] = ()
    with_examples: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


def check_ready(settings: Settings, registry: Registry, *, tell: Callable[[str], None] = lambda _: None) -> None:
    """Raise now, rather than after an hour of training, where MLflow or the store can't be used.

    `tell` is told what was found moved or gone in MLflow and put right.
    """
    registry.check()
    with open_champions(settings, registry, tell=tell) as champions:
        champions.current()


def register_model(
    trained: Trained,
    taxonomy: Taxonomy,
    settings: Settings,
    registry: Registry,
    *,
    extras: Extras | None = None,
    step: Step = lambda _: None,
) -> Registered:
    """Keep what `train` made: on disk, then in MLflow. The first version that passes becomes champion."""
    extras = extras or Extras()
    step("writing the bundle")
    bundle, digest = _write_bundle(trained, taxonomy, settings)
    cost = measure_cost(bundle, trained.test.texts, settings)
    logged = run_files(trained, digest, extras.curves, with_examples=extras.with_examples)
    report = settings.paths.reports / f"model-{digest[7:15]}.html"
    with atomic_file(report) as page:
        page.write_text(logged["report.html"], encoding="utf-8")
    with open_champions(settings, registry) as champions, tempfile.TemporaryDirectory() as scratch:
        champion = champions.current().champion
        step("asking the champion the same tickets" if champion else "logging to MLflow")
        evidence = _evidence(trained, champion, registry, Path(scratch))
        step("logging to MLflow")
        version = registry.register(
            bundle,
            digest,
            params=run_params(trained),
            metrics=run_metrics(trained, extras.curves)
            | {"cost.milliseconds": cost.milliseconds, "cost.megabytes": cost.megabytes},
            tags={"digest": digest, "data_sha256": trained.profile["sha256"], **extras.tags},
            files=evidence | logged,
            trials=extras.trials,
        )
        checks = _give_alias(version, trained.answers, cost, champions, registry, settings)
        return Registered(registry.find(str(version.number)), bundle, report, cost, checks)


def resume_alias(version: Version, settings: Settings, registry: Registry) -> Version:
    """Give a version the alias that its training had no time to give, unless a later one has been given one since."""
    with open_champions(settings, registry) as champions, tempfile.TemporaryDirectory() as scratch:
        reign = champions.current()
        challenger = registry.aliased(CHALLENGER)
        newest = max((one.number for one in (reign.champion, challenger) if one is not None), default=0)
        reigned = {row.version for row in champions.history()}
        if version.number > newest and str(version.number) not in reigned:
            evidence = read_evidence(version, registry, Path(scratch))
            if evidence is not None:
                _give_alias(version, *evidence, champions, registry, settings)
    return registry.find(str(version.number))


def _give_alias(
    version: Version, answers: pd.DataFrame, cost: Cost, champions: Champions, registry: Registry, settings: Settings
) -> list[Check]:
    """Champion, where there is none and the checks of a first version pass; else challenger."""
    reign = champions.current()
    if reign.champion is not None:
        registry.point(CHALLENGER, version)
        return []
    checks = judge_first(answers, cost, settings)
    if all(check.passed for check in checks):
        plain = [check.to_dict() for check in checks]
        try:
            champions.replace(reign, version, "first", who=user_name(), reason="the first version", checks=plain)
            return checks
        except OvertakenError:  # two first trainings at once: the other one is champion now
            checks = []
    registry.point(CHALLENGER, version)
    return checks


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
        SEEN: trained.seen,
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
    """The champion's answers to the test tickets that are new to it as well; None where its bundle can't be had any more.

    A training of hours is not thrown away for it; the gate then asks for tickets.
    """
    try:
        classifier = read_model(registry.fetch(champion)).classifier
    except (BundleError, RegistryError):
        return None
    test = trained.test
    answers = answer_table(test.keys, answer_all(classifier, test.texts), test.labels)
    seen = registry.file(champion, SEEN, scratch / "champion")
    asked = seen_table(test.keys, trained.split.fingerprints[trained.split.test])
    return answers[are_unseen(asked, None if seen is None else pd.read_parquet(seen))]
