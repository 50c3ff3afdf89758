"""What mail adds goes, what was said stays."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.text import clean

CLEANED = {
    "greeting on the line of the sentence": ("Hi team, the VPN is down", "the VPN is down"),
    "English mail": ("Hello team\n\nPrinter broken.\n\nBest regards,\nJo Doe\nFloor 3", "Printer broken."),
    "German mail": (
        "Sehr geehrte Damen und Herren,\nmein Drucker druckt nicht.\nMit freundlichen Grüßen\nMax",
        "mein Drucker druckt nicht.",
    ),
    "Spanish mail": ("Hola,\nno funciona el correo.\nUn saludo\nAna", "no funciona el correo."),
    "French mail": ("Bonjour,\nmon écran est noir.\nCordialement,\nLuc", "mon écran est noir."),
    "signature after two dashes": ("It crashes.\n-- \nJo Doe\nExample Ltd", "It crashes."),
    "disclaimer": (
        "It crashes.\n\nThis e-mail is confidential and intended solely for you.\nDelete it.",
        "It crashes.",
    ),
    "quoted thread below an answer": (
        "It still does not work after the reboot.\n\nOn Mon, 1 Jan 2026 at 10:00, IT <it@x.org> wrote:\n> reboot it",
        "It still does not work after the reboot.",
    ),
    "Outlook thread below an answer": (
        "It still does not work after the reboot.\n\nVon: IT\nGesendet: Montag\nAn: Jo\nBetreff: x\n\nNeu starten.",
        "It still does not work after the reboot.",
    ),
    "forwarded ticket under a short note": (
        "FYI, see below\n\n-----Original Message-----\nFrom: a\nSent: Monday\nTo: x\n\nMy laptop does not start.",
        "FYI, see below\n\nMy laptop does not start.",
    ),
    "HTML": (
        "<html><head><style>p{}</style></head><body><p>Hi Bob,</p><p>The <b>VPN</b> drops &amp; drops.</p></body></html>",
        "The VPN drops & drops.",
    ),
    "HTML table": ("<table><tr><td>Host</td><td>srv</td></tr><tr><td>a</td></tr></table>", "Host srv\n\na"),
    "angle brackets that are no HTML": (
        "<jo@x.org> List<int> a < b > c <secret>",
        "<jo@x.org> List<int> a < b > c <secret>",
    ),
    "spaces and blank lines": ("a  b\t c \r\n\r\n\r\n\r\n d", "a b c\n\nd"),
    "NUL, control and invisible characters": ("a\x00b\x07 \u200bc\ufeff \u202ed", "ab c d"),
    "lone surrogate": ("a\ud800b", "ab"),
    "emoji and right-to-left text": ("مرحبا 👩\u200d💻 שלום", "مرحبا 👩\u200d💻 שלום"),
    "composed characters": ("e\u0301te\u0301", "été"),
    "thanks in the middle": (
        "Thanks\n\n" + "The printer is broken again and nobody came. " * 20,
        "Thanks\n\n" + ("The printer is broken again and nobody came. " * 20).strip(),
    ),
}


@pytest.mark.parametrize(("text", "expected"), CLEANED.values(), ids=CLEANED.keys())
def test_clean(text: str, expected: str) -> None:
    assert clean([text]) == [expected]


@pytest.mark.parametrize("text", ["Thanks", "Hi", "Hello team,", "> quoted only", "Best regards\nJo", "<p>Hi</p>"])
def test_nothing_is_cleaned_away_whole(text: str) -> None:
    (cleaned,) = clean([text])
    assert any(char.isalpha() for char in cleaned)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("html", "<b>down</b>"),
        ("threads", "> quoted\nIt is down"),
        ("greetings", "Hi Bob, it is down"),
        ("signatures", "It is down\nRegards\nJo"),
    ],
)
def test_each_step_can_be_switched_off(step: str, text: str) -> None:
    assert clean([text], **{step: False}) == [text]
    assert clean([text]) != [text]


@given(st.text(max_size=300))
def test_letters_never_vanish_and_controls_never_stay(text: str) -> None:
    (cleaned,) = clean([text])
    seen = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode())
    assert any(map(str.isalpha, cleaned)) == any(map(str.isalpha, seen))
    assert "\x00" not in cleaned
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize(
    "part", ["<", "<p ", "<style", "&amp;", "\n", "> a\n", "Hi ", "-- \n", "From: x\n", "this e-mail ", " ", "\r"]
)
def test_hostile_text_costs_no_time(part: str) -> None:
    text = (part * 100_000)[:100_000]
    start = time.process_time()
    clean([text, text + "!"])
    assert time.process_time() - start < 1.0  # alone on a core 0.2; catastrophic backtracking takes minutes
