from __future__ import annotations

import email
import email.policy
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from triage_ml.errors import SettingsError
from triage_ml.settings import Mail, Report, Settings, Webhook
from triage_ml.store import Delivery, claim_delivery, deliveries_of, open_store
from triage_training.report import load_report
from triage_training.sending import SendError, send_digest

WEEK = "2026-W46"


def by_mail(settings: Settings, port: int, **more: Any) -> Settings:
    mail = Mail(
        host="127.0.0.1", port=port, security="none", sender="triage@example.com", to=("ops@example.com",), **more
    )
    return settings.model_copy(update={"mail": mail, "report": Report(address="https://triage.example")})


def by_webhook(settings: Settings, port: int, kind: str = "slack") -> Settings:
    webhook = Webhook(url=f"http://127.0.0.1:{port}/hook/s3cret?x=1", format=kind)  # type: ignore[arg-type]
    return settings.model_copy(update={"webhook": webhook})


def send(settings: Settings, **more: Any) -> list[tuple[str, str]]:
    return [(one.channel, one.outcome) for one in send_digest(settings, load_report(settings, WEEK), **more)]


def test_a_mail_arrives_with_the_list_and_a_link_and_goes_out_once(settings: Settings, mailbox: Any) -> None:
    ready = by_mail(settings, mailbox.port)

    assert send(ready) == [("mail", "sent")]
    ((_, again),) = send(ready)

    assert again.startswith("sent before, ")
    ((recipients, text),) = mailbox.messages
    message = email.message_from_string(text, policy=email.policy.default)
    assert recipients == ["ops@example.com"]
    assert message["Subject"] == "2026-W46: 12 hours a week could be saved"
    plain = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "1. Reset <AD> password: self-service form, 5.9 hours a week, 40 tickets, growing" in plain
    assert "https://triage.example/review/weeks/2026-W46" in plain
    assert "Reset &lt;AD&gt; password" in message.get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_on_purpose_it_is_sent_again(settings: Settings, mailbox: Any) -> None:
    ready = by_mail(settings, mailbox.port)
    send(ready)

    assert send(ready, again=True) == [("mail", "sent")]
    assert len(mailbox.messages) == 2


def test_of_two_runs_at_once_one_sends(settings: Settings, mailbox: Any) -> None:
    ready = by_mail(settings, mailbox.port)

    def once(_: int) -> str:
        try:
            return send(ready)[0][1][:4]
        except SendError:
            return "busy"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(once, range(4)))

    assert len(mailbox.messages) == 1
    assert outcomes.count("sent") >= 1


@pytest.mark.parametrize(
    ("command", "answer", "message"),
    [
        ("RCPT", "550 no such user", "refused every recipient"),
        ("MAIL", "553 not you", r"refused the digest \(553\)"),
        ("DATA", "554 spam", r"refused the digest \(554\)"),
    ],
)
def test_what_was_refused_may_be_sent_once_it_is_mended(
    settings: Settings, mailbox: Any, command: str, answer: str, message: str
) -> None:
    ready = by_mail(settings, mailbox.port)
    mailbox.refuse = {command: answer}
    with pytest.raises(SendError, match=message):
        send(ready)

    mailbox.refuse = {}
    assert send(ready) == [("mail", "sent")]


def test_a_line_that_breaks_after_the_message_is_not_tried_again_by_itself(settings: Settings, mailbox: Any) -> None:
    ready = by_mail(settings, mailbox.port)
    mailbox.hang_up = True
    with pytest.raises(SendError, match=r"(?s)mail: 127\.0\.0\.1.*It may have arrived"):
        send(ready)
    mailbox.hang_up = False

    with pytest.raises(SendError, match="did not come to an end, so the digest of 2026-W46 may have arrived"):
        send(ready)
    assert send(ready, again=True) == [("mail", "sent")]
    assert len(mailbox.messages) == 2


def test_where_nobody_listens_nothing_was_sent(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SendError, match=r"(?s)mail: 127\.0\.0\.1:\d+: Connection refused.*Nothing was sent"):
        send(by_mail(settings, port))

    store = open_store(settings.store_url)
    with store.read() as connection:
        assert deliveries_of(connection, WEEK) == []
    store.close()


def test_a_run_that_was_killed_while_sending_is_told(settings: Settings, mailbox: Any) -> None:
    import hashlib

    store = open_store(settings.store_url)
    audience = hashlib.sha256(b"ops@example.com").hexdigest()
    with store.begin() as connection:
        assert claim_delivery(connection, Delivery(WEEK, "mail", audience, datetime(2026, 11, 16, 7, tzinfo=UTC)))
    store.close()

    with pytest.raises(SendError, match="mail: an attempt of 2026-11-16 07:00 UTC did not come to an end"):
        send(by_mail(settings, mailbox.port))
    assert mailbox.messages == []


def test_slack_gets_text_that_can_do_nothing(settings: Settings, channel: Any) -> None:
    assert send(by_webhook(settings, channel.port)) == [("slack", "sent")]

    (post,) = channel.posts
    said = "\n".join(block["text"]["text"] for block in post["blocks"])
    assert "Reset &lt;AD&gt; password" in said
    assert "<AD>" not in said
    assert "evil.example" in said
    assert "https://evil" not in said
    assert post["text"] == "What keeps coming back, 2026-W46"


def test_teams_gets_a_card_without_links_of_others(settings: Settings, channel: Any) -> None:
    assert send(by_webhook(settings, channel.port, "teams")) == [("teams", "sent")]

    (attachment,) = channel.posts[0]["attachments"]
    said = "\n".join(part["text"] for part in attachment["content"]["body"])
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert r"\[x\]\(https:" in said
    assert "https://" not in said


@pytest.mark.parametrize(("status", "certain"), [(404, True), (302, True), (503, False)])
def test_a_webhook_that_refuses_is_told_without_its_secret(
    settings: Settings, channel: Any, status: int, certain: bool
) -> None:
    channel.status = status
    ready = by_webhook(settings, channel.port)
    with pytest.raises(SendError, match=f"slack: 127.0.0.1 answered {status}") as refused:
        send(ready)
    assert refused.value.is_certain is certain
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in repr(ready)

    channel.status = 200
    if certain:
        assert send(ready) == [("slack", "sent")]


def test_one_channel_that_fails_does_not_hold_up_the_other(settings: Settings, mailbox: Any, channel: Any) -> None:
    channel.status = 410
    ready = by_webhook(by_mail(settings, mailbox.port), channel.port)
    with pytest.raises(SendError, match=r"slack: 127\.0\.0\.1 answered 410\. Sent: mail\."):
        send(ready)

    channel.status = 200
    assert [outcome[:11] for _, outcome in send(ready)] == ["sent before", "sent"]
    assert len(mailbox.messages) == 1


def test_with_nobody_to_send_to_it_says_what_to_set(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"(?s)nobody to send the digest to.*\[mail\] host"):
        send(settings)
    with pytest.raises(SettingsError, match=r"\[mail\] names a host and nobody to send to"):
        send(settings.model_copy(update={"mail": Mail(host="127.0.0.1")}))
