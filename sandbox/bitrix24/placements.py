"""`placement.*` and `userfieldtype.*` (sheet section 7)."""

from typing import Any
from urllib.parse import urlsplit

from sandbox.bitrix24.errors import CORE, Refusal, core
from sandbox.bitrix24.model import FieldType, Placement
from sandbox.bitrix24.php import as_int
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged

CARDS = ("LEAD", "DEAL", "CONTACT", "COMPANY", "QUOTE", "SMART_INVOICE", "ORDER")
ON_CARDS = ("DETAIL_TAB", "DETAIL_ACTIVITY", "DETAIL_TOOLBAR", "ACTIVITY_TIMELINE_MENU")
LISTS = ("LEAD", "DEAL", "CONTACT", "COMPANY", "QUOTE", "SMART_INVOICE", "ACTIVITY")
CODES: dict[str, tuple[str, ...]] = {
    "crm": (
        *(f"CRM_{card}_{place}" for card in CARDS for place in ON_CARDS),
        *(f"CRM_{name}_LIST_{place}" for name in LISTS for place in ("MENU", "TOOLBAR")),
        *("CRM_ANALYTICS_MENU", "CRM_ANALYTICS_TOOLBAR"),
    ),
    "telephony": ("CALL_CARD", "TELEPHONY_ANALYTICS_MENU"),
    "placement": ("LEFT_MENU", "REST_APP_URI", "PAGE_BACKGROUND_WORKER"),
}
SINGLE = ("REST_APP_URI",)
BOUND = "Unable to set placement handler: Handler already binded"
MOST_TYPE_NAME = 50
TEXTS = ("TITLE", "DESCRIPTION", "GROUP_NAME")


def _refuse(turn: Turn, code: str, text: str, **more: object) -> Refusal:
    return Refusal(turn.portal.dial["placement_error_status"], code, text, more)


def _available(turn: Turn) -> set[str]:
    return {code for scope, codes in CODES.items() if scope in turn.scopes for code in codes}


def _argument(turn: Turn, name: str) -> str:
    told = turn.text(name)
    if not told:
        raise _refuse(turn, "ERROR_ARGUMENT", f"Argument '{name}' is null or empty", argument=name)
    return told


