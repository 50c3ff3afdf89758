"""/docs: the OpenAPI document as a page that a person can read, with nothing from another host and no script.

FastAPI's own page loads its program from a CDN: on a machine without the internet it stays blank, and with it a stranger's
script runs beside our keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Json = Mapping[str, Any]


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The page."""
    page = _page(json.dumps(request.app.openapi()))
    return Response(page, headers={"Content-Security-Policy": POLICY}, media_type="text/html")


@router.get("/docs/docs.css")
async def style() -> Response:
    """Its style."""
    return Response((files("triage_serving") / "templates" / "docs.css").read_bytes(), media_type="text/css")


@cache
def _page(document: str) -> str:
    environment = Environment(
        loader=PackageLoader("triage_serving"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    parsed = json.loads(document)
    return environment.get_template("docs.html").render(document=parsed, routes=list(_routes(parsed)))


def _routes(document: Json) -> Iterator[Json]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield {
                "method": method.upper(),
                "path": path,
                "anchor": f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""),
                "words": operation.get("description", operation.get("summary", "")),
                "needs": _needs(document, operation),
                "parameters": [_parameter(one) for one in operation.get("parameters", [])],
                "parts": list(_parts(document, operation)),
            }


def _needs(document: Json, operation: Json) -> str:
    schemes = [name for one in operation.get("security", []) for name in one]
    if not schemes:
        return "no key."
    return " ".join(document["components"]["securitySchemes"][name]["description"] for name in schemes)


def _parameter(one: Json) -> Json:
    return {"name": one["name"], "place": one["in"], "words": one.get("description", "")}


def _parts(document: Json, operation: Json) -> Iterator[Json]:
    bodies = {"Body": operation["requestBody"]} if "requestBody" in operation else {}
    for title, part in (bodies | operation["responses"]).items():
        contents = [content.get("schema", {}) for content in part.get("content", {}).values()]
        schema = _resolved(document, contents[0]) if contents else {}
        shown = title if title == "Body" else f"{title} {part.get('description', '')}"
        if title in ("4XX", "5XX"):
            continue  # the same for all routes, and told at the top
        yield {
            "title": shown,
            "fields": [_field(name, field, schema) for name, field in schema.get("properties", {}).items()],
            "examples": [json.dumps(one, indent=2, ensure_ascii=False) for one in schema.get("examples", [])],
        }


def _field(name: str, field: Json, schema: Json) -> Json:
    kinds = [_kind(one) for one in field.get("anyOf", [field])]
    limits = [f"{key} {field[key]}" for key in ("maxLength", "maxItems", "minItems") if key in field]
    return {
        "name": name,
        "optional": name not in schema.get("required", []),
        "kind": ", ".join([" or ".join(kind for kind in kinds if kind), *limits]),
        "words": field.get("description", ""),
    }


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    return str(schema.get("format", schema.get("type", "")))


def _resolved(document: Json, schema: Json) -> Json:
    if "$ref" in schema:
        found: Json = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema
