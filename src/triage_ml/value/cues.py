"""What close notes say was done: nothing, a routine action, or advice to the user.

The words are ordinary service-desk English, German and Spanish; a note without any of them says nothing either way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["CUES", "cue_shares"]

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
