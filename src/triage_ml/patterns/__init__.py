"""Recurring kinds of tickets: recognise the known ones, discover new ones, keep their identity."""

from triage_ml.patterns.assign import NO_PATTERN, Assignment
from triage_ml.patterns.book import KIND, Pattern, PatternBook, masked_texts
from triage_ml.patterns.cases import STEP
from triage_ml.patterns.discover import Discovery, discover
from triage_ml.patterns.grow import Growth, Said, grow
from triage_ml.patterns.publish import book_folder, load_book, publish_book
from triage_ml.patterns.space import LexicalSpace
from triage_ml.patterns.titles import headline_of
from triage_ml.patterns.uniques import NO_TEXT, Uniques, collapse, text_key

__all__ = [
    "KIND",
    "NO_PATTERN",
    "NO_TEXT",
    "STEP",
    "Assignment",
    "Discovery",
    "Growth",
    "LexicalSpace",
    "Pattern",
    "PatternBook",
    "Said",
    "Uniques",
    "book_folder",
    "collapse",
    "discover",
    "grow",
    "headline_of",
    "load_book",
    "masked_texts",
    "publish_book",
    "text_key",
]
