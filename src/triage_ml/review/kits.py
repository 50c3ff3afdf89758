"""Starter kits: what an automation begins with, drafted from a pattern's redacted words and marked as a draft.

Each kind has its files: a chatbot intent and an article, the fields of a form, the outline of a runbook, a note to whoever
owns the source. Nothing is made up: what the tickets do not say is left as a question.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from triage_ml.review.documents import csv_text
from triage_ml.review.links import unlinked
from triage_ml.review.slots import Field, form_fields
from triage_ml.review.weeks import ReviewedCandidate
from triage_ml.value import KIND_TITLES, Kind

__all__ = ["kit_archive", "kit_kind", "starter_kit"]

DRAFT = "Draft, written from redacted tickets by triage. A person has to read, correct and sign it off."
_EPOCH = (1980, 1, 1, 0, 0, 0)
#: What Markdown, or HTML in it, would read as more than text.
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~#])")
EXAMPLE_LENGTH = 240


def kit_kind(one: ReviewedCandidate, kind: str | None = None) -> Kind:
    """The kind that a kit is for: the one that was asked for, else the proposed one."""
    proposed = (one.figures or {}).get("kind", "needs_analysis")
    chosen = kind if kind in KIND_TITLES else proposed
    return next(known for known in KIND_TITLES if known == chosen)


def starter_kit(one: ReviewedCandidate, kind: str | None = None) -> dict[str, str]:
    """File name -> text, for a kind of automation, by default the proposed one. Same candidate, same kit."""
    chosen = kit_kind(one, kind)
    files = {name: write(one) for name, write in _FILES[chosen].items()}
    return {"README.md": _readme(one, chosen, sorted(files)), **files}


def kit_archive(files: Mapping[str, str]) -> bytes:
    """The files as a ZIP archive, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _readme(one: ReviewedCandidate, kind: Kind, names: Sequence[str]) -> str:
    figures = one.figures
    lines = [f"# {_md(one.title)}: {KIND_TITLES[kind].lower()}", "", f"> {DRAFT}", ""]
    lines += [f"- Pattern `{one.record.pattern_id}`, first seen {one.record.born}"]
    if figures is not None:
        hours, minutes = figures["hours"], figures["touch_time"]["minutes"]
        lines += [
            f"- Week {one.week}: {figures['volume']} tickets, {minutes:.0f} minutes each",
            f"- To save, hours a week: {hours['p50']:.1f} ({hours['p10']:.1f} to {hours['p90']:.1f})",
            f"- Why: {_md(figures['why'])}",
        ]
    if one.standing.owner:
        lines.append(f"- Accountable: {_md(one.standing.owner)}")
    for label, people in (("Consult", one.standing.consulted), ("Inform", one.standing.informed)):
        if people:
            lines.append(f"- {label}: {_md(', '.join(people))}")
    return "\n".join([*lines, "", "Files:", "", *(f"- `{name}`" for name in names), ""])


def _nlu(one: ReviewedCandidate) -> str:
    """A Rasa training file (format 3.1): one intent and its examples."""
    lines = ["# " + DRAFT, 'version: "3.1"', "nlu:", f"- intent: {_intent(one)}", "  examples: |"]
    return "\n".join(lines + [f"    - {_utterance(text)}" for text in _asked(one)]) + "\n"


def _examples_csv(one: ReviewedCandidate) -> str:
    return csv_text(("intent", "text"), [(_intent(one), text) for text in _asked(one)])


def _article(one: ReviewedCandidate) -> str:
    known = (one.figures or {}).get("knowledge", {}).get("article")
    lines = [f"# {_md(one.title)}", "", f"> {DRAFT}", ""]
    if known:
        lines += [f"Close notes cite {known}: mend that article rather than write a second one.", ""]
    lines += ["## What people ask", "", *(f"- {_md(text)}" for text in _asked(one)[:6]), ""]
    lines += ["## What to do", ""]
    lines += _numbered(_steps(one)) or ["1. What solves it? No close note says so."]
    lines += ["", "## When it does not help", "", *_not_covered(one), "", *_words(one)]
    return "\n".join(lines) + "\n"


def _form(one: ReviewedCandidate) -> str:
    fields = form_fields(one.record.examples)
    lines = [f"# Form: {_md(one.title)}", "", f"> {DRAFT}", ""]
    if not fields:
        lines += ["The tickets share no kind of detail. Ask those who solve them what they have to ask back for.", ""]
    else:
        lines += ["| Field | Type | Required | Named in |", "|---|---|---|---|"]
        lines += [
            f"| {_md(field.label)} | {field.type} | {'yes' if field.is_required else 'no'} | {field.share:.0%} of examples |"
            for field in fields
        ]
        lines.append("")
    lines += ["## What is done with it", "", *(_numbered(_steps(one)) or ["1. What is done? No close note says so."])]
    lines += ["", "## What the form does not cover", "", *_not_covered(one)]
    return "\n".join(lines) + "\n"


def _form_fields(one: ReviewedCandidate) -> str:
    fields = [_field(field) for field in form_fields(one.record.examples)]
    return json.dumps({"draft": DRAFT, "title": one.title, "fields": fields}, indent=2, ensure_ascii=False) + "\n"


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "required": field.is_required,
        "share": round(field.share, 2),
    }


