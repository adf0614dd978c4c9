"""GET, POST and DELETE /webhooks: subscriptions, upserted by destination (sheet section 4.1)."""

from urllib.parse import urlsplit

from sandbox.amocrm.errors import Flaws, Refusal, problem, refuse, validation_answer
from sandbox.amocrm.hal import NO_CONTENT, Json, hal, wrapped
from sandbox.amocrm.people import need_admin
from sandbox.amocrm.sender import Subscription
from sandbox.amocrm.turn import Sent, Turn, is_id
from sandbox.wire import Answer

MOST_HOOKS = 100
_KINDS = ("lead", "contact", "company", "customer", "task")
SETTINGS = frozenset(
    [f"{action}_{kind}" for action in ("add", "update", "delete", "responsible") for kind in _KINDS]
    + [f"restore_{kind}" for kind in _KINDS[:3]]
    + [f"note_{kind}" for kind in _KINDS[:4]]
    + ["status_lead", "add_talk", "update_talk", "add_chat_template_review"]
)
UNSORTED_SETTINGS = frozenset({"add_unsorted", "update_unsorted", "delete_unsorted"})
CATALOG_SETTINGS = frozenset({"add_catalog", "update_catalog"})


def list_hooks(turn: Turn) -> Answer:
    """GET /webhooks; 204 when there is none."""
    need_admin(turn)
    wanted = turn.filter().get("destination")
    found = [one for one in turn.account.sender.subscriptions.values() if wanted is None or one.destination == wanted]
    return wrapped(turn, "webhooks", [_model(turn, one) for one in found], total=True) if found else NO_CONTENT


def subscribe(turn: Turn) -> Answer:
    """POST /webhooks: 201 with the object; the same destination again changes its settings."""
    need_admin(turn)
    if not turn.account.dial["webhooks_plan"]:
        status = turn.account.dial["webhooks_plan_status"]
        raise Refusal(problem(status, "Payment required" if status == 402 else "Forbidden"))
    sent = turn.sent_object()
    _check(turn, sent)
    known = turn.account.sender.subscriptions
    hook = next((one for one in known.values() if one.destination == sent["destination"]), None)
    if hook is None and len(known) >= MOST_HOOKS:
        raise refuse(422, f"Limit {MOST_HOOKS} webhooks")
    turn.account.store.changes += 1
    return hal(_model(turn, _changed(turn, hook, sent) if hook else _created(turn, sent)), 201)


def _check(turn: Turn, sent: Sent) -> None:
    flaws = Flaws()
    destination, settings = sent.get("destination"), sent.get("settings")
    if destination is None:
        flaws.missing(turn.account.dial["missing_key_code"], "destination")
    elif not isinstance(destination, str) or urlsplit(destination).scheme not in ("http", "https"):
        flaws.other("InvalidValue", "destination", "This value is not a valid URL.")
    dial = turn.account.dial
    allowed = SETTINGS | (UNSORTED_SETTINGS if dial["unsorted_hook_names"] else frozenset())
    allowed |= CATALOG_SETTINGS if dial["catalog_hook_names"] else frozenset()
    if not isinstance(settings, list) or not settings:
        flaws.missing(turn.account.dial["missing_key_code"], "settings")
    else:
        for index, setting in enumerate(settings):
            if str(setting) not in allowed:
                flaws.choice(f"settings.{index}")
    if sent.get("sort") is not None and not is_id(sent["sort"]):
        flaws.type("sort", "int")
    if flaws.found:
        raise Refusal(validation_answer([("0", flaws.found)]))


def _created(turn: Turn, sent: Sent) -> Subscription:
    hook = Subscription(
        id=turn.account.ids.next("hook"),
        destination=sent["destination"],
        settings=list(sent["settings"]),
        sort=int(sent.get("sort") or 10),
        created_at=turn.now,
        updated_at=turn.now,
        created_by=turn.user.id,
    )
    turn.account.sender.subscriptions[hook.id] = hook
    return hook


def _changed(turn: Turn, hook: Subscription, sent: Sent) -> Subscription:
    hook.settings = list(sent["settings"])
    hook.sort = int(sent.get("sort") or hook.sort)
    hook.updated_at = turn.now
    if turn.account.dial["upsert_enables_hook"]:
        hook.disabled = False
        hook.bad.clear()
    return hook


def unsubscribe(turn: Turn) -> Answer:
    """DELETE /webhooks with the destination in the body: 204, or 404 when it is not known."""
    need_admin(turn)
    destination = turn.sent_object().get("destination")
    known = turn.account.sender.subscriptions
    hook = next((one for one in known.values() if one.destination == destination), None)
    if hook is None:
        raise refuse(404, "Webhook not found")
    del known[hook.id]
    turn.account.store.changes += 1
    return NO_CONTENT


def _model(turn: Turn, hook: Subscription) -> Json:
    return {
        "id": hook.id,
        "destination": hook.destination,
        "created_at": hook.created_at,
        "updated_at": hook.updated_at,
        "account_id": turn.account.id,
        "created_by": hook.created_by,
        "sort": hook.sort,
        "disabled": hook.disabled,
        "settings": hook.settings,
    }
