"""What people and the portal itself do beside the app: move, win, delete, merge, pay, call (sheet section 12.1)."""

from typing import Any

from sandbox.bitrix24 import calls
from sandbox.bitrix24.answering import run
from sandbox.bitrix24.changes import Told, change, convert, create, merge, remove
from sandbox.bitrix24.dictionaries import stages
from sandbox.bitrix24.model import COMPANY, CONTACT, DEAL, INVOICE, KIND_OF_CODE, LEAD, Item, Status
from sandbox.bitrix24.money import make_payment, pay
from sandbox.bitrix24.php import php
from sandbox.bitrix24.portal import Portal
from sandbox.bitrix24.store import Call
from sandbox.bitrix24.turn import Turn

KINDS = {"lead": LEAD, "deal": DEAL, "contact": CONTACT, "company": COMPANY, "invoice": INVOICE}


def _turn(portal: Portal, sent: dict[str, Any], base: str, method: str = "") -> Turn:
    return portal.person(sent.get("user_id", 1), base, method, bool(sent.get("robot", False)))


def _item(portal: Portal, sent: dict[str, Any], name: str = "id") -> Item:
    kind = KINDS[sent.get("kind", "deal")]
    found = portal.store.find((kind, sent[name]))
    if found is None:
        raise KeyError(f"{sent.get('kind', 'deal')} {sent[name]}")
    return found


