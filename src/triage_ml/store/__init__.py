"""Predictions, patterns, decisions and keys in SQLite or PostgreSQL. The only place that knows SQL.

    store = open_store(settings.store_url)
    with store.begin() as connection:
        add_predictions(connection, rows)

A module a concern: its tables on `schema.metadata`, its functions taking the connection of the caller's transaction.
"""

from triage_ml.store.confirmations import Confirmation, add_confirmation, latest_confirmations
from triage_ml.store.database import Store, open_store
from triage_ml.store.decisions import (
    DECISION_ACTIONS,
    STATUSES,
    DecisionAction,
    PatternDecision,
    Standing,
    Status,
    add_decision,
    automations_in_force,
    binding_decisions,
    decisions_in_force,
    decisions_of,
    standing_of,
    standings,
)
from triage_ml.store.history import scored_tickets
from triage_ml.store.idempotency import Once, claim
from triage_ml.store.keys import SCOPES, ApiKey, Scope, create_key, list_keys, revoke_key, split_key, touch_keys
from triage_ml.store.outcomes import (
    SOURCES,
    ClosedTicket,
    Outcome,
    Source,
    add_outcome,
    closed_tickets,
    joined_prediction,
    outcomes_of_ticket,
)
from triage_ml.store.patterns import (
    FACT_COLUMNS,
    PatternRecord,
    WeekList,
    all_patterns,
    candidate_lists,
    claim_texts,
    fact_digests,
    facts_between,
    latest_book,
    mined_weeks,
    pattern_records,
    put_facts,
    put_patterns,
    put_week,
    read_week,
    use_book,
    work_by_week,
)
from triage_ml.store.predictions import (
    Prediction,
    add_predictions,
    answers_by_id,
    new_id,
    predictions_of_ticket,
)
from triage_ml.store.promotions import (
    Promotion,
    PromotionKind,
    claim_promotion,
    finish_promotion,
    list_promotions,
)
from triage_ml.store.retention import forget_requests, prune
from triage_ml.store.schema import Connection
from triage_ml.store.sessions import end_session, forget_sessions, session_key, start_session
from triage_ml.store.shadows import Shadow, add_shadows, shadows_of

__all__ = [
    "DECISION_ACTIONS",
    "FACT_COLUMNS",
    "SCOPES",
    "SOURCES",
    "STATUSES",
    "ApiKey",
    "ClosedTicket",
    "Confirmation",
    "Connection",
    "DecisionAction",
    "Once",
    "Outcome",
    "PatternDecision",
    "PatternRecord",
    "Prediction",
    "Promotion",
    "PromotionKind",
    "Scope",
    "Shadow",
    "Source",
    "Standing",
    "Status",
    "Store",
    "WeekList",
    "add_confirmation",
    "add_decision",
    "add_outcome",
    "add_predictions",
    "add_shadows",
    "all_patterns",
    "answers_by_id",
    "automations_in_force",
    "binding_decisions",
    "candidate_lists",
    "claim",
    "claim_promotion",
    "claim_texts",
    "closed_tickets",
    "create_key",
    "decisions_in_force",
    "decisions_of",
    "end_session",
    "fact_digests",
    "facts_between",
    "finish_promotion",
    "forget_requests",
    "forget_sessions",
    "joined_prediction",
    "latest_book",
    "latest_confirmations",
    "list_keys",
    "list_promotions",
    "mined_weeks",
    "new_id",
    "open_store",
    "outcomes_of_ticket",
    "pattern_records",
    "predictions_of_ticket",
    "prune",
    "put_facts",
    "put_patterns",
    "put_week",
    "read_week",
    "revoke_key",
    "scored_tickets",
    "session_key",
    "shadows_of",
    "split_key",
    "standing_of",
    "standings",
    "start_session",
    "touch_keys",
    "use_book",
    "work_by_week",
]
