"""The walls of the house: who may import whom. Read from the source, so that no import has to happen."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "triage_ml": ROOT / "src" / "triage_ml",
    "triage_training": ROOT / "training" / "triage_training",
    "triage_serving": ROOT / "serving" / "triage_serving",
}
FILES = {name: sorted(folder.rglob("*.py")) for name, folder in PACKAGES.items()}
PARTS = sorted(
    folder.name for folder in PACKAGES["triage_ml"].iterdir() if folder.is_dir() and (folder / "__init__.py").exists()
)


def imports(path: Path, *, anywhere: bool = True, names: bool = True) -> Iterator[str]:
    """What a file imports: modules and, with `names`, the names in them; `anywhere=False` leaves out functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree)) if anywhere else list(_at_module_level(tree.body))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if names)


def _at_module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        for inner in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _at_module_level(getattr(node, inner, []))


def offenders(files: list[Path], *forbidden: str, anywhere: bool = True, names: bool = True) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imports(path, anywhere=anywhere, names=names)
        if any(name == word or name.startswith(f"{word}.") for word in forbidden)
    ]


def test_the_wall_reader_sees_an_import(tmp_path: Path) -> None:
    path = ROOT / "tests" / "test_walls.py"
    assert "ast" in set(imports(path))
    assert offenders([path], "ast") == ["tests/test_walls.py imports ast"]


def test_the_library_imports_neither_app() -> None:
    assert offenders(FILES["triage_ml"], "triage_training", "triage_serving") == []


def test_the_library_imports_no_server_and_no_tracker_at_module_level() -> None:
    heavy = ("mlflow", "fastapi", "starlette", "uvicorn", "pyspark")
    assert offenders(FILES["triage_ml"], *heavy, anywhere=False) == []


def test_the_apps_never_import_each_other() -> None:
    assert offenders(FILES["triage_training"], "triage_serving") == []
    assert offenders(FILES["triage_serving"], "triage_training") == []


def test_mlflow_is_imported_in_the_two_registries_alone() -> None:
    allowed = ("registry.py", "registry_runs.py")
    files = [path for paths in FILES.values() for path in paths if path.name not in allowed]
    assert offenders(files, "mlflow") == []


def test_only_the_store_knows_sql() -> None:
    allowed = ("store", "tickets")  # `triage import --sql` reads a customer's database
    files = [path for path in FILES["triage_ml"] if path.relative_to(PACKAGES["triage_ml"]).parts[0] not in allowed]
    # The two registries look at MLflow's own file and its errors, never at ours.
    files += [
        path for app in ("triage_serving", "triage_training") for path in FILES[app] if path.name != "registry.py"
    ]
    assert offenders(files, "sqlalchemy", "alembic", "sqlite3", "psycopg") == []


def test_classify_and_patterns_do_not_know_each_other() -> None:
    library = PACKAGES["triage_ml"]
    assert offenders(sorted((library / "classify").rglob("*.py")), "triage_ml.patterns") == []
    assert offenders(sorted((library / "patterns").rglob("*.py")), "triage_ml.classify") == []


def test_nobody_imports_experiments() -> None:
    assert offenders([path for paths in FILES.values() for path in paths], "experiments") == []


@pytest.mark.parametrize("part", PARTS)
def test_other_packages_come_in_by_the_door(part: str) -> None:
    inside = PACKAGES["triage_ml"] / part
    outside = [path for paths in FILES.values() for path in paths if not path.is_relative_to(inside)]
    modules = tuple(f"triage_ml.{part}.{path.stem}" for path in inside.glob("*.py") if path.stem not in ("__init__",))
    if part in ("simulate", "tickets"):  # their `command` modules are what commands.py calls
        modules = tuple(name for name in modules if not name.endswith(".command"))
    assert offenders(outside, *modules, names=False) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_door_names_what_is_public_in_order(part: str) -> None:
    tree = ast.parse((PACKAGES["triage_ml"] / part / "__init__.py").read_text(encoding="utf-8"))
    named = next(
        (ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)),
        [],
    )
    brought = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    brought -= {"annotations"}
    assert set(named) == brought
    assert len(named) == len(set(named))


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from triage_ml.cli import build_app; build_app();"
        "print([name for name in ('numpy', 'pandas', 'sklearn', 'sqlalchemy', 'fastapi', 'mlflow', 'pydantic') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
