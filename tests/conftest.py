"""What a test may need from outside. Without it: a skip with a reason, or with TRIAGE_TEST_REQUIRE=all a failure."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import hypothesis
import pytest

# Machines are shared: how long one example takes says nothing about the code. Fixed seeds, so that a run can be repeated.
hypothesis.settings.register_profile("triage", deadline=None, derandomize=True)
hypothesis.settings.load_profile("triage")

PROJECT = Path(__file__).resolve().parents[1]
POSTGRES_URL = os.environ.get("TRIAGE_TEST_POSTGRES", "postgresql+psycopg://127.0.0.1:5432/test")


def _shared_folder() -> Path:
    data = os.environ.get("TRIAGE_DATA_DIR")
    return Path(data).parent if data else PROJECT.parent / "shared"


@cache
def _no_shared() -> str | None:
    folder = _shared_folder()
    return None if (folder / "data").is_dir() else f"no data in {folder} (set TRIAGE_DATA_DIR)"


@cache
def _no_postgres() -> str | None:
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    import sqlalchemy as sa

    engine = sa.create_engine(POSTGRES_URL, connect_args={"connect_timeout": 3})
    try:
        with engine.connect():
            return None
    except sa.exc.SQLAlchemyError:
        return "no PostgreSQL answers (set TRIAGE_TEST_POSTGRES)"
    finally:
        engine.dispose()


@cache
def _no_browser() -> str | None:
    return None if shutil.which("chromium") else "no chromium on the path"


@cache
def _no_java() -> str | None:
    return None if shutil.which("java") else "no java on the path"


NEEDS: dict[str, Callable[[], str | None]] = {
    "needs_shared": _no_shared,
    "needs_postgres": _no_postgres,
    "needs_browser": _no_browser,
    "needs_java": _no_java,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark, missing in NEEDS.items():
        if item.get_closest_marker(mark) and (reason := missing()):
            if os.environ.get("TRIAGE_TEST_REQUIRE") == "all":
                pytest.fail(f"TRIAGE_TEST_REQUIRE=all, but {reason}", pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with `data/` and `models/`; the test carries the mark needs_shared."""
    return _shared_folder()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of an empty database that is dropped afterwards; the test carries the mark needs_postgres."""
    import sqlalchemy as sa

    name = f"triage_test_{secrets.token_hex(6)}"
    server = sa.create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()
