"""Secrets and personal data become placeholders.

What has a shape is found: addresses, numbers with a check digit, keys, passwords after the word for them. Names of people
have none and are not covered. A doubtful password is redacted, a doubtful number is left alone: numbers are what tickets
are made of, and every kind here has a check digit, a separator pattern or a word in front of it.

Every pattern is linear: possessive quantifiers (`++`), bounded repeats, and a look-behind that allows a match to begin
only where a token begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from triage_ml.text.checksums import dni_holds, iban_holds, luhn_holds, nir_holds
from triage_ml.text.rules import DIGITS, Rule, apply_rules

__all__ = ["REDACT_RULES", "redact"]

# After "password is" these say what is wrong with it; they are not the password.
_STATES = (
    "a|about|abgelaufen|accepted|again|already|always|also|an|and|asked|being|bloqueada|blocked|by|caducada|cannot|changed|"
    "correct|denied|die|does|doesn't|el|el[a]?|expire|expired|expiring|expiré|expirée|falsch|field|for|forgot|forgotten|"
    "from|gesperrt|going|has|hat|in|incorrect|incorrecta|invalid|issue|issues|it|läuft|locked|lost|missing|must|my|"
    "needed|needs|never|nicht|no|not|oublié|of|ok|old|on|only|or|out|perdu|please|policy|problem|protected|rejected|"
    "request|required|requires|reset|saved|seit|set|soon|still|stolen|that|the|this|to|too|ungültig|unknown|update|"
    "updated|vergessen|was|wrong|wurde|weg|working|zu|zurücksetzen"
)
_VALUE = r"""(?!<[a-z_]+>)(?:"[^"\n]{1,200}"|'[^'\n]{1,200}'|\S+)"""
_WORDS = (
    r"(?:pass(?:word|wort|phrase|code|wd)|kennwort|contraseña|contrasena|"
    r"mot de passe|zugangsdaten|pwd|pw|mdp|clave|pin)"
)
_KEY_NAMES = (
    r"(?:(?:api|access|secret|account|storage|encryption)[ _-]?key|(?:client|app|shared)[ _-]?secret|secret|"
    r"(?:access|auth|api|bearer|refresh|session)[ _-]?token|token|aws_secret_access_key|connection ?string)"
)
_WORD_NEEDS = ("pass", "pw", "kennwort", "contrase", "mdp", "clave", "pin", "zugangsdaten")
_KEY_NEEDS = ("key", "secret", "token", "string")
_SIGN = r"""["']?\s{0,3}(?:[:=]|->|=>)\s{0,3}"""
_VERB = r"\s{1,3}(?:is|was|ist|war|lautet|es|est)(?:\s{0,2}:)?\s{1,3}"


