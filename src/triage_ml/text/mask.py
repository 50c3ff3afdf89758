"""What varies from ticket to ticket of the same kind becomes a placeholder, so that alike tickets read alike.

The rules run in order, from the most specific shape to the plain number. What names the problem stays: product names with
digits in them, error codes (`ORA-00600`, `0x80070005`, `error 500`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from triage_ml.text.rules import DIGITS, Rule, apply_rules

__all__ = ["MASK_RULES", "mask"]

_HEX = "[0-9A-Fa-f]"
_ISO_DATE = r"[0-9]{4}(?<!\w.{4})[-/][0-9]{1,2}[-/][0-9]{1,2}"
_AFTER_FIRST_DIGIT = (
    r"[0-9]?:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[ap]\.?m\b\.?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_MONTH_NAMES = "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|ago|sep|oct|okt|nov|dec|dez|ene|abr|dic"
_MONTH = rf"(?:{_MONTH_NAMES})[a-zäéû]{{0,7}}\.?"
_DOMAINS = (
    "com|net|org|edu|gov|io|co|eu|de|at|ch|fr|es|it|nl|uk|us|local|lan|corp|intern|internal|ad|cloud|dev|example|test"
)
_MACHINE = "srv|svr|server|host|pc|nb|lap|laptop|desktop|lt|wks|ws|vm|esx|sw|switch|rtr|fw|ap|prn|prt|printer|db|app|web|dc|nas"
# Codes that look like the name of a machine but say what is meant.
_CODES = "ora|sha|utf|aes|rsa|tls|covid|usb|iso|din|rfc|error|event|code|http|kb|cve|sap|office|windows|win|exchange"

# A number that a letter or a sign runs into: ticket numbers, personal numbers and names of machines have one.
_JOINED_NUMBER = re.compile(r"[0-9]{2}(?<=[A-Za-z_#-]..)")
_DATE = re.compile(r"[./-][0-9]{1,2}[./-]")
_DOTTED = re.compile(r"\.[0-9]{1,6}\.[0-9]")


def _rule(
    name: str, pattern: str, replacement: str, needs: tuple[str, ...] = DIGITS, hint: re.Pattern[str] | None = None
) -> Rule:
    return Rule(name, re.compile(pattern, re.IGNORECASE), replacement, needs, hint=hint)


MASK_RULES: tuple[Rule, ...] = (
    _rule("URL", r"(?<![\w/])(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s\"]++", "<url>", ("://", "www.")),
    _rule(
        "GUID",
        rf"(?<!\w)\{{?{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}\}}?(?!\w)",
        "<guid>",
        DIGITS,
        re.compile(rf"-{_HEX}{{4}}-{_HEX}{{4}}-"),
    ),
    _rule("Windows path", r"(?<!\w)(?:[a-z]:\\|\\\\)[^\s\"'<>|?*:]++", "<path>", ("\\",)),
    _rule("Unix path", r"(?:~/|/)(?<![\w/<.-]/)(?<![\w/<.~-]~/)[\w.@+-]++(?:/[\w.@+-]*+)++", "<path>", ("/",)),
    _rule(
        "MAC address",
        rf"(?<![\w:-]){_HEX}{{2}}([:-]){_HEX}{{2}}(?:\1{_HEX}{{2}}){{4}}(?![\w:-])",
        "<mac>",
        DIGITS,
        re.compile(rf"[:-]{_HEX}{{2}}[:-]{_HEX}{{2}}[:-]"),
    ),
    _rule(
        "IP address, version 6",
        r"(?<![\w:])(?=[0-9a-f:]{0,38}::|(?:[0-9a-f]{1,4}:){7})(?=[0-9a-f:]{0,38}[0-9a-f])[0-9a-f:]{3,39}+(?![\w:])",
        "<ip>",
        (":",),
        re.compile(rf":{_HEX}{{0,4}}:"),
    ),
    _rule(
        "IP address",
        r"[0-9](?<![\w.].)[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2}|:[0-9]{1,5})?(?!\w|\.[0-9])",
        "<ip>",
        hint=_DOTTED,
    ),
    _rule("date and time", rf"{_ISO_DATE}[T ,]{{1,2}}[0-9]{_AFTER_FIRST_DIGIT}(?!\w)", "<date> <time>", hint=_DATE),
    _rule(
        "date",
        rf"(?:{_ISO_DATE}|[0-9](?<![\w.-].)[0-9]?(?:[./-][0-9]{{1,2}}[./-](?:[0-9]{{4}}|[0-9]{{2}})|\.[0-9]{{1,2}}\.))(?![\w-])",
        "<date>",
        hint=_DATE,
    ),
    _rule(
        "date in words",
        rf"(?<!\w)(?:[0-9]{{1,2}}(?:st|nd|rd|th|\.)? (?:de )?{_MONTH}(?: (?:de )?[0-9]{{4}})?|"
        rf"{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?(?:,? [0-9]{{4}})?)(?!\w)",
        "<date>",
        tuple(_MONTH_NAMES.split("|")),
    ),
    _rule("time", rf"[0-9](?<![\w:].){_AFTER_FIRST_DIGIT}(?!\w)", "<time>", hint=re.compile(":[0-9]{2}")),
    _rule(
        "ticket number",
        r"(?<!\w)(?:INC|REQ|RITM|CHG|PRB|SCTASK|TASK|TKT|CS|WO|SR)[-_#]?[0-9]{3,}(?!\w)",
        "<id>",
        hint=_JOINED_NUMBER,
    ),
    _rule("personal number", r"(?<![\w-])(?!kb)[a-z]{1,2}[0-9]{5,}(?!\w)", "<id>", hint=_JOINED_NUMBER),
    _rule(
        "address of a host",
        rf"(?<![\w.@-])(?:[a-z0-9<>-]++\.){{1,8}}(?<=\.)(?:{_DOMAINS})(?::[0-9]{{1,5}})?(?![\w-])",
        "<host>",
        (".",),
        re.compile(rf"\.(?i:{_DOMAINS})(?![\w-])"),
    ),
    _rule(
        "name of a host",
        rf"(?<![\w-])(?=[a-z][a-z0-9-]*[0-9]{{2}}(?![\w-]))(?!(?:{_CODES})[-0-9])(?:[a-z]{{2,}}[a-z0-9]*+(?:-[a-z0-9]+){{0,5}}-[a-z]{{0,4}}[0-9]{{2,}}|"
        rf"(?:{_MACHINE})[a-z]*[0-9]{{2,}}|(?-i:[A-Z]{{3,}}[0-9]{{3,}}))(?![\w-])",
        "<host>",
        hint=_JOINED_NUMBER,
    ),
    _rule("hexadecimal number", rf"0x(?<!\w0x)(?![8c]{_HEX}{{7}}(?!\w)){_HEX}++(?!\w)", "<hex>", ("0x",)),
    _rule(
        "hash",
        r"(?<!\w)(?=[a-f]*+[0-9])(?=[0-9]*+[a-f])[0-9a-f]{8,}+(?!\w)",
        "<hex>",
        hint=re.compile(r"[0-9](?:(?<=[A-Fa-f].)|(?=[A-Fa-f]))"),
    ),
    _rule(
        "version",
        r"(?:v[0-9](?<![\w.]v.)|[0-9](?<![\w.].))[0-9]{0,4}(?:\.[0-9]{1,6}){2,5}(?!\w|\.[0-9])",
        "<version>",
        hint=_DOTTED,
    ),
    _rule(
        "number",
        r"[0-9](?<![\w.<].)(?<![a-z]-.)(?<!error .)(?<!code .)(?<!http .)(?<!event .)(?<!fehler .)[0-9]*+(?:[.,][0-9]++)*+(?!\w)",
        "<num>",
    ),
)


def mask(texts: Iterable[str], *, rules: Sequence[Rule] = MASK_RULES) -> list[str]:
    """Replace what varies with placeholders; `redact` first where the texts hold personal data.

    Parameters
    ----------
    rules
        Applied in order. Put your own in front: `(*mine, *MASK_RULES)`.

    >>> mask(["Ping 10.1.2.3 (srv-db-01) fails since 2026-11-22 03:04, 12 users"])
    ['Ping <ip> (<host>) fails since <date> <time>, <num> users']
    """
    return apply_rules(texts, rules)