def _handler(turn: Turn) -> str:
    url = _argument(turn, "HANDLER")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise _refuse(turn, "ERROR_UNSUPPORTED_PROTOCOL", "Unsupported handler protocol")
    if not parts.hostname:
        raise _refuse(turn, "ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
    return url


def bind(turn: Turn) -> bool:
    """placement.bind: a handler of a placement; the same one again is an error."""
    turn.admins_only()
    code = _argument(turn, "PLACEMENT").upper()
    if code not in _available(turn):
        raise _refuse(turn, "ERROR_PLACEMENT_NOT_FOUND", "Placement not found")
    handler = _handler(turn)
    there = [one for one in turn.portal.placements if one.placement == code]
    if any(one.handler == handler for one in there):
        raise Refusal(400, CORE, BOUND)
    if code in SINGLE and there:
        raise _refuse(turn, "ERROR_PLACEMENT_MAX_COUNT", "Placement max count")
    options = turn.map("OPTIONS")
    if code == "PAGE_BACKGROUND_WORKER" and not options.get("errorHandlerUrl"):
        raise _refuse(turn, "EMPTY_ERROR_HANDLER_URL", "Empty error handler URL")
    user_id = turn.number("USER_ID") or 0
    if user_id and code.startswith("CRM_"):
        raise _refuse(turn, "ERROR_PLACEMENT_USER_MODE", "User mode is not available")
    title, description, group = (turn.text(name) for name in TEXTS)
    lang_all = _lang_all(turn, title, description, group)
    id_ = turn.portal.ids.next("handler")
    made = Placement(id_, code, handler, title, description, group, lang_all, options, user_id)
    turn.portal.placements.append(made)
    turn.portal.changes += 1
    return True


def _lang_all(turn: Turn, title: str, description: str, group: str) -> dict[str, Any]:
    told = turn.map("LANG_ALL") or {"ru": {"TITLE": title, "DESCRIPTION": description, "GROUP_NAME": group}}
    return {lang: {name: (texts or {}).get(name, "") for name in TEXTS} for lang, texts in told.items()}


def bound(turn: Turn) -> list[dict[str, Any]]:
    """placement.get: every handler of the app."""
    turn.admins_only()
    return [
        {
            "placement": one.placement,
            "userId": one.user_id,
            "handler": one.handler,
            "options": one.options,
            "title": one.title or next((texts["TITLE"] for texts in one.lang_all.values()), ""),
            "description": one.description,
            "langAll": one.lang_all,
        }
        for one in turn.portal.placements
    ]


def unbind(turn: Turn) -> dict[str, int]:
    """placement.unbind: one handler of a placement or all; the count is doubled, as at the vendor's."""
    turn.admins_only()
    code, handler = _argument(turn, "PLACEMENT").upper(), turn.text("HANDLER")
    gone = [one for one in turn.portal.placements if one.placement == code and handler in ("", one.handler)]
    turn.portal.placements = [one for one in turn.portal.placements if one not in gone]
    turn.portal.changes += bool(gone)
    return {"count": 2 * len(gone)}


def catalogue(turn: Turn) -> list[str]:
    """placement.list: the codes the app may bind."""
    scope = turn.text("SCOPE")
    if scope:
        return list(CODES.get(scope, ()))
    return sorted(_available(turn))


def add_type(turn: Turn) -> bool:
    """userfieldtype.add: a type of user fields that the app draws."""
    turn.admins_only()
    code, handler = _argument(turn, "USER_TYPE_ID"), _handler(turn)
    types = turn.portal.field_types
    if len(f"rest_{turn.portal.app.id}_{code}") > MOST_TYPE_NAME:
        raise _refuse(turn, "ERROR_ARGUMENT", "USER_TYPE_ID is too long", argument="USER_TYPE_ID")
    if code in types or any(one.handler == handler for one in types.values()):
        raise core(BOUND)
    types[code] = FieldType(code, handler, turn.text("TITLE"), turn.text("DESCRIPTION"), turn.map("OPTIONS"))
    turn.portal.changes += 1
    return True


def list_types(turn: Turn) -> Listing:
    """userfieldtype.list: the types of the app."""
    turn.admins_only()
    rows = [
        {
            "USER_TYPE_ID": one.code,
            "HANDLER": one.handler,
            "TITLE": one.title,
            "DESCRIPTION": one.description,
            "OPTIONS": {"height": as_int(one.options.get("height")) or 0},
        }
        for one in turn.portal.field_types.values()
    ]
    return paged(turn, rows)


def _type(turn: Turn) -> FieldType:
    turn.admins_only()
    found = turn.portal.field_types.get(_argument(turn, "USER_TYPE_ID"))
    if found is None:
        raise Refusal(400, "ERROR_NOT_FOUND", "User field type not found")
    return found


def update_type(turn: Turn) -> bool:
    """userfieldtype.update: other handler, title or options of a type."""
    one = _type(turn)
    one.handler = _handler(turn) if turn.get("HANDLER") else one.handler
    one.title = turn.text("TITLE") or one.title
    one.description = turn.text("DESCRIPTION") or one.description
    one.options = turn.map("OPTIONS") or one.options
    turn.portal.changes += 1
    return True


def delete_type(turn: Turn) -> bool:
    """userfieldtype.delete: takes a type away; fields of it stay, without anybody to draw them."""
    del turn.portal.field_types[_type(turn).code]
    turn.portal.changes += 1
    return True


SCOPES = ("placement",)
TYPE_SCOPES = ("placement", "crm")
METHODS: Methods = {
    "placement.bind": Method(bind, SCOPES, app_only=True),
    "placement.get": Method(bound, SCOPES, app_only=True),
    "placement.unbind": Method(unbind, SCOPES, app_only=True),
    "placement.list": Method(catalogue, SCOPES, app_only=True),
    "userfieldtype.add": Method(add_type, TYPE_SCOPES, app_only=True),
    "userfieldtype.list": Method(list_types, TYPE_SCOPES, app_only=True),
    "userfieldtype.update": Method(update_type, TYPE_SCOPES, app_only=True),
    "userfieldtype.delete": Method(delete_type, TYPE_SCOPES, app_only=True),
}
