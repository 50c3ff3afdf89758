"""One small desk, one trained model and one migrated MLflow file for all tests of training."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.settings import Settings
from triage_ml.simulate import Desk, simulate_desk
from triage_ml.taxonomy import Taxonomy, load_taxonomy
from triage_ml.tickets import read_tickets
from triage_training.registry import Registry
from triage_training.train import Trained, train

sys.path.insert(0, str(Path(__file__).parent))  # the fakes

TICKETS = 2500
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """MLflow calls SQLAlchemy in a way that is deprecated, and warns of its own type hints; neither is ours to fix."""
    theirs = ("ignore:.*noload.*:DeprecationWarning", "ignore:.*inferred as AnyType:UserWarning")
    for item in items:
        if item.path.is_relative_to(HERE):
            for warning in theirs:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return simulate_desk(tmp_path_factory.mktemp("desk") / "desk", tickets=TICKETS, weeks=12, seed=1)


@pytest.fixture(scope="session")
def desk_tickets(desk: Desk) -> pd.DataFrame:
    return read_tickets(desk.tickets_file)


@pytest.fixture(scope="session")
def taxonomy(desk: Desk) -> Taxonomy:
    return load_taxonomy(desk.taxonomy_file)


@pytest.fixture(scope="session")
def trained(desk_tickets: pd.DataFrame) -> Trained:
    """What `train` makes of the desk with all defaults."""
    return train(desk_tickets, Settings())


@pytest.fixture(scope="session")
def fresh_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow file with its tables and nothing in them: its migrations take seconds, so they run once."""
    home = tmp_path_factory.mktemp("mlflow")
    assert Registry(Settings(paths={"home": home})).versions() == []
    return home / "mlflow.db"


@pytest.fixture
def settings(tmp_path: Path, fresh_mlflow: Path) -> Settings:
    """A home of its own with an empty registry, and a gate that small models pass."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(fresh_mlflow, home / "mlflow.db")
    return Settings(paths={"home": home}, gate={"calibration_error": 0.2, "milliseconds": 10_000})


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return Registry(settings)
