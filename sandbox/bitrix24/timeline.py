"""Comments and log messages on cards, stage history, automation triggers (sheet sections 4.10, 4.11)."""

from collections.abc import Callable
from typing import Any

from sandbox.bitrix24.errors import Refusal, core, missing
from sandbox.bitrix24.filters import chosen, narrowed, ordered
from sandbox.bitrix24.model import CODES, COMPANY, CONTACT, DEAL, INVOICE, KINDS, LEAD, Item
from sandbox.bitrix24.php import as_int, as_list, as_map
from sandbox.bitrix24.schema import STAGED
from sandbox.bitrix24.searching import may_read
from sandbox.bitrix24.store import Comment, Move, Owner
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged

OWNER_NAMES = {"lead": LEAD, "deal": DEAL, "contact": CONTACT, "company": COMPANY, "dynamic_31": INVOICE}
NAME_OF = {kind: name for name, kind in OWNER_NAMES.items()}
QUICK_COMMENT: dict[str, Callable[[Comment], Any]] = {
    "ID": lambda one: one.id,
    "ENTITY_ID": lambda one: one.owner[1],
    "ENTITY_TYPE": lambda one: NAME_OF[one.owner[0]],
}
QUICK_MOVE: dict[str, Callable[[Move], Any]] = {"ID": lambda one: one.id, "OWNER_ID": lambda one: one.owner_id}
NO_OWNER = Refusal(400, "OWNER_NOT_FOUND", "Owner was not found")
DENIED = Refusal(400, "ACCESS_DENIED", "Access denied.")
NO_COMMENT = Refusal(400, "NOT_FOUND", "Comment not found")


def needed_owner(turn: Turn, kind: int | None, id_: int | None) -> Item:
    """Returns the object something is hung on, or refuses: absent, or not to be seen."""
    item = turn.portal.store.find((kind or 0, id_ or 0))
    if item is None:
        raise NO_OWNER
    if not may_read(turn, item):
        raise DENIED
    return item


def _fields(turn: Turn) -> dict[str, Any]:
    found = turn.params.get("fields")
    if found is None:
        raise missing("fields")
    return as_map(found)


def add_comment(turn: Turn) -> int:
    """crm.timeline.comment.add: a comment on a card."""
    told = _fields(turn)
    kind = OWNER_NAMES.get(str(told.get("ENTITY_TYPE", "")).lower())
    owner = needed_owner(turn, kind, as_int(told.get("ENTITY_ID")))
    text = str(told.get("COMMENT") or "")
    if not text.strip():
        raise Refusal(400, "INVALID_ARG_VALUE", "Empty comment")
    comment = Comment(turn.portal.ids.next("comment"), (owner.kind, owner.id), turn.user_id, turn.now, text)
    turn.portal.store.comments[comment.id] = comment
    turn.portal.changes += 1
    _tell(turn, comment, "ADD")
    return comment.id


def _tell(turn: Turn, comment: Comment, verb: str) -> None:
    turn.portal.sender.tell(f"ONCRMTIMELINECOMMENT{verb}", {"FIELDS": {"ID": comment.id}}, turn)


def _comment_row(turn: Turn, one: Comment) -> dict[str, Any]:
    return {
        "ID": str(one.id),
        "ENTITY_ID": str(one.owner[1]),
        "ENTITY_TYPE": NAME_OF[one.owner[0]],
        "CREATED": turn.clock_text(one.created),
        "COMMENT": one.text,
        "AUTHOR_ID": str(one.author_id),
        "FILES": [],
    }


def list_comments(turn: Turn) -> Listing:
    """crm.timeline.comment.list: the comments of one card."""
    comments = narrowed(turn.portal.store.comments.values(), turn.map("filter"), QUICK_COMMENT)
    rows = [_comment_row(turn, one) for one in comments if not one.is_log]
    found = ordered(chosen(rows, turn.map("filter"), dict.get), turn.map("order"), dict.get)
    select = {str(one).upper() for one in as_list(turn.get("select"))} - {"*"}
    return paged(turn, [{k: v for k, v in row.items() if not select or k in select | {"ID"}} for row in found])


def _comment(turn: Turn) -> Comment:
    found = turn.portal.store.comments.get(turn.needed_number("id"))
    if found is None or found.is_log:
        raise NO_COMMENT
    needed_owner(turn, *found.owner)
    return found


def get_comment(turn: Turn) -> dict[str, Any]:
    """crm.timeline.comment.get: one comment."""
    return _comment_row(turn, _comment(turn))


