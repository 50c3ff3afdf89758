"""Commands of `triage_serving`: `serve`, `ready` and `keys`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

import typer

from triage_ml.console import ConfigOption, JsonOption, running

__all__ = ["app"]


class Signed(StrEnum):
    """What nobody can measure: see `golive.SIGNED`."""

    ALERTS = "alerts"
    RESPONSIBLE = "responsible"
    ACCOUNTABLE = "accountable"
    CONSULTED = "consulted"
    INFORMED = "informed"


app = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="API keys: make, list, revoke.")
app.add_typer(keys, name="keys")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; by default [serving] host.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Worker processes.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer tickets over HTTP until Ctrl-C."""
    from triage_serving.server import bind, serve

    with running("serve", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.store import open_store
        from triage_serving.bundles import BundleFolder

        settings = load_settings(config)
        given = {"host": host, "port": port, "workers": workers}
        serving = settings.serving.model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
        listener = bind(serving.host, serving.port)
        store = open_store(settings.store_url)
        store.check_writable()
        store.close()
        if BundleFolder(settings.paths.bundles).last() is None:
            out.warn("No model has answered here yet. If none is registered, train one: triage train")
        address, number = listener.getsockname()[:2]
        out.say(f"Listening on http://{address}:{number} (API page at /docs); Ctrl-C stops.")
        out.result(host=address, port=number, url=f"http://{address}:{number}")
    serve(settings.model_copy(update={"serving": serving}), listener)


@app.command()
def ready(
    confirm: Annotated[
        list[Signed] | None,
        typer.Option(help="Sign what can't be measured; needs --by."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who signs.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many of the latest closed tickets to judge by.")] = 200,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The go-live checklist with figures; fails until all of it holds."""
    if confirm and not (by or "").strip():
        raise typer.BadParameter("say who signs", param_hint="--by")
    with running("ready", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.store import Confirmation, add_confirmation, open_store
        from triage_serving.golive import checklist

        settings, now = load_settings(config), datetime.now(UTC)
        store = open_store(settings.store_url)
        with store.begin() as connection:
            for what in confirm or ():
                add_confirmation(connection, Confirmation(what.value, (by or "").strip(), now))
        wanted = settings.decision
        checks = checklist(
            store, settings.paths.bundles, precision=wanted.precision, routing=wanted.routing, last=last, now=now
        )
        store.close()
        for check in checks:
            out.say(f"{'yes' if check.holds else 'NO ':<3}  {check.name}: {check.found}")
            if not check.holds:
                out.say(f"       {check.todo}")
        out.result(ready=all(check.holds for check in checks), checks=[vars(check) for check in checks])
        if missing := [check.name for check in checks if not check.holds]:
            out.refuse(f"{len(missing)} of {len(checks)} don't hold yet: {', '.join(missing)}.")


@keys.command("create")
def create(
    scope: Annotated[
        Literal["score", "review", "admin"],
        typer.Option(help="score: ticket system; review: weekly list; admin: all."),
    ],
    name: Annotated[str, typer.Option(help="Who it is for.")] = "",
    expires_days: Annotated[int | None, typer.Option(min=1, help="Days until it ends; by default never.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key. It is shown once and can't be shown again."""
    with running("keys create", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.store import create_key, open_store

        now = datetime.now(UTC)
        expires_at = now + timedelta(days=expires_days) if expires_days else None
        store = open_store(load_settings(config).store_url)
        with store.begin() as connection:
            key, record = create_key(connection, scope, now=now, name=name, expires_at=expires_at)
        store.close()
        out.say(key)
        out.result(key=key, key_id=record.key_id, scope=record.scope, expires_at=expires_at)


@keys.command("list")
def list_all(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """All keys with scope and state; never the keys themselves."""
    with running("keys list", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.store import list_keys, open_store

        store = open_store(load_settings(config).store_url)
        with store.read() as connection:
            records = list_keys(connection)
        store.close()
        now = datetime.now(UTC)
        for record in records:
            out.say(f"{record.key_id}  {record.scope:<6}  {record.state(now):<7}  {record.name}")
        hidden = {"secret_sha256"}
        rows = [
            {k: v for k, v in vars(record).items() if k not in hidden} | {"state": record.state(now)}
            for record in records
        ]
        out.result(keys=rows)


@keys.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id that `triage keys list` shows.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a key for good; running services refuse it within seconds."""
    with running("keys revoke", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.store import open_store, revoke_key

        store = open_store(load_settings(config).store_url)
        with store.begin() as connection:
            revoke_key(connection, key_id, now=datetime.now(UTC))
        store.close()
        out.say(f"Key {key_id} is revoked.")
        out.result(key_id=key_id)
