"""Predictions, patterns, decisions and keys in SQLite or PostgreSQL. The only place that knows SQL.

    store = open_store(settings.store_url)
    with store.begin() as connection:
        add_predictions(connection, rows)

A module a concern: its tables on `schema.metadata`, its functions taking the connection of the caller's transaction.
"""

from triage_ml.store.database import Store, open_store
from triage_ml.store.keys import SCOPES, ApiKey, Scope, create_key, list_keys, revoke_key, split_key, touch_keys
from triage_ml.store.predictions import Prediction, add_predictions, new_prediction_id, predictions_of_ticket

__all__ = [
    "SCOPES",
    "ApiKey",
    "Prediction",
    "Scope",
    "Store",
    "add_predictions",
    "create_key",
    "list_keys",
    "new_prediction_id",
    "open_store",
    "predictions_of_ticket",
    "revoke_key",
    "split_key",
    "touch_keys",
]