def _pattern(text: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(text, flags)


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


_SECRETS = (
    Rule(
        "private key block",
        _pattern(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]{0,40}-----|\Z)", re.DOTALL),
        "<secret>",
        needs=("-----begin",),
    ),
    Rule(
        "credentials in a URL",
        _pattern(r"(?<![\w+.-])([a-z][a-z0-9+.-]{1,20}://)(?!<)[^\s/@<>]{1,200}@"),
        r"\1<secret>@",
        needs=("://",),
    ),
    Rule(
        "query of a URL",
        _pattern(r"(?<![\w/])(https?://[^\s?#\"]{1,2000}+\?)(?!<query>)[^\s\"]+"),
        r"\1<query>",
        needs=("://",),
    ),
    Rule(
        "JSON web token", _pattern(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{4,}+(?:\.[\w-]*+)?", 0), "<secret>", needs=("eyj",)
    ),
    Rule(
        "AWS key",
        _pattern(r"(?<![A-Za-z0-9])A(?:KIA|SIA|GPA|IDA|ROA)[A-Z0-9]{16}(?![A-Za-z0-9])", 0),
        "<secret>",
        ("a",),
    ),
    Rule(
        "key with a known prefix",
        _pattern(
            r"(?<![\w-])(?:gh[pousr]_\w{20,}+|github_pat_\w{20,}+|glpat-[\w-]{16,}+|xox[abprs]-[\w-]{10,}+|"
            r"AIza[\w-]{35}|sk[-_](?:live_|test_|proj-|ant-)?[\w-]{20,}+|SG\.[\w-]{16,}+\.[\w-]{16,}+)",
            0,
        ),
        "<secret>",
        needs=("gh", "glpat-", "xox", "aiza", "sk-", "sk_", "sg."),
    ),
    Rule(
        "authorization header",
        _pattern(r"(?<!\w)(bearer|basic)(\s{1,3})(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}+"),
        r"\1\2<secret>",
        needs=("bearer", "basic"),
    ),
    Rule(
        "password after a sign",
        _pattern(rf"(?<![^\W_])({_WORDS}{_SIGN})(?!(?:{_STATES})(?![\w!@#$%&*])){_VALUE}"),
        r"\1<secret>",
        needs=_WORD_NEEDS,
    ),
    Rule(
        "password after a verb",
        _pattern(
            rf"(?<!\w)({_WORDS}{_VERB})(?!(?:{_STATES})(?![\w!@#$%&*]))"
            rf"(?!\w+[ \t]+\w)(?=\S){_VALUE}"
        ),
        r"\1<secret>",
        needs=_WORD_NEEDS,
    ),
    Rule(
        "password that looks like one",
        _pattern(
            rf"(?<!\w)({_WORDS}(?:{_VERB}|\s{{1,3}}))(?!<)(?=\S{{0,60}}[\d!@#$%&*?_+=])(?=\S{{0,60}}[^\W\d_])\S{{6,}}"
        ),
        r"\1<secret>",
        needs=_WORD_NEEDS,
    ),
    Rule(
        "secret after a sign",
        _pattern(rf"(?<![^\W_])({_KEY_NAMES}{_SIGN})(?=\S{{6}}){_VALUE}"),
        r"\1<secret>",
        needs=_KEY_NEEDS,
    ),
)

_PERSONAL = (
    Rule("e-mail", _pattern(r"(?<![\w.%+'-])[\w.%+'-]++@[\w-]++(?:\.[\w-]++)++"), "<email>", needs=("@",)),
    Rule(
        "IBAN",
        _pattern(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"),
        _iban,
        needs=DIGITS,
    ),
    Rule(
        "payment card",
        _pattern(r"(?<![\w-])[2-6](?:\d{12,18}|\d{3}(?:[ -]\d{4}){3}|\d{3}[ -]\d{6}[ -]\d{5})(?![\w])"),
        _card,
        needs=DIGITS,
    ),
    Rule(
        "US social security number",
        _pattern(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
        "<national_id>",
        needs=DIGITS,
    ),
    Rule("Spanish DNI and NIE", _pattern(r"(?<!\w)[XYZ\d]\d{7}-?[A-Z](?!\w)"), _dni, needs=DIGITS),
    Rule(
        "UK national insurance number",
        _pattern(r"(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)", 0),
        "<national_id>",
        needs=DIGITS,
    ),
    Rule(
        "Italian codice fiscale",
        _pattern(r"(?<!\w)[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z](?!\w)"),
        "<national_id>",
        DIGITS,
    ),
    Rule("French NIR", _pattern(r"(?<!\w)[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d(?!\w)"), _nir, needs=DIGITS),
    Rule(
        "national id after its name",
        _pattern(
            r"(?<!\w)((?:ssn|social security (?:number|no\.?)|steuer-?id|sozialversicherungsnummer|passport(?: number| no\.?)?|"
            r"reisepass(?:nummer)?|personalausweis(?:nummer)?|dni|nif|nie)\s{0,2}[:#=]?\s{0,2})"
            r"(?=[a-z]{0,3}\d)[a-z0-9][a-z0-9 -]{4,16}[a-z0-9]"
            r"(?!\w)"
        ),
        r"\1<national_id>",
        needs=("ssn", "social", "steuer", "sozial", "pass", "ausweis", "dni", "nif", "nie"),
    ),
    Rule(
        "phone, international",
        _pattern(r"(?<![\w+.])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){7,14}(?![\w])"),
        "<phone>",
        needs=DIGITS,
    ),
    Rule(
        "phone, North America",
        _pattern(r"(?<![\w.-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}(?![\w-])"),
        "<phone>",
        needs=DIGITS,
    ),
    Rule(
        "phone, national with a leading zero",
        _pattern(r"(?<![\w./:-])\(?0[1-9]\d{1,4}(?:\)? ?[/-] ?|\)? )\d(?:[ -]?\d){4,9}(?![\w.:/-])"),
        "<phone>",
        needs=DIGITS,
    ),
    Rule(
        "phone after its name",
        _pattern(
            r"(?<!\w)((?:tel(?:efon|ephone|éfono)?|phone(?: number| no\.?)?|mobile|cell|handy|móvil|fax|durchwahl|extension|ext)"
            r"\s{0,2}[.:#]?\s{0,2})\(?\d(?:[ ()./-]{0,2}\d){3,14}(?!\w)"
        ),
        r"\1<phone>",
        needs=("tel", "phone", "mobile", "cell", "handy", "móvil", "fax", "durchwahl", "ext"),
    ),
)

REDACT_RULES: tuple[Rule, ...] = _SECRETS + _PERSONAL


def redact(texts: Iterable[str], *, rules: Sequence[Rule] = REDACT_RULES) -> list[str]:
    """Replace secrets and personal data with placeholders.

    Placeholders are `<secret>`, `<query>` (of a URL), `<email>`, `<iban>`, `<card>`, `<national_id>` and `<phone>`. Redacting
    twice changes nothing more. Names of people and street addresses stay: they have no shape that a rule could find.

    >>> redact(["Call +49 30 901820 or mail jo@example.org, pw is Sommer2026!"])
    ['Call <phone> or mail <email>, pw is <secret>']
    """
    return apply_rules(texts, rules)