def call_method(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Calls any method as an employee (or a robot) at the screen: no scopes, no limits."""
    turn = _turn(portal, sent, base, str(sent["method"]).lower())
    turn.params = dict(sent.get("params", {}))
    return {"result": php(run(turn).result)}


def move(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Moves a lead, deal or invoice to a stage; a stage of another pipeline takes its pipeline along."""
    item, stage = _item(portal, sent), str(sent["stage"])
    told: dict[str, Any] = {"stageId": stage}
    if item.kind == DEAL:
        lines = [one for one in portal.categories if one.kind == DEAL]
        home = next((one for one in lines if any(s.status_id == stage for s in stages(portal, DEAL, one.id))), None)
        told["categoryId"] = home.id if home else item.values["categoryId"]
    change(_turn(portal, sent, base), item, Told(told))
    return {"id": item.id, "stage": item.values["stageId"], "semantics": item.values["stageSemanticId"]}


def set_amount(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Types an amount into a deal; `minor` in minor units."""
    item = _item(portal, sent)
    change(_turn(portal, sent, base), item, Told({"opportunity": int(sent["minor"]), "isManualOpportunity": "Y"}))
    return {"id": item.id, "minor": item.values["opportunity"]}


def delete(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Deletes a CRM object."""
    item = _item(portal, sent)
    remove(_turn(portal, sent, base), item)
    return {"id": item.id, "gone": True}


def merge_two(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Merges two objects of a kind: `lose` disappears into `keep`."""
    loser, winner = _item(portal, sent, "lose"), _item(portal, sent, "keep")
    if loser is winner:
        raise ValueError("An object cannot be merged into itself.")
    merge(_turn(portal, sent, base), winner, loser)
    return {"id": winner.id, "lost": loser.id}


def convert_lead(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Converts a lead into a deal, and a contact when it names a person."""
    lead = _item(portal, {**sent, "kind": "lead"})
    return {"deal": convert(_turn(portal, sent, base), lead).id}


def add_payment(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Adds a payment of `minor` units to a deal, paid unless told otherwise; `{"payment", "paid"}` changes one."""
    turn = _turn(portal, sent, base)
    if "payment" in sent:
        payment = portal.store.payments[sent["payment"]]
    else:
        payment = make_payment(turn, _item(portal, sent), int(sent["minor"]))
    if payment.paid != bool(sent.get("paid", True)):
        pay(turn, payment, not payment.paid)
    return payment


def add_invoice(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Writes an invoice of `minor` units for a deal, paid when told."""
    deal = _item(portal, {**sent, "kind": "deal"})
    told: dict[str, Any] = {"opportunity": int(sent["minor"]), "isManualOpportunity": "Y", "parentId2": deal.id}
    turn = _turn(portal, sent, base)
    invoice = create(turn, INVOICE, Told(told, links=list(deal.links)))
    if sent.get("paid"):
        stage = next(one for one in stages(portal, INVOICE, invoice.values["categoryId"]) if one.semantics == "S")
        change(turn, invoice, Told({"stageId": stage.status_id}))
    return {"id": invoice.id, "stage": invoice.values["stageId"]}


def change_stage(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Renames a line of a dictionary, adds one, or deletes one; no event tells of it."""
    entity, status_id = str(sent["entity"]), str(sent["status"])
    found = next((one for one in portal.statuses if (one.entity_id, one.status_id) == (entity, status_id)), None)
    if sent.get("delete"):
        if found is None:
            raise KeyError(status_id)
        portal.statuses.remove(found)
        return {"status": status_id, "gone": True}
    if found is None:
        near = [one for one in portal.statuses if one.entity_id == entity]
        category = near[0].category_id if near else None
        id_, sort = portal.ids.next("status"), sent.get("sort", 10 * (1 + len(near)))
        found = Status(id_, entity, status_id, "", sort, sent.get("semantics"), False, category)
        portal.statuses.append(found)
    found.name = str(sent.get("name", found.name))
    return found


def own_call(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Plays a call of the portal's own telephony (or of another app, `app_id`) from ring to end.

    `{"phone", "line", "user_id", "type", "duration", "code", "creates", "started"}`; INIT, START and END are told.
    """
    turn = _turn(portal, sent, base)
    duration = int(sent.get("duration", 60))
    prefix = "externalCall" if sent.get("app_id") else "MS"
    call = Call(
        call_id=f"{prefix}.{portal.ids.hex(32)}.{int(turn.now)}",
        app_id=int(sent.get("app_id", 0)),
        user_id=turn.user_id,
        phone=str(sent["phone"]),
        type=int(sent.get("type", 2)),
        line=str(sent.get("line", "")),
        external_id="",
        started=float(sent.get("started", turn.now)),
        registered=turn.now,
    )
    calls.begin(turn, call, bool(sent.get("creates", True)))
    if duration:
        calls.answered(turn, call)
    call.duration = duration
    call.code = str(sent.get("code", calls.ANSWERED if duration else calls.MISSED))
    calls.end(turn, call)
    return call


def click_to_call(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Clicks a phone in the CRM: the call is registered already, the app is told to dial."""
    turn = _turn(portal, sent, base)
    kind = KIND_OF_CODE.get(str(sent.get("entity_type", "")).upper())
    id_ = f"externalCall.{portal.ids.hex(32)}.{int(turn.now)}"
    phone, line = str(sent["phone"]), str(sent.get("line", ""))
    call = Call(id_, portal.app.id, turn.user_id, phone, calls.OUTGOING, line, "", turn.now, turn.now)
    call.entity = (kind, int(sent["entity_id"])) if kind else None
    calls.begin(turn, call, creates=False)
    told = {
        "PHONE_NUMBER": phone,
        "PHONE_NUMBER_INTERNATIONAL": phone,
        "EXTENSION": "",
        "USER_ID": turn.user_id,
        "CALL_LIST_ID": 0,
        "LINE_NUMBER": line,
        "IS_MOBILE": 0,
        "CALL_ID": id_,
        "CRM_ENTITY_TYPE": calls.owner_code(call.entity) or "",
        "CRM_ENTITY_ID": call.entity[1] if call.entity else 0,
    }
    portal.sender.tell("ONEXTERNALCALLSTART", told, turn)
    return {"call_id": id_}


def order_callback(portal: Portal, sent: dict[str, Any], base: str) -> object:
    """Sends the callback form of a site: the app is told to call."""
    told = {
        "PHONE_NUMBER": str(sent["phone"]),
        "TEXT": str(sent.get("text", "")),
        "VOICE": "",
        "CRM_ENTITY_TYPE": str(sent.get("entity_type", "")),
        "CRM_ENTITY_ID": sent.get("entity_id", 0),
        "LINE_NUMBER": str(sent.get("line", "")),
    }
    portal.sender.tell("ONEXTERNALCALLBACKSTART", told, _turn(portal, sent, base))
    return told
