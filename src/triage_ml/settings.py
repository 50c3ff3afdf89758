"""triage.toml and the environment -> frozen settings.

Every setting has a default that works, so no file is needed. A file that is there is read strictly: an unknown key is an
error that names the key it was probably meant to be. `TRIAGE_<SECTION>__<KEY>` in the environment wins over the file.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from datetime import UTC, date, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from triage_ml.errors import SettingsError

__all__ = ["Calendar", "Costs", "Decision", "Paths", "Serving", "Settings", "load_settings"]

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
    def embeddings(self) -> Path:
        """What an encoder made of texts, kept for the next training: hashes and vectors, no text."""
        return self.home / "embeddings"

    @property
    def reports(self) -> Path:
        """Weekly lists and training reports."""
        return self.home / "reports"


class Store(_Section):
    url: str | None = Field(None, description="SQLAlchemy URL; by default SQLite at <home>/store.db.")
    text: Literal["redacted", "none"] = Field("redacted", description="What the store keeps of a scored ticket's text.")
    keep_days: int | None = Field(
        None, ge=1, description="Days after which a running service forgets predictions and outcomes; by default never."
    )


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

    def today(self, now: datetime | None = None) -> date:
        """The day that it is in this zone: on it a decision counts, as its week does."""
        return (now or datetime.now(UTC)).astimezone(ZoneInfo(self.timezone)).date()


class Taxonomy(_Section):
    file: Path | None = Field(None, description="taxonomy.toml: tiers, groups, aliases; by default the built-in tiers.")


class Train(_Section):
    targets: tuple[str, ...] = Field(("tier", "category"), min_length=1, description="Labels to learn.")
    calibration_share: float = Field(
        0.15,
        gt=0,
        lt=0.5,
        description="Share of the training tickets, the latest, that calibrate; heads learn from all.",
    )
    test_share: float = Field(0.2, gt=0, lt=0.5, description="Share of all tickets, the latest, to evaluate on.")
    outcome_days: int = Field(
        365,
        ge=1,
        description="Days for which what came back is learnt from; `triage retrain` leaves out what is older.",
    )
    encoder: str | None = Field(
        None, description="model2vec:FOLDER or sentence-transformers:FOLDER to join the words; by default none."
    )
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
    audit_share: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Share of the tickets that would be `auto` which are shown to a person instead, to learn the truth.",
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
    milliseconds: float = Field(10.0, gt=0, description="Budget of one answer in process, median.")
    megabytes: float = Field(500.0, gt=0, description="Budget of the bundle's size.")


class Patterns(_Section):
    encoder: str | None = Field(
        None, description="model2vec:FOLDER or sentence-transformers:FOLDER to join lexical vectors."
    )
    min_tickets: int = Field(10, ge=2, description="A pattern with fewer tickets is rare: counted, not listed.")


class Value(_Section):
    minutes_of_tier: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="Minutes of a ticket by tier, taken where a pattern has no effort logged."
    )
    articles: Path | None = Field(None, description="Text file with the ids of all knowledge articles, one a line.")

    def known_articles(self) -> frozenset[str] | None:
        """The ids in the file, in capitals; None where no file is set. Raises SettingsError where it can't be read."""
        if self.articles is None:
            return None
        try:
            lines = self.articles.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{self.articles}: can't be read as a list of articles ({type(error).__name__})."
            ) from None
        return frozenset(line.strip().upper() for line in lines if line.strip())


class Report(_Section):
    baseline: tuple[str, str] | None = Field(
        None, description="First and last week that service levels are compared with; by default the first half."
    )
    address: str | None = Field(None, description="Where people reach the review pages, for links in digests.")

    @field_validator("baseline")
    @classmethod
    def _weeks(cls, weeks: tuple[str, str] | None) -> tuple[str, str] | None:
        if weeks is not None and (
            not all(re.fullmatch(r"\d{4}-W\d{2}", week) for week in weeks) or weeks[0] > weeks[1]
        ):
            raise ValueError("expected two ISO weeks, the first and the last, like 2026-W01 and 2026-W08")
        return weeks

    @field_validator("address")
    @classmethod
    def _web_address(cls, address: str | None) -> str | None:
        if address is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", address):
            raise ValueError("expected an address like https://triage.example.com")
        return None if address is None else address.rstrip("/")


class Mail(_Section):
    host: str | None = Field(None, description="SMTP server that the digest is handed to; none is sent without it.")
    port: int = Field(587, ge=1, le=65535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="How the connection is protected.")
    user: str | None = Field(None, description="User to sign in as; without one nobody signs in.")
    password: SecretStr | None = Field(None, description="Password; set it as TRIAGE_MAIL__PASSWORD.")
    sender: str = Field("triage@localhost", description="Address that the digest comes from.")
    to: tuple[str, ...] = Field((), description="Addresses that get the digest.")


class Webhook(_Section):
    url: SecretStr | None = Field(
        None, description="Incoming webhook of a channel; a secret, set it as TRIAGE_WEBHOOK__URL."
    )
    format: Literal["slack", "teams"] = Field("slack", description="What the channel understands.")


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
    unready_seconds: float = Field(
        2.0, ge=0, description="How long /readyz says `draining` after SIGTERM before the socket closes."
    )
    drain_seconds: float = Field(20.0, gt=0, description="How long a stopping service may finish what is in flight.")
    proxy_addresses: tuple[str, ...] = Field(
        (), description="Addresses or networks of reverse proxies whose `proxy_header` is believed; by default none."
    )
    proxy_header: str = Field("X-Forwarded-User", description="Header in which such a proxy names who signed in there.")
    proxy_scope: Literal["score", "review", "admin"] = Field(
        "review", description="Scope of those whom a proxy named in `proxy_addresses` signed in."
    )
    keep_bundles: int = Field(
        5, ge=1, description="Model bundles kept on disk beside those in use; older ones are deleted once an hour."
    )

    @field_validator("proxy_addresses")
    @classmethod
    def _are_networks(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            try:
                ip_network(address)
            except ValueError:
                raise ValueError(f"{address!r} is no address or network; expected 10.0.0.7 or 10.1.0.0/16") from None
        return addresses


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
    value: Value = Field(default_factory=Value)
    report: Report = Field(default_factory=Report)
    mail: Mail = Field(default_factory=Mail)
    webhook: Webhook = Field(default_factory=Webhook)
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
