"""Passwords, keys and tokens.

A doubtful password is redacted: "password: expired" stays, because `expired` says what is wrong with it, and any word that
is not on that list goes.
"""

from __future__ import annotations

import re

from triage_ml.text.rules import Rule

__all__ = ["SECRET_RULES"]

# After "password is" these say what is wrong with it; they are not the password.
_STATES = (
    "a|about|abgelaufen|accepted|again|already|always|also|an|and|asked|being|bloqueada|blocked|by|caducada|cannot|changed|"
    "correct|denied|die|does|doesn't|el|ella|expire|expired|expiring|expiré|expirée|falsch|field|for|forgot|forgotten|"
    "from|gesperrt|going|has|hat|in|incorrect|incorrecta|invalid|issue|issues|it|läuft|locked|lost|missing|must|my|"
    "needed|needs|never|nicht|no|not|oublié|of|ok|old|on|only|or|out|perdu|please|policy|problem|protected|rejected|"
    "request|required|requires|reset|saved|seit|set|soon|still|stolen|that|the|this|to|too|ungültig|unknown|update|"
    "updated|vergessen|was|wrong|wurde|weg|working|zu|zurücksetzen"
)
# The words for a password without their first letter: the pattern takes that one alone, see `rules`.
# Each begins with a set, which the engine checks faster than a letter of either case.
_WORDS = (
    r"(?:[Aa](?<=p.)ss(?:word|wort|phrase|code|wd)|[Ww](?<=p.)d?|[Ii](?<=p.)n|[Ee](?<=k.)nnwort|[Oo](?<=c.)ntrase[nñ]a|"
    r"[Ll](?<=c.)ave|[Oo](?<=m.)t de passe|[Dd](?<=m.)p|[Uu](?<=z.)gangsdaten)"
)
_KEYS = (
    r"(?:(?:api|access|secret|account|storage|encryption)[ _-]?key|(?:client|app|shared)[ _-]?secret|secret|"
    r"(?:access|auth|api|bearer|refresh|session)[ _-]?token|token|connection ?string)"
)
_SIGN = r"""["']?\s{0,3}(?:[:=]|->|=>)\s{0,3}"""
_VERB = r"\s{1,3}(?:is|was|ist|war|lautet|es|est)(?:\s{0,2}:)?\s{1,3}"
_NO_STATE = rf"(?!(?:{_STATES})(?![\w!@#$%&*]))"
_LAST_OF_ITS_CLAUSE = r"(?!\w+[ \t]+\w)"
_LOOKS_MADE_UP = r"(?=\S{0,60}[\d!@#$%&*?_+=])(?=\S{0,60}[^\W\d_])(?=\S{6})"
_VALUE = r"""(?!<[a-z_]+>)(?:"[^"\n]{1,200}"|'[^'\n]{1,200}'|\S+)"""

_PASSWORD = (
    rf"([PKCMZpkcmz](?<![^\W_].)(?i:{_WORDS}(?:"
    rf"{_SIGN}{_NO_STATE}|"  # password: anything but a state
    rf"{_VERB}{_NO_STATE}{_LAST_OF_ITS_CLAUSE}|"  # the password is Sommer.
    rf"(?:{_VERB}|\s{{1,3}}){_LOOKS_MADE_UP}"  # password Sommer2026
    rf"))){_VALUE}"
)

SECRET_RULES: tuple[Rule, ...] = (
    Rule(
        "private key block",
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]{0,40}-----|\Z)", re.DOTALL
        ),
        "<secret>",
        needs=("-----begin",),
    ),
    Rule(
        "credentials in a URL",
        re.compile(r"(?<![\w+.-])([a-z][a-z0-9+.-]{1,20}://)(?!<)[^\s/@<>]{1,200}@", re.IGNORECASE),
        r"\1<secret>@",
        needs=("://",),
    ),
    Rule(
        "query of a URL",
        re.compile(r"(?<![\w/])(https?://[^\s?#\"]{1,2000}+\?)(?!<query>)[^\s\"]+", re.IGNORECASE),
        r"\1<query>",
        needs=("://",),
    ),
    Rule(
        "JSON web token",
        re.compile(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{4,}+(?:\.[\w-]*+)?"),
        "<secret>",
        needs=("eyj",),
    ),
    Rule(
        "AWS key",
        re.compile(r"A(?<![A-Za-z0-9]A)(?:KIA|SIA|GPA|IDA|ROA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
        "<secret>",
        needs=("akia", "asia", "agpa", "aida", "aroa"),
    ),
    Rule(
        "key with a known prefix",
        re.compile(
            r"(?<![\w-])(?:gh[pousr]_\w{20,}+|github_pat_\w{20,}+|glpat-[\w-]{16,}+|xox[abprs]-[\w-]{10,}+|"
            r"AIza[\w-]{35}|sk[-_](?:live_|test_|proj-|ant-)?[\w-]{20,}+|SG\.[\w-]{16,}+\.[\w-]{16,}+)"
        ),
        "<secret>",
        needs=("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "aiza", "sk-", "sk_", "sg."),
    ),
    Rule(
        "authorization header",
        re.compile(r"(?<!\w)(bearer|basic)(\s{1,3})(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}+", re.IGNORECASE),
        r"\1\2<secret>",
        needs=("bearer", "basic"),
    ),
    Rule(
        "password after its word",
        re.compile(_PASSWORD),
        r"\1<secret>",
        needs=(
            "passw",
            "passp",
            "passc",
            "pw",
            "kennwort",
            "contrase",
            "de passe",
            "mdp",
            "clave",
            "pin",
            "zugangsdaten",
        ),
    ),
    Rule(
        "key after its name",
        re.compile(rf"(?<![^\W_])({_KEYS}{_SIGN})(?=\S{{6}}){_VALUE}", re.IGNORECASE),
        r"\1<secret>",
        needs=("key", "secret", "token", "string"),
    ),
)
