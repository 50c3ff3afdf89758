"""Addresses, accounts, cards, identity numbers, phones.

A doubtful number is left alone: numbers are what tickets are made of, and each kind here has a check digit, separators in
the right places, or a word in front of it.
"""

from __future__ import annotations

import re

from triage_ml.text.checksums import dni_holds, iban_holds, luhn_holds, nir_holds
from triage_ml.text.rules import DIGITS, Rule

__all__ = ["PERSONAL_RULES"]

# Six digits with at most two separators between them: less is no account, card, identity number or phone.
_LONG_NUMBER = re.compile(r"[0-9](?:[ ()./-]{0,2}[0-9]){5}")
_CODICE_FISCALE = re.compile(r"[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]")


def _card(match: re.Match[str]) -> str:
    return "<card>" if luhn_holds(match[0]) else match[0]


def _iban(match: re.Match[str]) -> str:
    """An IBAN may run into the words after it: the longest head that satisfies the check is the IBAN."""
    head = match[0]
    while not iban_holds(head):
        head, space, _ = head.rpartition(" ")
        if not space:
            return match[0]
    return "<iban>" + match[0][len(head) :]


def _nir(match: re.Match[str]) -> str:
    return "<national_id>" if nir_holds(match[0]) else match[0]


def _dni(match: re.Match[str]) -> str:
    return "<national_id>" if dni_holds(match[0]) else match[0]


PERSONAL_RULES: tuple[Rule, ...] = (
    Rule("e-mail", re.compile(r"(?<![\w.%+'-])[\w.%+'-]++@[\w-]++(?:\.[\w-]++)++"), "<email>", needs=("@",)),
    Rule(
        "IBAN",
        re.compile(r"[A-Za-z](?<!\w.)[A-Za-z][0-9]{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?!\w)"),
        _iban,
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "payment card",
        re.compile(
            r"[2-6](?<![\w-].)(?:[0-9]{12,18}|[0-9]{3}(?:[ -][0-9]{4}){3}|[0-9]{3}[ -][0-9]{6}[ -][0-9]{5})(?!\w)"
        ),
        _card,
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "US social security number",
        re.compile(r"[0-8][0-9]{2}(?<![\w-].{3})(?<!000)(?<!666)-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])"),
        "<national_id>",
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "Spanish DNI and NIE",
        re.compile(r"[XYZxyz0-9](?<!\w.)[0-9]{7}-?[A-Za-z](?!\w)"),
        _dni,
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "French NIR",
        re.compile(r"[12](?<!\w.) ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}(?!\w)"),
        _nir,
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "phone, international",
        re.compile(r"(?:\+|00)(?<![\w+.]\+)(?<![\w+.]00)[1-9](?:[ ()./-]{0,2}[0-9]){7,14}(?!\w)"),
        "<phone>",
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "phone, North America",
        re.compile(
            r"[(2-9](?:(?<![\w.-].)|(?<=\b1-.))(?:(?<=\()[2-9][0-9]{2}\) ?|(?<=[2-9])[0-9]{2}[ .-])[0-9]{3}[ .-][0-9]{4}"
            r"(?![\w-])"
        ),
        "<phone>",
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "phone, national with a leading zero",
        re.compile(
            r"(?:\(0|0)(?<![\w./:-]0)(?<![\w./:-]\(0)[1-9][0-9]{1,4}(?:\)? ?[/-] ?|\)? )[0-9](?:[ -]?[0-9]){4,9}(?![\w:/-])"
        ),
        "<phone>",
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "UK national insurance number",
        re.compile(r"[A-CEGHJ-PR-TW-Z](?<!\w.)[A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?!\w)"),
        "<national_id>",
        needs=DIGITS,
        hint=_LONG_NUMBER,
    ),
    Rule(
        "Italian codice fiscale",
        re.compile(r"[A-Z](?<!\w.)[A-Z]{5}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z](?!\w)"),
        "<national_id>",
        needs=DIGITS,
        hint=_CODICE_FISCALE,
    ),
    Rule(
        "identity number after its name",
        re.compile(
            r"(?<!\w)((?:ssn|social security (?:number|no\.?)|steuer-?id|sozialversicherungsnummer|"
            r"passport(?: number| no\.?)?|reisepass(?:nummer)?|personalausweis(?:nummer)?)\s{0,2}[:#=]?\s{0,2})"
            r"(?=[a-z]{0,3}\d)[a-z0-9](?: ?[a-z0-9]){4,16}(?!\w)",
            re.IGNORECASE,
        ),
        r"\1<national_id>",
        needs_too=DIGITS,
        needs=("ssn", "social sec", "steuer", "sozialver", "passport", "reisepass", "ausweis"),
    ),
    Rule(
        "date of birth",
        re.compile(
            r"(?<!\w)((?:born|date of birth|dob|geboren|geburtsdatum|geb\.|née?|nacid[oa]|fecha de nacimiento)"
            r"(?: on| am| le| el)?\s{0,2}:?\s{0,2})"
            r"(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4})(?!\w)",
            re.IGNORECASE,
        ),
        r"\1<birth_date>",
        needs=("born", "birth", "dob", "geb", "né", "nacid", "nacimiento"),
    ),
    Rule(
        "number of an employee",
        re.compile(
            r"(?<!\w)((?:employee|staff|personnel|personal|mitarbeiter|empleado)[ -]?(?:number|no\.?|id|nr\.?|nummer)"
            r"\s{0,2}[:#]?\s{0,2})(?=[a-z]{0,3}\d)[a-z0-9]{3,12}(?!\w)",
            re.IGNORECASE,
        ),
        r"\1<person_id>",
        needs_too=DIGITS,
        needs=("employee", "staff", "personnel", "personal", "mitarbeiter", "empleado"),
    ),
    Rule(
        "phone after its name",
        re.compile(
            r"(?<!\w)((?:tel(?:efon|ephone|éfono)?|phone(?: number| no\.?)?|mobile|cell|handy|móvil|fax|durchwahl|"
            r"extension|ext)\s{0,2}[.:#]?\s{0,2})\(?\d(?:[ ()./-]{0,2}\d){3,14}(?!\w)",
            re.IGNORECASE,
        ),
        r"\1<phone>",
        needs_too=DIGITS,
        needs=(
            "tel",
            "phone",
            "mobile",
            "cell",
            "handy",
            "móvil",
            "fax",
            "durchwahl",
            "extension",
            " ext",
            "ext.",
            "ext:",
        ),
    ),
)
