"""A week's list in a few lines, as a mail, a Slack message or a Teams card. Titles are redacted; no ticket text goes out."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from triage_ml.review import ReviewedWeek, expected_hours, unlinked
from triage_ml.value import KIND_TITLES

__all__ = ["mail_digest", "slack_digest", "teams_digest"]

SHOWN = 10
_STATUSES = ("accepted", "in_progress", "automated", "rejected")


def mail_digest(report: ReviewedWeek, address: str | None) -> EmailMessage:
    """Subject and body, plain and as HTML; sender and recipients are the caller's."""
    message = EmailMessage()
    message["Subject"] = f"{report.week}: {_hours(report.hours)} a week could be saved"
    lines = [_head(report), *_facts(report), ""]
    lines += [f"{place}. {_line(one)}" for place, one in enumerate(_shown(report), start=1)]
    lines += ["", _more(report), *([_place(report, address)] if address else [])]
    message.set_content("\n".join(lines))
    items = "".join(f"<li>{html.escape(_line(one))}</li>" for one in _shown(report))
    link = f'<p><a href="{html.escape(_place(report, address), quote=True)}">Review the list</a></p>' if address else ""
    facts = "".join(f"<p>{html.escape(fact)}</p>" for fact in _facts(report))
    message.add_alternative(
        f"<h1>{html.escape(_head(report))}</h1>{facts}<ol>{items}</ol><p>{html.escape(_more(report))}</p>{link}",
        subtype="html",
    )
    return message


def slack_digest(report: ReviewedWeek, address: str | None) -> dict[str, Any]:
    """A message of blocks for an incoming webhook."""
    lines = "\n".join(f"{place}. {_slack(_line(one))}" for place, one in enumerate(_shown(report), start=1))
    texts = [*(_slack(fact) for fact in _facts(report)), lines or "Nothing is listed.", _slack(_more(report))]
    if address:
        texts.append(f"<{_place(report, address)}|Review the list>")
    head = {"type": "header", "text": {"type": "plain_text", "text": _head(report)}}
    sections = [{"type": "section", "text": {"type": "mrkdwn", "text": text[:3000]}} for text in texts]
    return {"text": _head(report), "blocks": [head, *sections]}


def teams_digest(report: ReviewedWeek, address: str | None) -> dict[str, Any]:
    """An adaptive card for a channel's workflow webhook."""
    texts = [
        *_facts(report),
        *(f"{place}\\. {_line(one)}" for place, one in enumerate(_shown(report), start=1)),
        _more(report),
    ]
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "size": "Large", "weight": "Bolder", "text": _head(report), "wrap": True}
    ]
    body += [{"type": "TextBlock", "text": _teams(text), "wrap": True} for text in texts]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if address:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Review the list", "url": _place(report, address)}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _shown(report: ReviewedWeek) -> list[Mapping[str, Any]]:
    """What still waits for a decision, most hours first."""
    return [one for one in report.candidates if one["status"] == "new"][:SHOWN]


def _head(report: ReviewedWeek) -> str:
    return f"What keeps coming back, {report.week}"


def _facts(report: ReviewedWeek) -> list[str]:
    first = (
        f"{report.tickets:,} tickets, {report.covered:.0%} in known patterns; {len(report.candidates)} patterns listed."
    )
    second = f"Expected to be saved if all were automated: {_hours(report.hours)} a week."
    if report.realised is not None:
        second += f" Saved by automations so far: {_hours(report.realised)}."
    return [first, second]


def _line(one: Mapping[str, Any]) -> str:
    """Title, kind and hours of a candidate; a title is one line, and no link."""
    title = unlinked(" ".join(str(one["title"]).split())[:120])
    marks = "".join(f", {word}" for word in (_trend(one),) if word)
    return f"{title}: {KIND_TITLES[one['kind']].lower()}, {_hours(expected_hours(one))} a week, {one['volume']} tickets{marks}"


def _trend(one: Mapping[str, Any]) -> str:
    direction = str(one["trend"]["direction"])
    return direction if direction in ("growing", "burst") else ""


def _more(report: ReviewedWeek) -> str:
    counts = {name: sum(one["status"] == name for one in report.candidates) for name in _STATUSES}
    decided = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    waiting = sum(one["status"] == "new" for one in report.candidates)
    return f"{waiting} wait for a decision" + (f"; {decided}." if decided else ".")


def _hours(hours: float) -> str:
    return f"{hours:,.0f} hours" if hours >= 10 else f"{hours:,.1f} hours"


def _place(report: ReviewedWeek, address: str | None) -> str:
    return f"{address}/review/weeks/{report.week}"


def _slack(text: str) -> str:
    """Text that Slack shows as it is: no mention, link or markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([*_~`])", "\u200b\\1", escaped)


def _teams(text: str) -> str:
    """Text that a card shows as it is: its Markdown escaped."""
    return re.sub(r"([\[\]()*_`#<>!~|])", r"\\\1", text)
