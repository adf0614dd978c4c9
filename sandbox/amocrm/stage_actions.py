"""Hooks of the digital pipeline: a deal comes into a stage, and the stage's actions are sent (sheet section 4.6)."""

from typing import TYPE_CHECKING, Any

from sandbox.amocrm.store import LEADS, LEGACY_TYPE, Card

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account
    from sandbox.amocrm.model import StageAction

ADDED, MOVED = (1, "lead_added"), (14, "lead_status_changed")


def deal_came(account: "Account", card: Card, before: Card | None = None) -> None:
    """Sends the actions of the stage a deal was made in or moved to."""
    if card.kind != LEADS:
        return
    for action in account.stage_actions.values():
        if (action.pipeline_id, action.status_id) == (card.pipeline_id, card.status_id):
            _send(account, action, card, before)


def _send(account: "Account", action: "StageAction", card: Card, before: Card | None) -> None:
    dial = account.dial
    widget = action.settings is not None
    form = _widget_form(account, action, card, before) if widget else _bare_form(account, card, before)
    as_json = widget and dial["pipeline_hook_body"] == "json"
    account.sender.post(action.url, form, as_json, only_once=not dial["pipeline_hook_retries"])


def _widget_form(account: "Account", action: "StageAction", card: Card, before: Card | None) -> dict[str, Any]:
    number, code = MOVED if before else ADDED
    data = {
        "id": card.id,
        "element_type": LEGACY_TYPE[LEADS],
        "status_id": card.status_id,
        "pipeline_id": card.pipeline_id,
        "direction_of_movement": "went_to_trigger",
    }
    return {
        "event": {"type": number, "type_code": code, "data": data, "time": int(account.now())},
        "action": {"settings": {"widget": {"settings": action.settings}}},
        "subdomain": account.subdomain,
        "account_id": account.id,
    }


def _bare_form(account: "Account", card: Card, before: Card | None) -> dict[str, Any]:
    told: dict[str, Any] = {"id": card.id, "status_id": card.status_id, "pipeline_id": card.pipeline_id}
    if before:
        told |= {"old_status_id": before.status_id, "old_pipeline_id": before.pipeline_id}
    return {"leads": {"status": [told]}, "account": {"subdomain": account.subdomain, "id": account.id}}
