"""The loop is closed: a decision reaches scoring with a poll, and leaves it with the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from asking import comes_true, wait_until
from fakes import FakeAnswerer, FakeLoader, FakeRegistry
from fastapi.testclient import TestClient

from triage_ml.answer import Recogniser, publish_recogniser
from triage_ml.errors import BundleError, StoreError
from triage_ml.settings import Settings
from triage_ml.store import PatternDecision, Store, add_decision, use_book
from triage_serving.app import create_app
from triage_serving.automations import Automations
from triage_serving.bundles import BundleFolder, Kept
from triage_serving.champion import Champion

NOW = datetime.now(UTC)


class Answering:
    """An answerer that remembers what it was dressed with."""

    def __init__(self, automations: Any = None, recogniser: Any = None) -> None:
        self.automations = automations
        self.recogniser = recogniser

    def with_patterns(self, patterns: Any, automations: Any = None, recogniser: Any = None) -> Answering:
        return Answering(dict(automations or {}), recogniser)


class Holder:
    """The part of a champion that automations work on."""

    def __init__(self) -> None:
        self.answerer: Any = Answering()

    def change(self, change: Any) -> None:
        self.answerer = change(self.answerer)


@pytest.fixture
def followed(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Automations:
    monkeypatch.setattr("triage_serving.automations.load_book", lambda bundles, digest: ["a pattern"])
    with store.begin() as connection:
        use_book(connection, "sha256:a", now=NOW)
    return Automations(store, tmp_path)


def decide(store: Store, revision: int, action: Any, **details: str) -> None:
    with store.begin() as connection:
        assert add_decision(connection, PatternDecision("p1", revision, action, NOW, "ana", details))


def test_an_automation_is_answered_after_the_next_poll_and_taken_back_by_undo(
    store: Store, followed: Automations
) -> None:
    champion: Any = Holder()
    decide(store, 1, "automated", reference="RB-1", mode="auto", since=NOW.date().isoformat())
    followed.poll(champion)
    assert champion.answerer.automations == {"p1": {"candidate": "p1", "reference": "RB-1", "mode": "auto"}}

    decide(store, 2, "undo")
    followed.poll(champion)
    assert champion.answerer.automations == {}


def test_a_model_that_comes_later_has_what_is_in_force(store: Store, followed: Automations) -> None:
    decide(store, 1, "automated", reference="RB-1", mode="suggest")
    followed.poll(Holder())  # type: ignore[arg-type]
    dressed: Any = followed.dress(Answering())  # type: ignore[arg-type]
    assert dressed.automations["p1"]["mode"] == "suggest"


def learn(bundles: Path, week: str) -> Path:
    words = [f"password expired {number % 40}" for number in range(80)] + [f"printer jam {n % 40}" for n in range(80)]
    found = Recogniser.learn(words, ["p1"] * 80 + [None] * 80)
    assert found is not None
    return publish_recogniser(found, bundles, week)


def test_what_recognises_tickets_comes_with_the_automation_and_is_followed(
    store: Store, followed: Automations, tmp_path: Path
) -> None:
    champion: Any = Holder()
    learn(tmp_path, "2026-W46")
    followed.poll(champion)
    assert champion.answerer.recogniser is None, "nothing is in force"

    decide(store, 1, "automated", reference="RB-1", mode="auto")
    followed.poll(champion)
    first = champion.answerer.recogniser
    assert first.patterns == ("p1",)

    learn(tmp_path, "2026-W47")
    followed.poll(champion)
    assert champion.answerer.recogniser is not first

    decide(store, 2, "undo")
    followed.poll(champion)
    assert champion.answerer.recogniser is None


def test_a_damaged_recogniser_leaves_the_one_before_in_force(
    store: Store, followed: Automations, tmp_path: Path
) -> None:
    champion: Any = Holder()
    learn(tmp_path, "2026-W46")
    decide(store, 1, "automated", reference="RB-1", mode="auto")
    followed.poll(champion)
    first = champion.answerer.recogniser

    (learn(tmp_path, "2026-W47") / "weights.npy").write_bytes(b"damaged")
    decide(store, 2, "automated", reference="RB-2", mode="auto")
    followed.poll(champion)
    assert champion.answerer.recogniser is first
    assert champion.answerer.automations["p1"]["reference"] == "RB-2"


def test_without_patterns_the_answerer_stays_as_it_is(store: Store, tmp_path: Path) -> None:
    followed, plain = Automations(store, tmp_path), Answering()
    followed.poll(Holder())  # type: ignore[arg-type]
    assert followed.dress(plain) is plain  # type: ignore[arg-type]


def test_a_store_that_is_away_leaves_automations_in_force(
    store: Store, followed: Automations, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion: Any = Holder()
    decide(store, 1, "automated", reference="RB-1", mode="auto")
    followed.poll(champion)

    def away(*_: object) -> None:
        raise StoreError("the store is away")

    monkeypatch.setattr("triage_serving.automations.latest_book", away)
    followed.poll(champion)
    assert set(champion.answerer.automations) == {"p1"}


def test_the_first_answer_after_a_start_heeds_what_is_in_force(
    settings: Settings, store: Store, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundles = BundleFolder(settings.paths.bundles)
    assert registry.promoted is not None
    _, digest = bundles.fetch(registry, registry.promoted)
    bundles.remember(Kept("1", digest))
    monkeypatch.setattr("triage_serving.automations.load_book", lambda bundles, digest: ["a pattern"])
    dressed = []
    monkeypatch.setattr(FakeAnswerer, "with_patterns", lambda self, *_: dressed.append(self) or self, raising=False)
    monkeypatch.setattr("triage_serving.periodic.Periodic._run", lambda _self: None)
    with store.begin() as connection:
        use_book(connection, "sha256:a", now=NOW)
    decide(store, 1, "automated", reference="RB-1", mode="auto")
    app = create_app(settings, store=store, registry=registry, load_answerer=FakeLoader())
    with TestClient(app):
        assert set(dressed) == {app.state.services.champion.current.answerer}


def test_an_undo_counts_also_while_the_newest_patterns_cannot_be_read(
    store: Store, followed: Automations, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion: Any = Holder()
    decide(store, 1, "automated", reference="RB-1", mode="auto")
    followed.poll(champion)
    asked = []

    def broken(_bundles: Path, digest: str) -> list[str]:
        asked.append(digest)
        raise BundleError("half of it is missing")

    with monkeypatch.context() as patch:
        patch.setattr("triage_serving.automations.load_book", broken)
        with store.begin() as connection:
            use_book(connection, "sha256:b", now=NOW + timedelta(minutes=1))
        decide(store, 2, "undo")
        followed.poll(champion)
        assert champion.answerer.automations == {}
        followed.poll(champion)
        assert asked == ["sha256:b", "sha256:b"], "a bundle that may come later is tried again"
    followed.poll(Holder())  # type: ignore[arg-type]
    assert followed._now.digest == "sha256:b"


def test_a_pattern_bundle_that_breaks_its_reader_keeps_no_promotion_from_being_seen(
    client: TestClient, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def broken(_connection: object) -> None:
        asked.append(1)
        raise KeyError("a bundle of another version")

    monkeypatch.setattr("triage_serving.automations.latest_book", broken)
    wait_until(lambda: len(asked) > 1)
    registry.register("2")
    assert comes_true(lambda: version(client) == "2")


def version(client: TestClient) -> str:
    return str(client.get("/v1/model").json()["champion"]["version"])


def test_a_store_that_hangs_keeps_no_promotion_from_being_seen(
    client: TestClient, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, asked = Event(), Event()

    def hangs(_connection: object) -> None:
        asked.set()
        go.wait(120)

    monkeypatch.setattr("triage_serving.automations.latest_book", hangs)
    assert asked.wait(60)
    try:
        registry.register("2")
        assert comes_true(lambda: version(client) == "2")
    finally:
        go.set()


def test_a_registry_that_hangs_keeps_no_undo_from_being_heeded(
    client: TestClient, store: Store, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage_serving.automations.load_book", lambda bundles, digest: ["a pattern"])
    monkeypatch.setattr(
        FakeAnswerer, "with_patterns", lambda self, _patterns, given, _learnt: Dressed(self, given), raising=False
    )
    monkeypatch.setattr(registry, "hangs", Event())
    with store.begin() as connection:
        use_book(connection, "sha256:a", now=NOW)
    champion = client.app.state.services.champion  # type: ignore[attr-defined]
    try:
        for revision, action, in_force in ((1, "automated", {"p1"}), (2, "undo", set())):
            decide(store, revision, action, reference="RB-1", mode="auto")
            assert comes_true(
                lambda expected=in_force: getattr(champion.current.answerer, "automations", None) == expected
            )
    finally:
        registry.hangs.set()  # type: ignore[attr-defined]


class Dressed:
    """A fake answerer that knows what is in force."""

    def __init__(self, answerer: FakeAnswerer, automations: Any) -> None:
        self.plain, self.automations = answerer, set(automations)

    def answer(self, *given: Any, **more: Any) -> Any:
        return self.plain.answer(*given, **more)

    def with_patterns(self, _patterns: Any, automations: Any, _recogniser: Any) -> Dressed:
        return Dressed(self.plain, automations)


def test_a_model_that_was_loading_while_automations_changed_comes_with_the_new_ones(
    store: Store, followed: Automations, registry: FakeRegistry, loader: FakeLoader, settings: Settings
) -> None:
    """The change comes in between: after the new model was asked its probe, before it takes over."""
    decide(store, 1, "automated", reference="RB-1", mode="auto")
    dressed: list[Any] = []

    def dress(_answerer: Any) -> Any:
        dressed.append(followed.dress(Answering()))
        return Asked(dressed[-1])

    class Asked:
        def __init__(self, answering: Answering) -> None:
            self.automations = answering.automations

        def answer(self, _tickets: Any) -> None:
            followed.poll(champion)

    champion = Champion(
        registry,
        BundleFolder(settings.paths.bundles),
        lambda folder: loader(folder, settings),
        report=lambda *_: None,
        dress=dress,
    )
    champion.poll()
    assert champion.current is not None
    assert not dressed[0].automations
    assert set(champion.current.answerer.automations) == {"p1"}  # type: ignore[attr-defined]
