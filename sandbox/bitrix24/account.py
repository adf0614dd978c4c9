"""The app, the person and the portal about themselves (sheet section 1.8)."""

from typing import Any

from sandbox.bitrix24.errors import Refusal, missing
from sandbox.bitrix24.filters import chosen, ordered
from sandbox.bitrix24.model import ALL_SCOPES, User
from sandbox.bitrix24.oauth import auth_info
from sandbox.bitrix24.php import EMPTY_OBJECT, is_yes
from sandbox.bitrix24.turn import Listing, Method, Methods, Turn, paged

LICENSE_NAMES = {"basic": ("ru_basic", "basic", "basic"), "ent250": ("ru_ent250", "ent250", "ent")}
FEATURES = {"rest_offline_extended": "offline_extended", "rest_auth_connector": "auth_connector"}
USER_SCOPES = ("user_basic", "user", "user_brief")


def app_info(turn: Turn) -> dict[str, Any]:
    """app.info: the portal's view of the app, and on the one port also the auth server's view of the token."""
    if not turn.is_app:
        raise Refusal(403, "ACCESS_DENIED", "Access denied! Application context required")
    whose = turn.portal.dial["app_info"]
    told = _portal_info(turn) if whose != "auth" else {}
    if whose != "portal" and turn.grant is not None:
        told |= auth_info(turn.portal, turn.grant, turn.base)
    return told


def _portal_info(turn: Turn) -> dict[str, Any]:
    portal, installed = turn.portal, turn.portal.installed
    name, type_, family = LICENSE_NAMES[portal.dial["license"]]
    return {
        "ID": portal.app.id,
        "CODE": portal.app.code,
        "VERSION": installed.version,
        "STATUS": installed.status,
        "INSTALLED": installed.finished,
        "PAYMENT_EXPIRED": "N",
        "DAYS": None,
        "LANGUAGE_ID": "ru",
        "LICENSE": name,
        "LICENSE_TYPE": type_,
        "LICENSE_FAMILY": family,
    }


def profile(turn: Turn) -> dict[str, Any]:
    """profile: the acting user in short."""
    user = turn.portal.users[turn.user_id]
    return {
        "ID": str(user.id),
        "ADMIN": user.is_admin,
        "NAME": user.name,
        "LAST_NAME": user.last_name,
        "PERSONAL_GENDER": "",
        "TIME_ZONE": "",
    }


def user_row(user: User, with_contacts: bool) -> dict[str, Any]:
    """Returns an employee as `user.get` shows him; contacts need a wider scope than user_brief."""
    row: dict[str, Any] = {
        "ID": str(user.id),
        "ACTIVE": user.is_active,
        "NAME": user.name,
        "LAST_NAME": user.last_name,
        "SECOND_NAME": "",
        "WORK_POSITION": "",
        "UF_DEPARTMENT": [1],
        "LAST_LOGIN": EMPTY_OBJECT,
        "USER_TYPE": "employee",
    }
    if with_contacts:
        row |= {"EMAIL": user.email, "WORK_PHONE": "", "PERSONAL_MOBILE": "", "UF_PHONE_INNER": user.inner_phone}
    return row


def _with_contacts(turn: Turn) -> bool:
    return bool(turn.scopes & {"user_basic", "user"})


def current_user(turn: Turn) -> dict[str, Any]:
    """user.current: the acting user."""
    return user_row(turn.portal.users[turn.user_id], _with_contacts(turn))


def list_users(turn: Turn) -> Listing:
    """user.get: employees by filter; bare field names are taken as a filter too."""
    named = {key: value for key, value in turn.params.items() if key.isupper()}
    wanted = {_plain(key): value for key, value in {**named, **turn.map("FILTER")}.items() if key.upper() != "FILTER"}
    rows = [user_row(user, _with_contacts(turn)) for user in turn.portal.users.values()]
    found = chosen(rows, wanted, _look)
    sort = turn.text("sort") or "ID"
    return paged(turn, ordered(found, {sort: turn.text("order") or "ASC"}, _look))


def _plain(key: str) -> str:
    return key.upper()


def _look(row: dict[str, Any], name: str) -> Any:
    found = row.get(name.upper())
    return {True: 1, False: 0}[found] if isinstance(found, bool) else found


def scope(turn: Turn) -> list[str]:
    """scope: what was granted, or with `full` everything there is."""
    return list(ALL_SCOPES) if is_yes(turn.get("full")) else sorted(turn.scopes)


def feature(turn: Turn) -> dict[str, str]:
    """feature.get: whether the plan has a feature."""
    code = turn.text("CODE")
    if not code:
        raise Refusal(400, "CODE_EMPTY", "Code is empty")
    knob = FEATURES.get(code)
    return {"value": "Y" if knob and turn.portal.dial[knob] else "N"}


def server_time(turn: Turn) -> str:
    """server.time: the portal's clock."""
    return turn.clock_text(turn.now)


def _shelf(turn: Turn) -> dict[str, object]:
    owner = "app" if turn.method.startswith("app.") else f"user {turn.user_id}"
    return turn.portal.options_of_app.setdefault(owner, {})


def set_option(turn: Turn) -> bool:
    """app.option.set, user.option.set: keeps small settings in the portal."""
    told = turn.map("options")
    if not told:
        raise missing("options")
    if turn.method.startswith("app."):
        turn.admins_only("Administrator authorization required")
    _shelf(turn).update(told)
    turn.portal.changes += 1
    return True


def get_option(turn: Turn) -> Any:
    """app.option.get, user.option.get: one setting, or all of them."""
    name = turn.text("option")
    return _shelf(turn).get(name, "") if name else dict(_shelf(turn))


METHODS: Methods = {
    "app.info": Method(app_info, ()),
    "profile": Method(profile, ()),
    "user.current": Method(current_user, USER_SCOPES),
    "user.get": Method(list_users, USER_SCOPES),
    "scope": Method(scope, ()),
    "feature.get": Method(feature, ()),
    "server.time": Method(server_time, ()),
    "app.option.set": Method(set_option, (), app_only=True),
    "app.option.get": Method(get_option, (), app_only=True),
    "user.option.set": Method(set_option, (), app_only=True),
    "user.option.get": Method(get_option, (), app_only=True),
}
