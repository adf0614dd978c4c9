"""The digital pipeline's action "send this deal as a goal": what its hook says (sheet section 4.6).

It is a form with brackets on the wire and JSON in the documentation: both are read. Nothing is signed, so the secret in
the path is all it proves, and whoever reads our package knows that.
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from connectors.amocrm.package import pipeline_secret
from connectors.protocol import App, GoalAsked, HookRequest, Rejected

BODY_CAP = 64 * 1024  # bytes
NAME_CAP = 60  # characters of a goal's name
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_MOST_FIELDS, _DEEPEST = 1_000, 8
_DEAL, _KIND = "event[data][id]", "event[data][element_type]"
_GOAL = "action[settings][widget][settings][goal]"
_DEALS = "2"  # what amoCRM calls deals among the kinds of cards
_ID_CAP = 15  # digits


def goal_asked(request: HookRequest, app: App, secret: str) -> GoalAsked | Rejected | None:
    """Return what an action asks for, ``Rejected`` with one sentence, None for another secret; never raises."""
    if not hmac.compare_digest(pipeline_secret(app).encode(), secret.encode("utf-8", "replace")):
        return None
    fields = _fields(request)
    return fields if isinstance(fields, Rejected) else _asked(fields)


def _asked(fields: Mapping[str, str]) -> GoalAsked | Rejected:
    account, deal = fields.get("account_id", ""), fields.get(_DEAL, "")
    if not _is_id(account):
        return Rejected("The action names no account: account_id is a whole number.")
    if fields.get(_KIND, _DEALS) != _DEALS:
        return Rejected("The action speaks of a card that is no deal: only a deal can be a goal.")
    if not _is_id(deal):
        return Rejected("The action names no deal: event[data][id] is a whole number.")
    goal = " ".join(fields.get(_GOAL, "").split()).casefold()
    if not goal or len(goal) > NAME_CAP or not goal.isprintable():
        return Rejected(
            f"The action names no goal: write its name, up to {NAME_CAP} characters, into the action's settings."
        )
    return GoalAsked(account, deal, goal)


def _fields(request: HookRequest) -> Mapping[str, str] | Rejected:
    """Return what was sent, by names with brackets, whichever way it came."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    kind = headers.get("content-type", _FORM).split(";")[0].strip().lower()
    if kind not in (_FORM, _JSON):
        return Rejected(f"An action is a form or JSON; allowed content types: {_FORM}, {_JSON}.")
    if len(request.body) > BODY_CAP:
        return Rejected(f"The action is larger than {BODY_CAP} bytes.")
    try:
        if kind == _JSON:
            return dict(_flat(json.loads(request.body), "", _DEEPEST))
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except (ValueError, RecursionError):
        return Rejected("The action cannot be read: it is neither a form nor JSON as it says.")


def _flat(found: object, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the values of a JSON body under the names a form gives them."""
    if isinstance(found, dict) and depth:
        for key, inner in found.items():
            yield from _flat(inner, f"{name}[{key}]" if name else str(key), depth - 1)
    elif isinstance(found, str | int) and not isinstance(found, bool):
        yield name, str(found)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _ID_CAP
