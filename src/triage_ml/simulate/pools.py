"""Texts that all kinds share, from `noise.toml`: greetings, signatures, quoted threads, traces, vague one-liners."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from triage_ml.simulate.template import Template, compile_template

__all__ = ["Pools", "load_pools"]

Pool = Mapping[str, tuple[Template, ...]]  # by language


@dataclass(frozen=True)
class Pools:
    """Each pool is by language; `vague` is by area first."""

    greetings: Pool
    signatures: Pool
    quotes: Pool
    secrets: Pool
    personal: Pool
    joins: Pool
    tried: Pool
    traces: tuple[Template, ...]
    closings: tuple[Template, ...]
    vague: Mapping[str, Pool]


def load_pools(path: Path, slots: frozenset[str]) -> Pools:
    """Read `noise.toml`; raises InputError for a template that is not right."""
    plain = tomllib.loads(path.read_text(encoding="utf-8"))

    def pool(rows: Mapping[str, list[str]], where: str) -> Pool:
        return {
            language: tuple(compile_template(text, where=f"{path.name}, {where}", slots=slots) for text in texts)
            for language, texts in rows.items()
        }

    shared = ("greetings", "signatures", "quotes", "secrets", "personal", "joins", "tried")
    return Pools(
        **{name: pool(plain[name], name) for name in shared},
        traces=pool(plain["traces"], "traces")["any"],
        closings=pool(plain["closings"], "closings")["any"],
        vague={area: pool(rows, f"vague.{area}") for area, rows in plain["vague"].items()},
    )
