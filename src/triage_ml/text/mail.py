"""What mail puts around a message: greeting, sign-off, disclaimer, the thread below. English, German, French and Spanish."""

from __future__ import annotations

import re

__all__ = ["drop_disclaimers", "drop_greetings", "drop_signature", "drop_thread"]

_FLAGS = re.IGNORECASE | re.MULTILINE
# A reply that is shorter than this says "see below", and then what is below is the ticket.
_FEWEST_WORDS = 5
# Past these a "thanks" was no sign-off: people thank in the middle, too.
_LONGEST_SIGNATURE = 600
_MOST_SIGNATURE_LINES = 12

_GREETING = re.compile(
    r"^[ \t]*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|hallo|moin|guten (?:tag|morgen|abend)|servus|"
    r"liebe[rs]?|sehr geehrte[rs]?|bonjour|bonsoir|ch[eè]re?s?|salut|hola|buen(?:os|as) (?:d[ií]as|tardes|noches)|"
    r"estimad[oa]s?)(?:[ \t]+[\w.'’/&-]{1,20}){0,4}[ \t]*(?:[,!:–-]+[ \t]*|\.?[ \t]*$\n?)",
    _FLAGS,
)
_THREAD = re.compile(
    r"^[ \t]*(?:[-_]{2,}[ \t]*(?:original|forwarded|ursprüngliche|weitergeleitete|message d'origine|mensaje)[^\n]{0,60}|"
    r"_{10,}[ \t]*$|"
    r"(?:on|am|le|el)[ \t][^\n]{5,120}?\n?[^\n]{0,80}?(?:wrote|schrieb|a écrit|escribió)\b[^\n]{0,80}:[ \t]*$|"
    r"(?:from|von|de)[ \t]?:[^\n]{1,120}\n(?:[ \t]*\n)?"
    r"[ \t]*(?:sent|date|to|gesendet|datum|an|envoyé|à|enviado|fecha|para)[ \t]?:)",
    _FLAGS,
)
_QUOTED_LINE = re.compile(r"^[ \t]*(?:>|\|[ \t]).*$\n?", _FLAGS)
_HEADER_LINE = re.compile(
    r"^[ \t]*(?:from|sent|date|to|cc|subject|von|"
    r"gesendet|datum|an|betreff|de|envoyé|à|objet|enviado|fecha|para|asunto)[ \t]?:[^\n]*$\n?",
    _FLAGS,
)
_SIGN_OFF = re.compile(
    r"^[ \t]*(?:--[ \t]*$|(?:(?:kind|best|warm|many)[ \t]+)?(?:regards|wishes)\b|"
    r"best[ \t]*[,.]?[ \t]*$|cheers\b|sincerely\b|yours\b|"
    r"(?:many )?(?:thanks|thank you|thx)(?: and (?:best |kind )?regards| in advance| a lot| so much)?[ \t]*[,.!]*[ \t]*$|"
    r"(?:mit )?(?:freundliche[nr]?|beste[nr]?|viele[nr]?|schöne[nr]?|liebe[nr]?) grü(?:ße|ssen|sse|ßen)n?\b|"
    r"(?:mfg|vg|lg|danke)[ \t]*[,.!]*[ \t]*$|vielen dank[ \t]*[,.!]*[ \t]*$|"
    r"(?:bien )?cordialement\b|(?:bien )?à vous[ \t]*[,.]?[ \t]*$|merci(?: d'avance)?[ \t]*[,.!]*[ \t]*$|"
    r"(?:un )?(?:cordial )?saludos?\b|atentamente\b|gracias[ \t]*[,.!]*[ \t]*$|"
    r"sent from my\b|von meinem \w+ gesendet|gesendet von meinem\b|envoyé de mon\b|enviado desde mi\b|get outlook for\b)",
    _FLAGS,
)
_DISCLAIMER = re.compile(
    r"^[ \t]*(?:(?:confidentiality notice|disclaimer|legal notice|haftungsausschluss|avis de confidentialité|aviso legal)\b|"
    r"(?:this|the information in this|diese|der inhalt dieser|ce|este)"
    r"[ \t][^\n]{0,40}(?:e-?mail|message|nachricht|courriel|correo|mensaje)\b"
    r"[^\n]{0,200}(?:confidential|privileged|intended|vertraulich|confidentiel|confidencial))"
    r"[^\n]*(?:\n[^\n]+)*",
    _FLAGS,
)
_WORD = re.compile(r"[^\W\d_]{2,}")


def drop_thread(text: str) -> str:
    """Without the earlier messages below this one; a bare "see below" keeps them, without their headers."""
    if "\n" not in text:
        return text
    if start := _THREAD.search(text):
        top = text[: start.start()]
        own = _GREETING.sub("", drop_signature(top))
        if len(_WORD.findall(own)) >= _FEWEST_WORDS:
            return top
        return _THREAD.sub("", _HEADER_LINE.sub("", text))
    return _QUOTED_LINE.sub("", text)


def drop_greetings(text: str) -> str:
    """Without "Hi team," at the beginning of a line."""
    return _GREETING.sub("", text) if _begins_a_line(_GREETING, text) else text


def drop_disclaimers(text: str) -> str:
    """Without paragraphs that say who may not read this."""
    return _DISCLAIMER.sub("", text) if _begins_a_line(_DISCLAIMER, text) else text


def drop_signature(text: str) -> str:
    """Without everything from the sign-off on; a sign-off with much text after it goes alone."""
    if not _begins_a_line(_SIGN_OFF, text):
        return text
    for sign_off in _SIGN_OFF.finditer(text):
        rest = text[sign_off.end() :]
        if len(rest) <= _LONGEST_SIGNATURE and rest.count("\n") <= _MOST_SIGNATURE_LINES:
            return text[: sign_off.start()]
    return text


def _begins_a_line(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a pattern that begins with `^` matches anywhere; searching would try every character, not every line."""
    if pattern.match(text):
        return True
    begin, size = text.find("\n") + 1 or len(text), len(text)
    while begin < size:
        if text[begin] != "\n" and pattern.match(text, begin):
            return True
        begin = text.find("\n", begin) + 1 or size
    return False
