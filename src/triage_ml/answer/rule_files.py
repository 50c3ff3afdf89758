"""Read the rules file, strictly: an error has the line, and for an unknown key the one it was probably meant to be."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from triage_ml.answer.rules import Rule, RuleBook, RulesFile, Then, When, near
from triage_ml.errors import SettingsError

__all__ = ["load_rules"]


def load_rules(path: Path | None) -> RuleBook:
    """The rules in a TOML file; none for None.

    Raises
    ------
    SettingsError
        The file is missing, is no TOML, or holds an unknown key or a wrong value; the message has the line.
    """
    if path is None:
        return RuleBook()
    try:
        text = path.read_text(encoding="utf-8")
        read = RulesFile(**tomllib.loads(text))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such rules file.") from None
    except OSError as error:
        raise SettingsError(f"{path}: can't be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}.") from None
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(problem, path, text) for problem in error.errors())) from None
    lines = [_line_of(text, number, None) for number in range(len(read.rules))]
    if repeated := next((r.name for i, r in enumerate(read.rules) if r.name in {o.name for o in read.rules[:i]}), None):
        raise SettingsError(f"{path}: two rules are called {repeated!r}; an answer names its rule.")
    return RuleBook(read.rules, str(path), lines)


def _explain(problem: Any, path: Path, text: str) -> str:
    where = [part for part in problem["loc"] if isinstance(part, str)]
    number = next((part for part in problem["loc"] if isinstance(part, int)), None)
    key = next((name for name in reversed(where) if name in (*_KEYS, *_unknown(problem))), "rules")
    line = _line_of(text, number, key)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(where[:-1])
        return f"{path}, line {line}: unknown key `{where[-1]}`{near(where[-1], known)}."
    return f"{path}, line {line}: `{'.'.join(where)}`: {problem['msg'].removeprefix('Value error, ')}."


_KEYS = ("name", *When.model_fields, *Then.model_fields, "when", "then")


def _unknown(problem: Any) -> tuple[str, ...]:
    return (str(problem["loc"][-1]),) if problem["type"] == "extra_forbidden" else ()


def _known_keys(where: Sequence[str]) -> list[str]:
    models: dict[str, type[BaseModel]] = {"rules": Rule, "when": When, "then": Then}
    return list(models[where[-1]].model_fields) if where else list(RulesFile.model_fields)


def _line_of(text: str, number: int | None, key: str | None) -> int:
    """Line, from 1, of a key in the rule of that number (from 0); of the rule where the key is not found."""
    lines = text.splitlines()
    heads = [index for index, line in enumerate(lines) if re.match(r"\s*\[\[\s*rules\s*\]\]", line)]
    begin = 0 if number is None or number >= len(heads) else heads[number]
    end = next((head for head in heads if head > begin), len(lines)) if number is not None else len(lines)
    if key is not None:
        wanted = re.compile(rf"""(?<![\w.-])["']?{re.escape(key)}["']?(?![\w-])\s*[=.\]]""")
        begin = next((index for index in range(begin, end) if wanted.search(lines[index])), begin)
    return begin + 1