def _runbook(one: ReviewedCandidate) -> str:
    ways = _ways(one)
    lines = [f"# Runbook: {_md(one.title)}", "", f"> {DRAFT}", "", "## When it runs", ""]
    lines += [f"- {_md(text)}" for text in _asked(one)[:4]]
    lines += ["", "## Inputs", ""]
    fields = form_fields(one.record.examples)
    lines += [f"- {_md(field.label)} ({field.type})" for field in fields] or ["- What does it need to know?"]
    lines += ["", "## Steps", ""]
    if ways:
        lines += [f"{ways[0][1]:.0%} of the close notes say:", "", *_numbered(_steps(one)[:1])]
    else:
        lines += ["1. What solves it? No close note says so."]
    lines += [
        "",
        "## Checks",
        "",
        "- How does it see that it worked?",
        "- How is it undone?",
        "- Who is told if it fails?",
    ]
    lines += ["", "## What it does not cover", "", *_not_covered(one)]
    return "\n".join(lines) + "\n"


def _source(one: ReviewedCandidate) -> str:
    lines = [f"# Tune the source: {_md(one.title)}", "", f"> {DRAFT}", "", "## What it sends", ""]
    lines += [f"- {_md(text)}" for text in _asked(one)[:6]]
    lines += ["", "## What was done about it", "", *_told(one), "", "## To settle with its owner", ""]
    lines += ["- Which threshold, schedule or rule raises it?", "- Which of these must still reach a person?"]
    return "\n".join(lines) + "\n"


def _problem(one: ReviewedCandidate) -> str:
    weekly = ", ".join(str(count) for count in (one.figures or {}).get("weekly", ()))
    lines = [f"# Problem: {_md(one.title)}", "", f"> {DRAFT}", "", "## Symptoms", ""]
    lines += [f"- {_md(text)}" for text in _asked(one)[:6]]
    lines += ["", f"Tickets a week: {weekly or 'unknown'}.", "", "## What has been done each time", "", *_told(one)]
    lines += ["", "## Cause", "", "- Not known. What do these tickets have in common that others have not?"]
    return "\n".join(lines) + "\n"


def _handover(one: ReviewedCandidate) -> str:
    down = (one.figures or {}).get("move_down")
    lines = [f"# Hand over: {_md(one.title)}", "", f"> {DRAFT}", ""]
    if down:
        groups = ", ".join(f"{_md(name)} ({count})" for name, count in down["groups"].items())
        lines += [
            f"{down['to']} could solve {down['tickets']} tickets of the last four weeks that went to {groups}.",
            "",
        ]
    lines += ["## How it is solved", "", *_told(one), "", "## What whoever takes it over needs", ""]
    lines += ["- Rights and tools?", "- An article? Who is asked when it does not help?"]
    return "\n".join(lines) + "\n"


def _analysis(one: ReviewedCandidate) -> str:
    lines = [f"# To look into: {_md(one.title)}", "", f"> {DRAFT}", "", "## Examples", ""]
    lines += [f"- {_md(text)}" for text in _asked(one)[:8]]
    return "\n".join([*lines, "", "## How it is solved", "", *_told(one), ""])


_FILES: Mapping[Kind, Mapping[str, Callable[[ReviewedCandidate], str]]] = {
    "chatbot_answer": {"nlu.yml": _nlu, "examples.csv": _examples_csv, "article.md": _article},
    "self_service_form": {"form.md": _form, "fields.json": _form_fields},
    "runbook_script": {"runbook.md": _runbook},
    "retire_source": {"source.md": _source},
    "fix_root_cause": {"problem.md": _problem},
    "move_down": {"handover.md": _handover, "article.md": _article},
    "needs_analysis": {"analysis.md": _analysis},
}


def _asked(one: ReviewedCandidate) -> list[str]:
    """The examples, each on one line and not too long, none twice."""
    lines = (" ".join(_plain(text).split())[:EXAMPLE_LENGTH] for text in one.record.examples)
    return list(dict.fromkeys(line for line in lines if line))


def _ways(one: ReviewedCandidate) -> list[tuple[str, float]]:
    """Ways of solving it with their share, the commonest first."""
    return [(" ".join(_plain(way["text"]).split()), way["share"]) for way in (one.figures or {}).get("resolutions", ())]


def _steps(one: ReviewedCandidate) -> list[str]:
    return [_md(text) for text, _ in _ways(one)]


def _told(one: ReviewedCandidate) -> list[str]:
    return [f"- {share:.0%}: {_md(text)}" for text, share in _ways(one)] or ["- No close note says so."]


def _not_covered(one: ReviewedCandidate) -> list[str]:
    """The other ways of solving it, and what none of them is."""
    ways = _ways(one)
    rest = 1 - sum(share for _, share in ways)
    lines = [f"- {share:.0%} were solved otherwise: {_md(text)}" for text, share in ways[1:]]
    if ways and rest >= 0.005:
        lines.append(f"- {rest:.0%} were solved in ways that are seen less often")
    return lines or ["- What is different about the tickets that this would not solve?"]


def _words(one: ReviewedCandidate) -> list[str]:
    return [f"Words: {_md(', '.join(one.record.keywords))}"] if one.record.keywords else []


def _numbered(steps: Sequence[str]) -> list[str]:
    return [f"{place}. {step}" for place, step in enumerate(steps, start=1)]


def _intent(one: ReviewedCandidate) -> str:
    """A name that chatbots take: letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", one.title).encode("ascii", "ignore").decode().casefold()
    name = "_".join(re.findall(r"[a-z0-9]+", plain))[:60].strip("_")
    return name if name and name[0].isalpha() else f"pattern_{one.record.pattern_id}"


def _utterance(text: str) -> str:
    """Text that a Rasa file takes as it is: its marks for entities and roles are brackets and braces."""
    return " ".join(re.sub(r"[\[\](){}]", " ", text).split()) or "-"


def _plain(text: str) -> str:
    """Without control characters."""
    return "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text)


def _md(text: str) -> str:
    return unlinked(_MARKDOWN.sub(r"\\\1", " ".join(_plain(text).split())))
