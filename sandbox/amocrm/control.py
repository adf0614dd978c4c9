"""The `/_sandbox` routes of amoCRM: what a person, a checker or the vendor itself would do."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.admin import plain_json, read_object
from sandbox.amocrm.account import Account
from sandbox.amocrm.changes import card_restored, card_trashed
from sandbox.amocrm.consent import frame_token, install, uninstall
from sandbox.amocrm.merging import cards_merged
from sandbox.amocrm.model import Pipeline, Stage, StageAction, Widget
from sandbox.amocrm.store import CARD_KINDS, WON, Card
from sandbox.amocrm.tokens import UI_CLIENT
from sandbox.amocrm.values import read_values

Doer = Callable[[dict[str, Any], str], Awaitable[object] | object]


def control_routes(account: Account) -> list[Route]:
    """Returns the vendor's own control routes."""
    doers: dict[str, Doer] = {
        "token": lambda sent, base: mint_token(account, sent, base),
        "unblock": lambda sent, base: unblock(account),
        "trash": lambda sent, base: trash(account, sent, base),
        "restore": lambda sent, base: restore(account, sent, base),
        "merge": lambda sent, base: merge(account, sent, base),
        "delete-invoice": lambda sent, base: delete_invoice(account, sent),
        "install": lambda sent, base: install(account, sent, base),
        "uninstall": lambda sent, base: uninstall(account, sent),
        "revoke": lambda sent, base: revoke(account, sent),
        "code": lambda sent, base: new_code(account, sent),
        "frame-token": lambda sent, base: frame_token(account, sent, base),
        "webhooks/pump": lambda sent, base: pump(account),
        "pipeline": lambda sent, base: change_pipeline(account, sent),
        "stage-action": lambda sent, base: set_stage_action(account, sent),
        "widget": lambda sent, base: upload_widget(account, sent),
        "subdomain": lambda sent, base: move_account(account, sent),
        "field": lambda sent, base: change_field(account, sent),
        "webhook": lambda sent, base: switch_webhook(account, sent),
        "user": lambda sent, base: change_user(account, sent),
    }

    async def show_state(request: Request) -> Response:
        return plain_json(state(account))

    async def show_totals(request: Request) -> Response:
        return plain_json(totals(account))

    async def show_webhooks(request: Request) -> Response:
        sender = account.sender
        held = [{"destination": one.destination, "due": one.due, "tries": one.tries} for one in sender.queue]
        hooks = [
            {
                "id": one.id,
                "destination": one.destination,
                "settings": one.settings,
                "disabled": one.disabled,
                "bad": len(one.bad),
            }
            for one in sender.subscriptions.values()
        ]
        return plain_json({"subscriptions": hooks, "queue": held, "attempts": list(sender.log)})

    return [
        Route("/_sandbox/state", show_state, methods=["GET"]),
        Route("/_sandbox/totals", show_totals, methods=["GET"]),
        Route("/_sandbox/webhooks", show_webhooks, methods=["GET"]),
        *(Route(f"/_sandbox/{name}", posted(doer), methods=["POST"]) for name, doer in doers.items()),
    ]


def posted(doer: Doer) -> Callable[[Request], Awaitable[Response]]:
    """Returns the endpoint of one deed; a KeyError or ValueError of the deed is a 400 that says why."""

    async def endpoint(request: Request) -> Response:
        base = f"{request.url.scheme}://{request.headers.get('host', '127.0.0.1')}"
        try:
            done = doer(await read_object(request), base)
            return plain_json(await done if isinstance(done, Awaitable) else done)
        except KeyError as error:
            return plain_json({"error": f"Missing or unknown: {error.args[0]}."}, 400)
        except ValueError as error:
            return plain_json({"error": str(error)}, 400)

    return endpoint


def mint_token(account: Account, sent: dict[str, Any], base: str) -> object:
    """Gives an access token of a person at the screen (or a long-lived one of the integration)."""
    user = account.users[sent.get("user_id", account.admin.id)]
    if sent.get("long_lived"):
        token = account.tokens.new_long_lived(user.id, base, float(sent.get("seconds", 5 * 365 * 86_400)))
        return {"access_token": token, "client_id": account.tokens.client_id, "user_id": user.id}
    token = account.tokens.new_access(user.id, UI_CLIENT, base, "ui", float(sent.get("seconds", 30 * 86_400)))
    return {"access_token": token, "client_id": UI_CLIENT, "user_id": user.id}


def unblock(account: Account) -> object:
    """Lifts a block, as support does."""
    account.limits.unblock()
    return {"blocked": False}


