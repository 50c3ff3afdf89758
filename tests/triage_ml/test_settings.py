"""triage.toml and the environment: defaults that work, strict reading, errors that name the key."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from triage_ml.errors import SettingsError
from triage_ml.settings import Calendar, Settings, load_settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIAGE_CONFIG", raising=False)
    return tmp_path


def refused(text: str) -> str:
    Path("triage.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"^triage\.toml") as caught:
        load_settings()
    return str(caught.value)


def test_no_file_is_needed(here: Path) -> None:
    settings = load_settings()
    assert settings.train.targets == ("tier", "category")
    assert settings.store_url == f"sqlite:///{here}/.triage/store.db"
    assert settings.tracking_uri == f"sqlite:///{here}/.triage/mlflow.db"


def test_the_file_in_this_folder_is_read() -> None:
    Path("triage.toml").write_text('[paths]\nhome = "state"\n[serving]\nport = 9000\n')
    settings = load_settings()
    assert settings.serving.port == 9000
    assert settings.paths.bundles == Path("state/bundles")


def test_a_named_file_wins_over_the_one_here(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("triage.toml").write_text("[serving]\nport = 9000\n")
    Path("other.toml").write_text("[serving]\nport = 9001\n")
    assert load_settings(Path("other.toml")).serving.port == 9001
    monkeypatch.setenv("TRIAGE_CONFIG", "other.toml")
    assert load_settings().serving.port == 9001


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("triage.toml").write_text('[serving]\nport = 9000\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("TRIAGE_SERVING__PORT", "9002")
    settings = load_settings()
    assert (settings.serving.port, settings.serving.host) == (9002, "0.0.0.0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[serving]\nprot = 1\n", "triage.toml: unknown key `serving.prot`; did you mean `port`."),
        ("[servign]\nport = 1\n", "triage.toml: unknown key `servign`; did you mean `serving`."),
        (
            "[mlflow]\nzzz = 1\n",
            "triage.toml: unknown key `mlflow.zzz`; known are tracking_uri, experiment, timeout_seconds.",
        ),
        (
            '[calendar]\ntimezone = "Mars"\n',
            "triage.toml (or the environment): `calendar.timezone`: Value error, no time zone is called 'Mars'; expected a name "
            "like Europe/Berlin, found 'Mars'.",
        ),
        (
            "[serving]\nport = 70000\n",
            "triage.toml (or the environment): `serving.port`: Input should be less than or equal to 65535, found 70000.",
        ),
    ],
    ids=["misspelt key", "misspelt section", "nothing near", "no zone", "no port"],
)
def test_a_wrong_file_is_refused(text: str, message: str) -> None:
    assert refused(text) == message


def test_every_problem_is_told_at_once() -> None:
    assert refused("[serving]\nprot = 1\nport = -1\n").count("\n") == 1


def test_no_toml() -> None:
    assert re.match(r"triage\.toml: not valid TOML: .+", refused("port = \n"))
    Path("triage.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"^triage\.toml: not valid TOML: "):
        load_settings()


def test_a_named_file_that_is_missing() -> None:
    with pytest.raises(SettingsError, match=r"^no\.toml: no such settings file\.$"):
        load_settings(Path("no.toml"))


def test_a_folder_instead_of_a_file(here: Path) -> None:
    with pytest.raises(SettingsError, match=r"can't be read \(Is a directory\)\.$"):
        load_settings(here)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().serving.port = 1


def test_every_setting_says_what_it_is_for() -> None:
    sections = [field.annotation for field in Settings.model_fields.values()]
    assert all(isinstance(section, type) and issubclass(section, BaseModel) for section in sections)
    bare = [
        f"{section.__name__}.{name}"
        for section in sections
        for name, field in section.model_fields.items()
        if not field.description
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", "2026-11-22"), ("Pacific/Kiritimati", "2026-11-23"), ("Pacific/Pago_Pago", "2026-11-22")]
)
def test_it_is_the_day_of_the_calendars_zone(zone: str, day: str) -> None:
    sunday_noon = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert Calendar(timezone=zone).today(sunday_noon).isoformat() == day
