from __future__ import annotations

import os
import subprocess
import sys

import pytest

from triage_ml.patterns import headline_of
from triage_ml.patterns.titles import name_groups


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("RE: FW: VPN down", "body", "VPN down"),
        ("", "Printer jam. It happened twice.", "Printer jam."),
        ("  ", "first line\nsecond line", "first line"),
        ("", "", ""),
    ],
    ids=["without forwards", "first sentence", "first line", "nothing"],
)
def test_headline(title: str, text: str, expected: str) -> None:
    assert headline_of(title, text) == expected


def test_a_title_is_a_headline_that_says_what_sets_the_group_apart() -> None:
    names = name_groups(
        [
            [("Password reset for <user>", 5), ("Help needed", 4), ("Reset my password", 3)],
            [("Printer jam on <host>", 5), ("Help needed", 4)],
        ]
    )

    assert [name.title for name in names] == ["Reset my password", "Printer jam"]
    assert set(names[0].keywords) >= {"password", "reset"}


def test_two_groups_never_share_a_title() -> None:
    names = name_groups([[("VPN down", 3)], [("VPN down", 2)], [("vpn down", 1)]], taken=["Vpn Down"])

    titles = [name.title.casefold() for name in names]
    assert len({*titles, "vpn down"}) == 4


def test_a_group_without_words_still_has_a_name() -> None:
    assert name_groups([[("<host> <num>", 9)]])[0].title == "Unnamed"


def test_no_placeholder_or_loose_end_is_left_in_a_title() -> None:
    (name,) = name_groups([[("disk of <host> above <num>% since <date>, on", 1)]])

    assert name.title == "Disk"
    assert "<" not in name.title


@pytest.mark.parametrize(
    ("headline", "title"),
    [
        ("Hello team, mailbox is full", "Mailbox is full"),
        ("PROBLEM: host unreachable", "Host unreachable"),
        ("CRITICAL - service stopped", "Service stopped"),
        ("Error when saving a report", "Error when saving a report"),
        ("Hello", "Hello"),
        ("Hi, error: good morning all - disk full", "Disk full"),
        ("Warning – backup failed", "Backup failed"),
        ("Hola! impresora rota", "Impresora rota"),
        ("Event-Management down", "Event-Management down"),
        ("Info-Terminal ausgefallen", "Info-Terminal ausgefallen"),
        ("OK-Button reagiert nicht", "OK-Button reagiert nicht"),
        ("Critical-path report missing", "Critical-path report missing"),
        ("Hi-Res display broken", "Hi-Res display broken"),
        ("Hi all-hands screen is dark", "Hi all-hands screen is dark"),
        ("Hello PIN not working", "Hello PIN not working"),
        ("Hello.exe crashes", "Hello.exe crashes"),
    ],
)
def test_a_title_begins_with_what_it_is_about(headline: str, title: str) -> None:
    assert name_groups([[(headline, 1)]])[0].title == title


def test_what_only_one_ticket_is_about_is_not_in_a_title() -> None:
    jobs = [(f"background job {one}{other}sync aborted", 1) for one in "abcdefgh" for other in "abcdefgh"] * 3
    (name,) = name_groups([[*jobs, ("background job aborted", 1)]])

    assert name.title == "Background job aborted"


def test_two_words_say_more_than_one() -> None:
    assert name_groups([[("toner", 60), ("toner empty", 4)]])[0].title == "Toner empty"


def test_titles_that_weigh_the_same_are_told_apart_the_same_in_every_process() -> None:
    script = (
        "from triage_ml.patterns.titles import name_groups\n"
        "names = ('aadams', 'nnakamu', 'pschmid', 'sreyes', 'mmuller', 'kkowalski', 'jjones', 'ddubois')\n"
        "logons = [(f'Atypical logon location {name} again today', 1) for name in names]\n"
        "others = [(f'Printer out of toner {number} again today', 1) for number in 'abcdefg']\n"
        "print(name_groups([logons, others])[0].title)\n"
    )
    titles = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(1, 5)
    }

    assert titles == {"Atypical logon location aadams again today\n"}
