from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from asking import TICKET, wait_until
from fakes import FakeLoader, FakeRegistry
from fastapi.testclient import TestClient

from triage_ml.errors import BundleError, NoModelError, RegistryError
from triage_ml.settings import Settings
from triage_ml.store import Store
from triage_serving.app import create_app
from triage_serving.bundles import BundleFolder, Kept
from triage_serving.champion import Champion
from triage_serving.registry import Registered


class Reports(list[str]):
    """What the champion reported."""

    def __call__(self, result: str, _version: str | None) -> None:
        self.append(result)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def champion(registry: FakeRegistry, loader: FakeLoader, settings: Settings, reports: Reports) -> Champion:
    bundles = BundleFolder(settings.paths.bundles)
    return Champion(registry, bundles, lambda folder: loader(folder, settings), report=reports)


def version(champion: Champion) -> str | None:
    return champion.current.version if champion.current else None


def test_a_promotion_and_a_rollback_are_followed(champion: Champion, registry: FakeRegistry, reports: Reports) -> None:
    champion.poll()
    first = registry.promoted
    registry.register("2")
    champion.poll()
    assert version(champion) == "2"
    registry.promoted = first
    champion.poll()
    assert version(champion) == "1"
    assert registry.downloads == 2  # the rollback found its bundle here
    assert reports == ["loaded"] * 3


def test_what_training_measured_is_shown_also_while_mlflow_is_away(
    champion: Champion, registry: FakeRegistry, settings: Settings, loader: FakeLoader, reports: Reports
) -> None:
    champion.poll()
    assert champion.current is not None
    assert champion.current.measured == {"tier.accuracy": 0.9, "tier.ece": 0.01}
    registry.error = RegistryError("MLflow is away")
    bundles = BundleFolder(settings.paths.bundles)
    later = Champion(registry, bundles, lambda folder: loader(folder, settings), report=reports)
    later.start_from_disk()
    assert later.current is not None
    assert later.current.measured == champion.current.measured


def test_figures_that_cannot_be_read_keep_no_model_from_answering(
    champion: Champion, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_model: object) -> dict[str, float]:
        raise RegistryError("MLflow is away")

    monkeypatch.setattr(registry, "measured", away)
    champion.poll()
    assert version(champion) == "1"


def test_a_pointer_of_an_earlier_version_is_read(settings: Settings) -> None:
    settings.paths.bundles.mkdir(parents=True)
    (settings.paths.bundles / "champion.json").write_text('{"version": "1", "digest": "sha256:0a"}')
    assert BundleFolder(settings.paths.bundles).last() == Kept("1", "sha256:0a")


def test_the_same_version_is_not_loaded_again(champion: Champion, loader: FakeLoader) -> None:
    champion.poll()
    champion.poll()
    assert len(loader.loaded) == 1


def damage(path: Path) -> None:
    data = bytearray((path / "weights.npy").read_bytes())
    data[-1] ^= 1
    (path / "weights.npy").write_bytes(data)


def test_a_bundle_with_one_byte_changed_is_refused_and_the_old_model_answers_on(
    champion: Champion, registry: FakeRegistry, reports: Reports
) -> None:
    champion.poll()
    damage(registry.register("2"))
    champion.poll()
    champion.poll()
    assert version(champion) == "1"
    assert champion.refused is not None
    assert "the checksum differs from the manifest" in champion.refused.reason
    assert registry.downloads == 2  # not fetched again at every poll
    assert reports == ["loaded", "refused"]


def test_a_bundle_that_breaks_its_loader_is_refused(champion: Champion, registry: FakeRegistry) -> None:
    champion.poll()
    registry.register("2", breaks_on_load=True)
    champion.poll()
    assert version(champion) == "1"
    assert champion.refused is not None
    assert (champion.refused.version, champion.refused.reason) == ("2", "KeyError")


def test_a_bundle_that_is_not_the_registered_one_is_refused(champion: Champion, registry: FakeRegistry) -> None:
    path = registry.register("2")
    said = registry.promoted
    registry.register("3")
    path.joinpath("manifest.json").write_bytes((registry.folder / "3" / "manifest.json").read_bytes())
    registry.promoted = said
    champion.poll()
    assert champion.current is None
    assert champion.refused is not None
    assert "not the one that was registered" in champion.refused.reason


@pytest.mark.parametrize("error", [NoModelError("no alias"), RegistryError("MLflow is away")])
def test_a_registry_that_loses_the_champion_changes_nothing(
    champion: Champion, registry: FakeRegistry, error: Exception
) -> None:
    champion.poll()
    registry.error = error
    champion.poll()
    assert version(champion) == "1"


