"""Recurring kinds of tickets: recognise the known ones, discover new ones, keep their identity."""

from triage_ml.patterns.assign import NO_PATTERN, Assignment, Prototypes
from triage_ml.patterns.book import KIND, Pattern, PatternBook, masked_texts
from triage_ml.patterns.cases import STEP
from triage_ml.patterns.decided import Decided, Event, Split, events_between, has_open_split, keeps_to
from triage_ml.patterns.discover import ALIKE, Discovery, discover
from triage_ml.patterns.grow import Growth, Said, grow
from triage_ml.patterns.map import MapPoint, pattern_map
from triage_ml.patterns.nearby import counter_examples
from triage_ml.patterns.publish import book_folder, load_book, prune_books, publish_book
from triage_ml.patterns.reorganise import Proposed, propose
from triage_ml.patterns.search import ALIKE_IN_MEANING
from triage_ml.patterns.space import LexicalSpace
from triage_ml.patterns.texts import Coded, Strings, Texts, hex_key, key_number
from triage_ml.patterns.titles import headline_of
from triage_ml.patterns.uniques import NO_TEXT, Uniques, collapse, same_form, text_key

__all__ = [
    "ALIKE",
    "ALIKE_IN_MEANING",
    "KIND",
    "NO_PATTERN",
    "NO_TEXT",
    "STEP",
    "Assignment",
    "Coded",
    "Decided",
    "Discovery",
    "Event",
    "Growth",
    "LexicalSpace",
    "MapPoint",
    "Pattern",
    "PatternBook",
    "Proposed",
    "Prototypes",
    "Said",
    "Split",
    "Strings",
    "Texts",
    "Uniques",
    "book_folder",
    "collapse",
    "counter_examples",
    "discover",
    "events_between",
    "grow",
    "has_open_split",
    "headline_of",
    "hex_key",
    "keeps_to",
    "key_number",
    "load_book",
    "masked_texts",
    "pattern_map",
    "propose",
    "prune_books",
    "publish_book",
    "same_form",
    "text_key",
]
