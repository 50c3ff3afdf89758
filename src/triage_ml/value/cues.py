"""What close notes say was done (nothing, a routine action, advice to the user), and what tickets ask for.

The words are ordinary service-desk English, German and Spanish; a text without any of them says nothing either way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["ASKS", "CUES", "ask_shares", "cue_shares"]

#: Cue -> beginnings of words, and phrases, that speak for it.
CUES: Mapping[str, tuple[str, ...]] = {
    "nothing_done": (
        "no action", "by itself", "itself", "on its own", "false alarm", "false positive", "known behaviour", "expected",
        "planned", "before check", "auto-resolved", "autoresolved", "no fault", "nothing to do", "noise", "duplicate",
        "keine aktion", "fehlalarm", "sin acción",
    ),
    "advice": (
        "showed", "explained", "guided", "walked", "advised", "informed user", "user informed", "linked", "sent link",
        "how to", "told", "instructions", "kb0", "with the user", "with user", "user can", "works", "signed in again",
        "erklärt", "gezeigt", "explicado",
    ),
    "routine": (
        "restart", "unlock", "cleared", "deleted", "extended", "rerun", "re-run", "released", "reset", "purged",
        "re-sent", "renewed", "freed", "removed old", "killed", "ended", "rebooted", "cleaned", "rotated", "synced",
        "neu gestartet", "entsperrt", "reiniciado",
    ),
    "granted": (
        "granted", "added to", "assigned", "approved", "approval", "created", "given", "ordered", "installed", "handed",
        "role", "access", "agreed", "hinzugefügt", "angelegt", "concedido",
    ),
    "privileged": (
        "admin right", "admin access", "administrator right", "local admin", "domain admin", "privileged", "root access",
        "sudo", "break-glass", "elevated", "payroll", "salary", "salaries", "medical", "personal data", "gdpr", "dsgvo",
        "adminrechte", "gehalt", "personenbezogen", "datos personales",
    ),
}  # fmt: skip
#: What is asked -> a regular expression for a text that asks so.
ASKS: Mapping[str, str] = {
    "how": r"\b(?:how (?:do|can|to)|where (?:do|can|is)|what is|which|is there a"
    r"|wie (?:kann|geht|mache)|wo (?:finde|ist)|cómo|dónde)\b",
    "question": r"\?",
    "please": r"\b(?:please|could you|can you|would like|i need|we need|request"
    r"|bitte|brauch\w*|benötig\w*|necesit\w*|por favor|solicit\w*)\b",
    "fails": r"\b(?:error|fail\w*|not work\w*|doesn.t|does not|can.?not|can.t|broken|crash\w*"
    r"|geht nicht|fehler|kann nicht|no funciona|no puedo)\b",
    "again": r"\b(?:again|still|keeps|every|since|wieder|immer|otra vez|sigue)\b",
    "something_new": r"\b(?:new|add|access|role|permission|account|order|install|licen[sc]e"
    r"|neu\w*|zugriff|acceso|nuev\w*)\b",
    "alert": r"\b(?:alert|alarm|warning|critical|major|problem|firing|threshold|severity|event)\b",
}
#: Texts of a pattern that are read, the commonest first.
MOST_TEXTS = 200
_ASKING = {name: re.compile(words, re.IGNORECASE) for name, words in ASKS.items()}
_READERS = {
    cue: re.compile("|".join(rf"\b{re.escape(word)}" for word in words), re.IGNORECASE) for cue, words in CUES.items()
}


def cue_shares(notes: Sequence[str]) -> dict[str, float]:
    """Share of the notes with each cue; empty without notes.

    >>> cue_shares(["Service restarted, ok.", "Cleared by itself, no action."])
    {'nothing_done': 0.5, 'advice': 0.0, 'routine': 1.0, 'granted': 0.0, 'privileged': 0.0}
    """
    said = Counter(note for note in notes if note.strip())
    total = said.total()
    return {
        cue: sum(count for note, count in said.items() if reader.search(note)) / total
        for cue, reader in (_READERS.items() if total else ())
    }


def ask_shares(texts: Sequence[str]) -> dict[str, float]:
    """Share of the tickets that ask so, each with its text; empty without texts.

    >>> ask_shares(["How do I scan?", "Please install Visio"])["how"]
    0.5
    """
    said = Counter(text for text in texts if text.strip()).most_common(MOST_TEXTS)
    total = sum(count for _, count in said)
    return {
        name: sum(count for text, count in said if reader.search(text)) / total
        for name, reader in (_ASKING.items() if total else ())
    }