def change_user(account: Account, sent: dict[str, Any]) -> object:
    """Changes a user's rights, activity or group."""
    user = account.users[sent["id"]]
    for kind, letters in sent.get("rights", {}).items():
        user.rights[kind] |= letters
    for key in ("is_active", "is_free", "is_admin", "group_id", "name"):
        if key in sent:
            setattr(user, key, sent[key])
    return {"id": user.id, "rights": user.rights, "is_active": user.is_active}


def _any_card(account: Account, sent: dict[str, Any]) -> Card:
    kind, id_ = sent.get("kind", "leads"), sent["id"]
    return account.store.shelves[kind].cards[id_]


def trash(account: Account, sent: dict[str, Any], base: str) -> object:
    """Puts a card into the trash bin, as a person does."""
    card = _any_card(account, sent)
    card_trashed(account, card, sent.get("user_id", account.admin.id))
    account.sender.flush(False, base)
    return {"id": card.id, "is_deleted": True}


def restore(account: Account, sent: dict[str, Any], base: str) -> object:
    """Takes a card out of the trash bin."""
    card = _any_card(account, sent)
    card_restored(account, card, sent.get("user_id", account.admin.id))
    account.sender.flush(False, base)
    return {"id": card.id, "is_deleted": False}


def merge(account: Account, sent: dict[str, Any], base: str) -> object:
    """Merges two cards as a person does: `lose` disappears, its links go to `keep`."""
    shelf = account.store.shelves[sent.get("kind", "leads")]
    loser, winner = shelf.cards[sent["lose"]], shelf.cards[sent["keep"]]
    cards_merged(account, loser, winner, sent.get("user_id", account.admin.id))
    account.sender.flush(False, base)
    return {"id": winner.id, "lost": loser.id}


def delete_invoice(account: Account, sent: dict[str, Any]) -> object:
    """Deletes an invoice, as a person does in the list of invoices."""
    account.invoices.delete(sent["id"])
    account.store.changes += 1
    return {"id": sent["id"], "is_deleted": True}


def revoke(account: Account, sent: dict[str, Any]) -> object:
    """Kills the integration's tokens, all or one user's, without calling the disable hook."""
    account.tokens.revoke(sent.get("user_id"))
    return {"revoked": True}


def new_code(account: Account, sent: dict[str, Any]) -> object:
    """Gives the one-off authorization code an admin can copy from the integration's page."""
    user = account.users[sent.get("user_id", account.admin.id)]
    return {"code": account.tokens.new_code(user.id)}


async def pump(account: Account) -> object:
    """Sends the webhooks that are due now."""
    return {"attempts": await account.sender.pump()}


def change_pipeline(account: Account, sent: dict[str, Any]) -> object:
    """Renames a pipeline or one of its stages, adds a stage, or deletes one that holds no deal."""
    pipeline = account.pipelines[sent["id"]]
    pipeline.name = sent.get("name", pipeline.name)
    for id_, name in sent.get("stages", {}).items():
        stage = pipeline.stage(int(id_))
        if stage is None:
            raise ValueError(f"The pipeline has no stage {id_}.")
        stage.name = name
    if "add_stage" in sent:
        stage = Stage(account.ids.next("status"), sent["add_stage"], 900, "#ffffff")
        pipeline.stages.insert(-2, stage)
    if "delete_stage" in sent:
        _delete_stage(account, pipeline, sent["delete_stage"])
    return {"id": pipeline.id, "name": pipeline.name, "stages": pipeline.stages}


def _delete_stage(account: Account, pipeline: Pipeline, id_: int) -> None:
    stage = pipeline.stage(id_)
    if stage is None or not stage.is_editable:
        raise ValueError(f"The pipeline has no stage {id_} that can be deleted.")
    if any(card.status_id == id_ and not card.is_deleted for card in account.store.shelves["leads"].cards.values()):
        raise ValueError(f"The stage {id_} holds deals: move them first.")
    pipeline.stages.remove(stage)


def set_stage_action(account: Account, sent: dict[str, Any]) -> object:
    """Puts an action on a stage, as an admin does in the digital pipeline; without `url` it takes one away."""
    if "url" not in sent:
        del account.stage_actions[sent["id"]]
        return {"id": sent["id"], "gone": True}
    pipeline = account.pipelines[sent.get("pipeline_id", account.main_pipeline.id)]
    if pipeline.stage(sent["status_id"]) is None:
        raise ValueError(f"The pipeline has no stage {sent['status_id']}.")
    id_ = account.ids.next("action")
    account.stage_actions[id_] = StageAction(id_, pipeline.id, sent["status_id"], sent["url"], sent.get("settings"))
    return account.stage_actions[id_]


