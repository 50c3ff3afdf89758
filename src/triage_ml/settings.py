"""triage.toml and the environment -> frozen settings.

Every setting has a default that works, so no file is needed. A file that is there is read strictly: an unknown key is an
error that names the key it was probably meant to be. `TRIAGE_<SECTION>__<KEY>` in the environment wins over the file.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from triage_ml.errors import SettingsError

__all__ = ["Costs", "Decision", "Paths", "Settings", "load_settings"]

DEFAULT_FILE = Path("triage.toml")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paths(_Section):
    home: Path = Field(Path(".triage"), description="Folder of all state: store, MLflow file, bundles, reports.")

    @property
    def bundles(self) -> Path:
        """Model and pattern bundles that this machine has fetched or published."""
        return self.home / "bundles"

    @property
    def reports(self) -> Path:
        """Weekly lists and training reports."""
        return self.home / "reports"


class Store(_Section):
    url: str | None = Field(None, description="SQLAlchemy URL; by default SQLite at <home>/store.db.")
    text: Literal["redacted", "none"] = Field("redacted", description="What the store keeps of a scored ticket's text.")


class Mlflow(_Section):
    tracking_uri: str | None = Field(None, description="MLflow address; by default SQLite at <home>/mlflow.db.")
    experiment: str = Field("triage", description="Experiment that runs are logged to.")
    timeout_seconds: float = Field(
        10.0, gt=0, description="How long one call to MLflow may take before it counts as down."
    )


class Calendar(_Section):
    timezone: str = Field("UTC", description="A week starts on Monday 00:00 in this zone; naive dates are read in it.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone is called {name!r}; expected a name like Europe/Berlin") from None
        return name


class Taxonomy(_Section):
    file: Path | None = Field(None, description="taxonomy.toml: tiers, groups, aliases; by default the built-in tiers.")


class Train(_Section):
    targets: tuple[str, ...] = Field(("tier", "category"), min_length=1, description="Labels to learn.")
    calibration_share: float = Field(
        0.15, gt=0, lt=0.5, description="Share of the training tickets, the latest, to calibrate on."
    )
    test_share: float = Field(0.2, gt=0, lt=0.5, description="Share of all tickets, the latest, to evaluate on.")
    seed: int = Field(0, ge=0, description="Seed of everything random in training.")


class Costs(_Section):
    person: float = Field(1.0, gt=0, description="What asking a person costs; all costs share one unit.")
    wrong: float = Field(5.0, ge=0, description="What a wrong tier costs where `pairs` does not name it.")
    pairs: dict[str, dict[str, Annotated[float, Field(ge=0)]]] = Field(
        default_factory=dict, description="True tier -> answered tier -> what that costs."
    )


class Decision(_Section):
    precision: float = Field(0.90, gt=0, lt=1, description="Promised precision of what is decided `auto`.")
    routing: tuple[str, ...] = Field(
        ("tier", "category"), description="Targets whose most cautious action is the decision."
    )
    force_suggest: bool = Field(
        False, description="Answer `suggest` where the model would say `auto`: assisted support."
    )
    rules: Path | None = Field(None, description="TOML file of allow, block and keyword rules beside the model.")
    costs: Costs | None = Field(None, description="Decide the tier by what a wrong route costs, not by a precision.")


class Gate(_Section):
    macro_f1_loss: float = Field(
        0.005, ge=0, lt=1, description="How far below 0 the paired interval of macro-F1 against the champion may reach."
    )
    recall_loss: float = Field(0.05, ge=0, lt=1, description="Most recall that a class may lose against the champion.")
    recall_tickets: int = Field(50, ge=1, description="A class with fewer test tickets is not held to `recall_loss`.")
    calibration_error: float = Field(
        0.015,
        gt=0,
        lt=1,
        description="Always good enough; above it, what a perfectly calibrated model shows by chance.",
    )
    milliseconds: float = Field(25.0, gt=0, description="Budget of one answer in process, median.")
    megabytes: float = Field(500.0, gt=0, description="Budget of the bundle's size.")


class Patterns(_Section):
    encoder: str | None = Field(
        None, description="model2vec:FOLDER or sentence-transformers:FOLDER to join lexical vectors."
    )
    min_tickets: int = Field(10, ge=2, description="A pattern with fewer tickets is rare: counted, not listed.")


class Serving(_Section):
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Worker processes.")
    poll_seconds: float = Field(10.0, gt=0, description="How often to look for a new champion or pattern bundle.")
    max_waiting: int = Field(4000, ge=1000, description="Tickets that may wait for an answer; beyond it 503.")
    max_shadow: int = Field(
        1000,
        ge=1,
        description="Tickets that may wait for the challenger; the oldest beyond it are dropped and counted.",
    )
    max_connections: int = Field(1000, ge=1, description="Connections at a time a worker; beyond it 503.")
    requests_per_second: float | None = Field(
        None, gt=0, description="Requests a second that a key may send to each worker; by default without limit."
    )
    request_seconds: float = Field(30.0, gt=0, description="How long a ticket may wait for its answer; beyond it 503.")
    drain_seconds: float = Field(20.0, gt=0, description="How long a stopping service may finish what is in flight.")


class Settings(BaseSettings):
    """All settings; `load_settings` reads them."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="TRIAGE_", env_nested_delimiter="__")

    paths: Paths = Field(default_factory=Paths)
    store: Store = Field(default_factory=Store)
    mlflow: Mlflow = Field(default_factory=Mlflow)
    calendar: Calendar = Field(default_factory=Calendar)
    taxonomy: Taxonomy = Field(default_factory=Taxonomy)
    train: Train = Field(default_factory=Train)
    decision: Decision = Field(default_factory=Decision)
    gate: Gate = Field(default_factory=Gate)
    patterns: Patterns = Field(default_factory=Patterns)
    serving: Serving = Field(default_factory=Serving)

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store."""
        return self.store.url or f"sqlite:///{self.paths.home.resolve() / 'store.db'}"

    @property
    def tracking_uri(self) -> str:
        """Address of MLflow's tracking store and registry."""
        return self.mlflow.tracking_uri or f"sqlite:///{self.paths.home.resolve() / 'mlflow.db'}"

    @property
    def artifact_root(self) -> Path:
        """Where MLflow keeps artifacts when its store is the local file."""
        return self.paths.home.resolve() / "artifacts"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which arrives as init arguments."""
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> Settings:
    """Settings from `path`, else from `triage.toml` in the current folder, else the defaults.

    Raises
    ------
    SettingsError
        The file is missing (when named), is no TOML, or holds an unknown key or a wrong value.
    """
    named = path or (Path(os.environ["TRIAGE_CONFIG"]) if "TRIAGE_CONFIG" in os.environ else None)
    source = named or DEFAULT_FILE
    values: dict[str, Any] = {}
    if named is not None or source.is_file():
        values = _read_toml(source)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_explain(error, source)) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such settings file.") from None
    except OSError as error:
        raise SettingsError(f"{path}: can't be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}.") from None


def _explain(error: ValidationError, source: Path) -> str:
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"{source}: unknown key `{where}`{_closest(problem['loc'])}.")
        else:
            lines.append(f"{source} (or the environment): `{where}`: {problem['msg']}, found {problem['input']!r}.")
    return "\n".join(lines)


def _closest(location: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return ""
        model = field.annotation
    near = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
    return f"; did you mean `{near[0]}`" if near else f"; known are {', '.join(model.model_fields)}"
