"""The digest on its way: by mail (SMTP) and to a channel's webhook, each at most once a week and audience.

Every delivery is claimed in the store before it goes out. Where it certainly did not arrive the claim is given back; where
nobody knows (the line broke after the message was handed over) it stays, and only `--again` sends it once more.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, make_msgid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import orjson

from triage_ml.errors import SettingsError, TriageError
from triage_ml.review import ReviewedWeek
from triage_ml.settings import Mail, Settings, Webhook
from triage_ml.store import (
    Delivery,
    Store,
    claim_delivery,
    confirm_delivery,
    deliveries_of,
    open_store,
    release_delivery,
)
from triage_training.digest import mail_digest, slack_digest, teams_digest

__all__ = ["SendError", "Sent", "send_digest"]

TIMEOUT_SECONDS = 20.0


class SendError(TriageError):
    """A digest could not be sent; `is_certain` says that nothing arrived."""

    def __init__(self, message: str, *, is_certain: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.is_certain = is_certain


@dataclass(frozen=True)
class Sent:
    """What became of one channel: `sent` or `sent before`."""

    channel: str
    outcome: str


def send_digest(settings: Settings, report: ReviewedWeek, *, again: bool = False) -> list[Sent]:
    """Send a week's digest to all that the settings name, those that had it before left out unless `again`.

    Raises
    ------
    SettingsError
        Neither mail nor webhook is set up.
    SendError
        A channel failed; the others were tried all the same, and what arrived is not sent again by the next run.
    """
    channels = _channels(settings, report)
    store = open_store(settings.store_url)
    done: list[Sent] = []
    failed: list[SendError] = []
    try:
        for name, audience, send in channels:
            try:
                done.append(Sent(name, _once(store, report.week, name, audience, send, again)))
            except SendError as error:
                failed.append(error)
    finally:
        store.close()
    if failed:
        arrived = f" Sent: {', '.join(one.channel for one in done)}." if done else ""
        raise SendError(
            " ".join(error.message for error in failed) + arrived,
            is_certain=all(error.is_certain for error in failed),
            hint=failed[0].hint,
        )
    return done


def _channels(settings: Settings, report: ReviewedWeek) -> list[tuple[str, str, Callable[[], None]]]:
    mail, webhook, address = settings.mail, settings.webhook, settings.report.address
    channels: list[tuple[str, str, Callable[[], None]]] = []
    if mail.host is not None:
        if not mail.to:
            raise SettingsError("[mail] names a host and nobody to send to.", hint='Set `to = ["ops@example.com"]`.')
        channels.append(("mail", ", ".join(sorted(mail.to)), lambda: _mail(mail, report, address)))
    if webhook.url is not None:
        channels.append((webhook.format, webhook.url.get_secret_value(), lambda: _post(webhook, report, address)))
    if not channels:
        raise SettingsError(
            "There is nobody to send the digest to.",
            hint="Set [mail] host and to, or TRIAGE_WEBHOOK__URL, in the settings.",
        )
    return channels


def _once(store: Store, week: str, channel: str, audience: str, send: Callable[[], None], again: bool) -> str:
    key = hashlib.sha256(audience.encode()).hexdigest()
    delivery = Delivery(week, channel, key, datetime.now(UTC))
    with store.begin() as connection:
        if again:
            release_delivery(connection, delivery)
        if not claim_delivery(connection, delivery):
            earlier = next(
                one for one in deliveries_of(connection, week) if (one.channel, one.recipients) == (channel, key)
            )
            if earlier.sent_at is None:
                raise SendError(
                    f"{channel}: an attempt of {earlier.claimed_at:%Y-%m-%d %H:%M} UTC did not come to an end, so the digest of "
                    f"{week} may have arrived.",
                    is_certain=False,
                    hint="Ask who should have it; `--again` sends it once more.",
                )
            return f"sent before, {earlier.sent_at:%Y-%m-%d %H:%M} UTC"
    try:
        send()
    except SendError as error:
        if error.is_certain:
            with store.begin() as connection:
                release_delivery(connection, delivery)
        raise
    with store.begin() as connection:
        confirm_delivery(connection, delivery, now=datetime.now(UTC))
    return "sent"


def _mail(settings: Mail, report: ReviewedWeek, address: str | None) -> None:
    message = mail_digest(report, address)
    try:
        message["From"], message["To"] = settings.sender, ", ".join(settings.to)
    except ValueError:
        raise SendError("mail: sender or recipients are no addresses.", is_certain=True) from None
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid("triage", domain=settings.sender.rpartition("@")[2] or "localhost")
    where = f"mail: {settings.host}:{settings.port}"
    handed_over = False
    try:
        with _server(settings) as server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.user is not None:
                password = "" if settings.password is None else settings.password.get_secret_value()
                server.login(settings.user, password)
            handed_over = True
            refused = server.send_message(message)
    except smtplib.SMTPResponseException as error:
        raise SendError(
            f"{where} refused the digest ({error.smtp_code}).", is_certain=True, hint=_smtp_hint(error)
        ) from None
    except smtplib.SMTPRecipientsRefused:
        raise SendError(f"{where} refused every recipient.", is_certain=True) from None
    except (smtplib.SMTPException, OSError) as error:
        raise SendError(f"{where}: {_reason(error)}", is_certain=not handed_over, hint=_after(handed_over)) from None
    if refused:
        raise SendError(
            f"{where} refused {len(refused)} of {len(settings.to)} recipients; the others have the digest.",
            is_certain=False,
        )


def _server(settings: Mail) -> smtplib.SMTP:
    host = settings.host or ""
    if settings.security == "tls":
        return smtplib.SMTP_SSL(host, settings.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
    return smtplib.SMTP(host, settings.port, timeout=TIMEOUT_SECONDS)


def _post(settings: Webhook, report: ReviewedWeek, address: str | None) -> None:
    """One POST, no redirects: the address is a secret and goes to nobody else."""
    make: Callable[[ReviewedWeek, str | None], dict[str, Any]] = (
        slack_digest if settings.format == "slack" else teams_digest
    )
    target = urlsplit(settings.url.get_secret_value() if settings.url else "")
    where = f"{settings.format}: {target.hostname}"
    if target.scheme not in ("http", "https") or not target.hostname:
        raise SettingsError(
            "[webhook] url is no http address.", hint="Set TRIAGE_WEBHOOK__URL to the channel's webhook."
        )
    kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
    connection = kind(target.hostname, target.port, timeout=TIMEOUT_SECONDS)
    handed_over = False
    try:
        connection.connect()
        handed_over = True
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        body = orjson.dumps(make(report, address))
        connection.request("POST", path, body, {"Content-Type": "application/json", "User-Agent": "triage-ml"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise SendError(f"{where}: {_reason(error)}", is_certain=not handed_over, hint=_after(handed_over)) from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        hint = "The webhook may have been removed; make a new one." if status in (403, 404, 410) else None
        raise SendError(f"{where} answered {status}.", is_certain=status < 500, hint=hint)


def _smtp_hint(error: smtplib.SMTPResponseException) -> str | None:
    return "Check [mail] user and TRIAGE_MAIL__PASSWORD." if error.smtp_code in (530, 534, 535, 538) else None


def _after(handed_over: bool) -> str:
    if handed_over:
        return "It may have arrived; `--again` sends it once more."
    return "Nothing was sent. Check the address, then run it again."


def _reason(error: Exception) -> str:
    """What went wrong, without anything that was sent."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return f"{text}."