def upload_widget(account: Account, sent: dict[str, Any]) -> object:
    """Uploads the integration's widget archive under a code; the account has not installed it yet."""
    code, keys = sent["code"], tuple(sent.get("settings", ()))
    required = tuple(sent.get("required", ()))
    account.widgets[code] = Widget(account.ids.next("widget"), code, sent.get("version", "1.0.0"), keys, required)
    return account.widgets[code]


def move_account(account: Account, sent: dict[str, Any]) -> object:
    """Renames the account: its subdomain changes, its id does not; a host of the old name answers 404."""
    account.moved_from.add(account.subdomain)
    account.subdomain = sent["subdomain"]
    account.moved_from.discard(account.subdomain)
    return {"id": account.id, "subdomain": account.subdomain}


def change_field(account: Account, sent: dict[str, Any]) -> object:
    """Deletes a field of deals, or says in which (pipeline, stage) it must be filled, as an admin does."""
    fields = account.fields["leads"]
    field = fields.by_code(sent["code"]) if "code" in sent else fields.by_id.get(sent["id"])
    if field is None:
        raise ValueError("The account has no such field.")
    if sent.get("delete"):
        del fields.by_id[field.id]
        return {"id": field.id, "gone": True}
    field.required = [(one["pipeline_id"], one["status_id"]) for one in sent["required_statuses"]]
    return {"id": field.id, "required_statuses": sent["required_statuses"]}


def switch_webhook(account: Account, sent: dict[str, Any]) -> object:
    """Switches a webhook off, as amoCRM does after too many bad answers, or on, as an admin does."""
    for one in account.sender.subscriptions.values():
        if one.destination == sent["destination"]:
            one.disabled = bool(sent["disabled"])
            return {"id": one.id, "disabled": one.disabled}
    raise ValueError("The account has no such webhook.")


def totals(account: Account) -> dict[str, int]:
    """Counts what is stored; money in minor units."""
    store = account.store
    leads = [card for card in store.shelves["leads"].cards.values() if not card.is_deleted]
    won = [card for card in leads if card.status_id == WON]
    return {
        "leads": len(leads),
        "contacts": sum(not card.is_deleted for card in store.shelves["contacts"].cards.values()),
        "companies": sum(not card.is_deleted for card in store.shelves["companies"].cards.values()),
        "tasks": len(store.tasks),
        "notes": sum(len(held) for held in store.notes.values()),
        "unsorted": sum(one.state == "pending" for one in account.incoming.values()),
        "won": len(won),
        "won_minor_units": sum(card.price for card in won) * 100,
    }


def state(account: Account) -> dict[str, object]:
    """Returns everything stored, for checkers; deleted cards included."""
    store = account.store
    shown: dict[str, object] = {
        kind: [_card(account, card) for card in store.shelves[kind].cards.values()] for kind in CARD_KINDS
    }
    return shown | {
        "notes": [note for held in store.notes.values() for note in held.values()],
        "tasks": list(store.tasks.values()),
        "unsorted": list(account.incoming.values()),
        "invoices": [_invoice(account, one) for one in account.invoices.elements.values()],
        "users": list(account.users.values()),
        "pipelines": list(account.pipelines.values()),
        "sources": list(account.sources.values()),
        "account": {"id": account.id, "subdomain": account.subdomain, "installed": account.tokens.installed},
    }


def _card(account: Account, card: Card) -> dict[str, object]:
    names = account.tags[card.kind]
    shown: dict[str, object] = {name: getattr(card, name) for name in _SHOWN}
    if card.kind == "leads":
        shown |= {name: getattr(card, name) for name in _LEAD_SHOWN}
    return shown | {
        "custom_fields_values": read_values(account.fields[card.kind], card.fields),
        "tags": [names.get(id_) for id_ in card.tags],
        "links": {kind: _ids(held) for kind, held in card.links.items()},
    }


def _invoice(account: Account, element: Card) -> dict[str, object]:
    values = read_values(account.invoices.fields, element.fields)
    leads = [lead for lead, held in account.invoices.of_lead.items() if element.id in held]
    times = {"created_at": element.created_at, "updated_at": element.updated_at}
    return {"id": element.id, "name": element.name, **times, "custom_fields_values": values, "leads": leads}


def _ids(held: dict[int, bool]) -> list[dict[str, object]]:
    pairs: Iterable[tuple[int, bool]] = held.items()
    return [{"id": id_, "is_main": is_main} for id_, is_main in pairs]


_SHOWN = (
    *("id", "name", "first_name", "last_name", "responsible_user_id", "created_by", "updated_by"),
    *("created_at", "updated_at", "closest_task_at", "is_deleted", "in_unsorted"),
)
_LEAD_SHOWN = ("price", "status_id", "pipeline_id", "loss_reason_id", "source_id", "closed_at")