def test_the_last_good_bundle_answers_while_mlflow_does_not(
    champion: Champion, registry: FakeRegistry, settings: Settings, store: Store, loader: FakeLoader, new_key: object
) -> None:
    champion.poll()
    registry.hangs = Event()
    app = create_app(settings, store=store, registry=registry, load_answerer=loader)
    with TestClient(app, headers=new_key()) as client:  # type: ignore[operator]
        assert client.get("/readyz").json() == {"status": "ready"}
        assert client.post("/v1/score", json=TICKET).json()["model"]["version"] == "1"
        registry.hangs.set()


def test_a_damaged_bundle_on_disk_is_fetched_again(
    champion: Champion, registry: FakeRegistry, settings: Settings
) -> None:
    assert registry.promoted is not None
    assert registry.promoted.digest is not None
    champion.poll()
    bundles = BundleFolder(settings.paths.bundles)
    damage(bundles.path(registry.promoted.digest))
    bundles.fetch(registry, registry.promoted)
    assert registry.downloads == 2


def test_a_start_with_a_damaged_bundle_asks_the_registry_at_once(
    champion: Champion, registry: FakeRegistry, settings: Settings, loader: FakeLoader, reports: Reports
) -> None:
    champion.poll()
    assert champion.current is not None
    bundles = BundleFolder(settings.paths.bundles)
    (bundles.path(champion.current.digest) / "weights.npy").unlink()
    later = Champion(registry, bundles, lambda folder: loader(folder, settings), report=reports)
    later.start_from_disk()
    assert later.current is None
    later.poll()
    assert version(later) == "1"
    assert reports == ["loaded", "refused", "loaded"]


def test_two_workers_that_fetch_the_same_bundle_leave_the_first_one_in_place(
    registry: FakeRegistry, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker has it mapped already, or is about to read it."""
    bundles, other = BundleFolder(settings.paths.bundles), BundleFolder(settings.paths.bundles)
    model, download = registry.promoted, registry.download
    assert model is not None
    seen = []

    def slow(wanted: Registered, folder: Path) -> Path:
        arrived = download(wanted, folder)
        with monkeypatch.context() as patch:
            patch.setattr(registry, "download", download)
            path, _ = other.fetch(registry, model)
        seen.append(path.stat().st_ino)
        return arrived

    monkeypatch.setattr(registry, "download", slow)
    path, _ = bundles.fetch(registry, model)
    assert path.stat().st_ino == seen[0]


def test_a_pointer_that_cannot_be_read_counts_as_none(settings: Settings) -> None:
    bundles = BundleFolder(settings.paths.bundles)
    bundles.remember(Kept("1", "sha256:0a"))
    assert bundles.last() == Kept("1", "sha256:0a")
    (settings.paths.bundles / "champion.json").write_text('{"version": "1"}')
    assert bundles.last() is None


def test_nothing_half_fetched_is_left(registry: FakeRegistry, settings: Settings) -> None:
    damage(registry.register("2"))
    assert registry.promoted is not None
    with pytest.raises(BundleError, match="the checksum differs"):
        BundleFolder(settings.paths.bundles).fetch(registry, registry.promoted)
    assert list(settings.paths.bundles.iterdir()) == []


def test_a_promotion_reaches_requests_without_a_restart(client: TestClient, registry: FakeRegistry) -> None:
    registry.register("2")
    wait_until(lambda: client.post("/v1/score", json=TICKET).json()["model"]["version"] == "2")
    assert client.get("/v1/model").json()["champion"]["version"] == "2"


def test_without_a_champion_the_service_says_what_to_do(
    settings: Settings, store: Store, tmp_path: Path, loader: FakeLoader, new_key: object
) -> None:
    app = create_app(settings, store=store, registry=FakeRegistry(tmp_path / "empty"), load_answerer=loader)
    with TestClient(app, headers=new_key()) as client:  # type: ignore[operator]
        assert client.get("/livez").status_code == 200
        assert (client.get("/readyz").status_code, client.get("/readyz").json()["code"]) == (503, "no_champion")
        response = client.post("/v1/score", json=TICKET)
        assert (response.status_code, response.json()["code"]) == (503, "no_champion")
        assert "triage train" in response.json()["detail"]
        assert client.get("/v1/model").json() == {"champion": None, "challenger": None, "refused": None}
