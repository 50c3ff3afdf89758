"""The desk's tables on disk: Parquet with a fixed schema, written block by block, and the taxonomy as TOML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from triage_ml.taxonomy import Taxonomy
from triage_ml.tickets import COLUMNS, Column

__all__ = ["HANDOFFS", "TICKETS", "TRUTH", "TableFile", "taxonomy_toml", "to_table", "write_table"]

_TIME = pa.timestamp("us", tz="UTC")
_SECONDS = pa.timestamp("s", tz="UTC")
_TYPES = {"time": _TIME, "number": pa.float64(), "count": pa.int64()}


def _type(column: Column) -> pa.DataType:
    return _TYPES.get(column.kind, pa.string())


TICKETS = pa.schema([(column.name, _type(column)) for column in COLUMNS])
HANDOFFS = pa.schema(
    [("ticket_id", pa.string()), ("at", _TIME), ("from_group", pa.string()), ("to_group", pa.string())]
)
TRUTH = pa.schema(
    [
        *((name, pa.string()) for name in ("ticket_id", "kind", "resolution", "second_kind", "tier", "category")),
        ("lowest_tier", pa.string()),
        ("minutes", pa.float64()),
        ("mislabelled", pa.bool_()),
    ]
)


def to_table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows with times in seconds since 1970 as a table of `schema`."""
    arrays = []
    for column in schema:
        values = [row[column.name] for row in rows]
        kind = _SECONDS if column.type == _TIME else column.type
        arrays.append(pa.array(values, type=kind).cast(column.type))
    return pa.Table.from_arrays(arrays, schema=schema)


class TableFile:
    """A Parquet file that grows by a row group at a time."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def append(self, table: pa.Table) -> None:
        """One more row group, unless it is empty."""
        if table.num_rows:
            self._writer.write_table(table)

    def __enter__(self) -> TableFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


def write_table(path: Path, columns: Mapping[str, Any]) -> None:
    """A whole table at once."""
    pq.write_table(pa.table(dict(columns)), path, compression="zstd")


def taxonomy_toml(taxonomy: Taxonomy) -> str:
    """The taxonomy as `triage_ml.taxonomy.load_taxonomy` reads it."""
    lines = [] if taxonomy.currency is None else [f"currency = {_quoted(taxonomy.currency)}", ""]
    for tier in taxonomy.tiers:
        lines += ["[[tiers]]", f"name = {_quoted(tier.name)}", f"rank = {tier.rank}", f"title = {_quoted(tier.title)}"]
        lines += [] if tier.cost_per_hour is None else [f"cost_per_hour = {tier.cost_per_hour}"]
        lines.append("")
    for group in taxonomy.groups:
        lines += ["[[groups]]", f"name = {_quoted(group.name)}", f"tier = {_quoted(group.tier)}"]
        lines += [f"aliases = {_list(group.aliases)}"] if group.aliases else []
        lines.append("")
    lines.append("[categories]")
    lines += [f"{_quoted(category)} = {_list(children)}" for category, children in taxonomy.categories.items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(_quoted(text) for text in texts)}]"
