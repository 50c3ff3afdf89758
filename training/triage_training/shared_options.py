"""Options that several commands of training share, and what a --model means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triage_ml.settings import Settings
    from triage_ml.taxonomy import Taxonomy

__all__ = [
    "ModelOption",
    "TargetsOption",
    "TaxonomyOption",
    "TicketsArgument",
    "bundle_of",
    "read_settings",
    "seen_by",
    "target_names",
]

TicketsArgument = Annotated[Path, typer.Argument(help="Ticket table: what `triage import` or `triage simulate` wrote.")]
TargetsOption = Annotated[
    str | None, typer.Option("--targets", help="Labels to learn, with commas; by default those of [train] targets.")
]
TaxonomyOption = Annotated[
    Path | None, typer.Option("--taxonomy", help="taxonomy.toml; by default the one of [taxonomy] file.")
]
ModelOption = Annotated[
    str, typer.Option("--model", help="champion, challenger, a version number, or a folder with a bundle.")
]


def bundle_of(model: str, settings: Settings) -> Path:
    """The folder of a bundle, named by itself or by a version or alias in the registry."""
    if Path(model).is_dir():
        return Path(model)
    from triage_training.registry import Registry

    registry = Registry(settings)
    return registry.fetch(registry.find(model))


def read_settings(config: Path | None, taxonomy: Path | None) -> tuple[Settings, Taxonomy]:
    """The settings, and the taxonomy that is named here or in them."""
    from triage_ml.settings import load_settings
    from triage_ml.taxonomy import load_taxonomy

    settings = load_settings(config)
    return settings, load_taxonomy(taxonomy or settings.taxonomy.file)


def target_names(given: str | None) -> list[str] | None:
    """What `--targets` names; None where it is not given."""
    return [name.strip() for name in given.split(",") if name.strip()] if given else None


def seen_by(model: str, settings: Settings) -> list[str] | None:
    """Keys of the tickets that a model was trained on; None for a folder, or a version that did not log them."""
    if Path(model).is_dir():
        return None
    import tempfile

    import pandas as pd

    from triage_training.gate_evidence import SEEN
    from triage_training.registry import Registry

    registry = Registry(settings)
    with tempfile.TemporaryDirectory() as scratch:
        found = registry.file(registry.find(model), SEEN, Path(scratch))
        return None if found is None else pd.read_parquet(found)["ticket"].tolist()