def update_comment(turn: Turn) -> bool:
    """crm.timeline.comment.update: other words."""
    comment = _comment(turn)
    comment.text = str(_fields(turn).get("COMMENT") or comment.text)
    turn.portal.changes += 1
    _tell(turn, comment, "UPDATE")
    return True


def delete_comment(turn: Turn) -> bool:
    """crm.timeline.comment.delete: takes a comment away."""
    comment = _comment(turn)
    del turn.portal.store.comments[comment.id]
    turn.portal.changes += 1
    _tell(turn, comment, "DELETE")
    return True


def add_log(turn: Turn) -> dict[str, Any]:
    """crm.timeline.logmessage.add: a line on a card that looks like the system's."""
    told = _fields(turn)
    for name in ("entityTypeId", "entityId", "title", "text", "iconCode"):
        if told.get(name) in (None, ""):
            raise missing(name)
    owner = needed_owner(turn, as_int(told["entityTypeId"]), as_int(told["entityId"]))
    id_ = turn.portal.ids.next("comment")
    texts = (str(told["text"]), str(told["title"]), str(told["iconCode"]))
    log = Comment(id_, (owner.kind, owner.id), turn.user_id, turn.now, *texts, is_log=True)
    turn.portal.store.comments[id_] = log
    turn.portal.changes += 1
    created = turn.clock_text(log.created)
    row = {"id": id_, "created": created, "authorId": log.author_id, "title": log.title, "text": log.text}
    return {"logMessage": {**row, "iconCode": log.icon}}


def history(turn: Turn) -> Listing:
    """crm.stagehistory.list: every stage an object of a kind has been in, append-only."""
    kind = turn.needed_number("entityTypeId")
    if kind not in STAGED:
        raise Refusal(400, "NOT_FOUND" if kind not in KINDS else "ENTITY_TYPE_NOT_SUPPORTED", "Not supported")
    moves = narrowed(turn.portal.store.history, turn.map("filter"), QUICK_MOVE)
    rows = [_move_row(turn, one) for one in moves if one.kind == kind and _visible(turn, one)]
    found = ordered(chosen(rows, turn.map("filter"), dict.get), turn.map("order"), dict.get)
    select = {str(one).upper() for one in as_list(turn.get("select"))} - {"*"}
    narrow = [{k: v for k, v in row.items() if not select or k in select | {"ID"}} for row in found]
    return paged(turn, narrow, lambda page: {"items": page})


def _visible(turn: Turn, one: Move) -> bool:
    item = turn.portal.store.find((one.kind, one.owner_id))
    return item is None or may_read(turn, item)


def _move_row(turn: Turn, one: Move) -> dict[str, Any]:
    row: dict[str, Any] = {"ID": one.id, "TYPE_ID": one.type, "OWNER_ID": one.owner_id}
    row["CREATED_TIME"] = turn.clock_text(one.moment)
    if one.kind == LEAD:
        return {**row, "STATUS_SEMANTIC_ID": one.semantics, "STATUS_ID": one.stage_id}
    return {**row, "CATEGORY_ID": one.category_id, "STAGE_SEMANTIC_ID": one.semantics, "STAGE_ID": one.stage_id}


def add_trigger(turn: Turn) -> bool:
    """crm.automation.trigger.add: a trigger of the app, by its code."""
    turn.admins_only("Access denied.")
    code, name = str(turn.needed("CODE")), str(turn.needed("NAME"))
    turn.portal.store.triggers[code] = name
    turn.portal.changes += 1
    return True


def execute_trigger(turn: Turn) -> bool:
    """crm.automation.trigger.execute: notes that the trigger went off for an object; no rule is played."""
    code = str(turn.needed("CODE"))
    if code not in turn.portal.store.triggers:
        raise core("Trigger is not found")
    owner: Owner = (turn.needed_number("OWNER_TYPE_ID"), turn.needed_number("OWNER_ID"))
    needed_owner(turn, *owner)
    turn.portal.store.triggered.append({"code": code, "kind": CODES[owner[0]], "id": owner[1], "at": turn.now})
    turn.portal.changes += 1
    return True


METHODS: Methods = {
    "crm.timeline.comment.add": Method(add_comment),
    "crm.timeline.comment.list": Method(list_comments),
    "crm.timeline.comment.get": Method(get_comment),
    "crm.timeline.comment.update": Method(update_comment),
    "crm.timeline.comment.delete": Method(delete_comment),
    "crm.timeline.logmessage.add": Method(add_log),
    "crm.stagehistory.list": Method(history),
    "crm.automation.trigger.add": Method(add_trigger, app_only=True),
    "crm.automation.trigger.execute": Method(execute_trigger, app_only=True),
}
