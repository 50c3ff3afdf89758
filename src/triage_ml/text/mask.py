"""What varies from ticket to ticket of the same kind becomes a placeholder, so that alike tickets read alike.

The rules run in order, from the most specific shape to the plain number. What names the problem stays: product names with
digits in them, error codes (`ORA-00600`, `0x80070005`, `error 500`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from triage_ml.text.rules import DIGITS, Rule, apply_rules

__all__ = ["MASK_RULES", "mask"]

_MONTH = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|ago|sep|oct|okt|nov|dec|dez|ene|abr|dic)[a-zäéû]{0,7}\.?"
_ISO_DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?[ap]\.?m\b\.?)?(?:Z|[+-]\d{2}:?\d{2})?"
_DOMAINS = "com|net|org|edu|gov|io|co|eu|de|at|ch|fr|es|it|nl|uk|us|local|lan|corp|intern|internal|intra|ad|cloud|dev"
_MACHINE = "srv|svr|server|host|pc|nb|lap|laptop|desktop|lt|wks|ws|vm|esx|sw|switch|rtr|fw|ap|prn|prt|printer|db|app|web|dc|nas"
# Codes that look like the name of a machine but say what is meant.
_CODES = "ora|sha|utf|aes|rsa|tls|covid|usb|iso|din|rfc|error|event|code|http|kb|cve|sap|office|windows|win|exchange"


def _rule(name: str, pattern: str, replacement: str, needs: tuple[str, ...] = DIGITS) -> Rule:
    return Rule(name, re.compile(pattern, re.IGNORECASE), replacement, needs)


MASK_RULES: tuple[Rule, ...] = (
    _rule("url", r"(?<![\w/])(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s\"]++", "<url>", ("://", "www.")),
    _rule("guid", r"(?<!\w)\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?(?!\w)", "<guid>", ("-",)),
    _rule("windows path", r"(?<!\w)(?:[a-z]:\\|\\\\)[^\s\"'<>|?*:]++", "<path>", ("\\",)),
    _rule("unix path", r"(?<![\w/<.~-])~?/[\w.@+-]++(?:/[\w.@+-]*+)++", "<path>", ("/",)),
    _rule(
        "mac address", r"(?<![\w:-])[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![\w:-])", "<mac>", (":", "-")
    ),
    _rule("ip address", r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2}|:\d{1,5})?(?![\w.]*\d)", "<ip>"),
    _rule(
        "ip address, version 6",
        r"(?<![\w:])(?=[0-9a-f:]{0,38}::|(?:[0-9a-f]{1,4}:){7})[0-9a-f:]{3,39}+(?![\w:])",
        "<ip>",
        ("::", ":"),
    ),
    _rule("date and time", rf"(?<!\w){_ISO_DATE}[T ,]{{1,2}}{_CLOCK}(?!\w)", "<date> <time>"),
    _rule(
        "date",
        rf"(?<![\w.-])(?:{_ISO_DATE}|\d{{1,2}}[./-]\d{{1,2}}[./-](?:\d{{4}}|\d{{2}})|\d{{1,2}}\.\d{{1,2}}\.)(?![\w-])",
        "<date>",
    ),
    _rule(
        "date in words",
        rf"(?<!\w)(?:\d{{1,2}}(?:st|nd|rd|th|\.)? (?:de )?{_MONTH}(?: (?:de )?\d{{4}})?|"
        rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?)(?!\w)",
        "<date>",
    ),
    _rule("time", rf"(?<![\w:]){_CLOCK}(?!\w)", "<time>"),
    _rule("ticket number", r"(?<!\w)(?:INC|REQ|RITM|CHG|PRB|SCTASK|TASK|TKT|CS|WO|SR)[-_#]?\d{3,}(?!\w)", "<id>"),
    _rule("personal number", r"(?<![\w-])[a-z]{1,2}\d{5,}(?!\w)", "<id>"),
    _rule(
        "address of a host",
        rf"(?<![\w.@-])(?:[a-z0-9-]++\.){{1,8}}(?<=\.)(?:{_DOMAINS})(?::\d{{1,5}})?(?![\w-])",
        "<host>",
        (".",),
    ),
    _rule(
        "name of a host",
        rf"(?<![\w-])(?!(?:{_CODES})[-\d])(?:[a-z]{{2,}}[a-z0-9]*+(?:-[a-z0-9]+)*-[a-z]{{0,4}}\d{{2,}}|(?:{_MACHINE})[a-z]*\d{{2,}})(?![\w-])",
        "<host>",
    ),
    _rule("hexadecimal number", r"(?<!\w)0x(?![8c][0-9a-f]{7}(?!\w))[0-9a-f]++(?!\w)", "<hex>", ("0x",)),
    _rule("hash", r"(?<!\w)(?=[a-f]*+\d)(?=\d*+[a-f])[0-9a-f]{8,}+(?!\w)", "<hex>"),
    _rule("version", r"(?<![\w.])v?\d{1,5}(?:\.\d{1,6}){2,5}(?![\w]|\.\d)", "<version>"),
    _rule(
        "number",
        r"(?<![\w.<])(?<!error )(?<!code )(?<!http )(?<!event )(?<!fehler )#?\d++(?:[.,]\d++)*+(?!\w)",
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
