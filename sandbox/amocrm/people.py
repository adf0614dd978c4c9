"""Users of the account, their rights, and the method /users (sheet section 3.3)."""

from typing import Any

from sandbox.amocrm.errors import refuse
from sandbox.amocrm.hal import Json, counted, hal, self_link
from sandbox.amocrm.model import User, full_rights
from sandbox.amocrm.store import Card
from sandbox.amocrm.turn import Turn
from sandbox.wire import Answer

NO_RIGHTS = "Недостаточно прав"


def allow(turn: Turn, kind: str, action: str, card: Card | None = None) -> None:
    """Refuses with 403 problem+json when the user's letter does not reach the card."""
    user = turn.user
    letter = "A" if user.is_admin else user.rights[kind].get(action, "A")
    mine = card is None or card.responsible_user_id == user.id
    near = card is None or card.group_id == user.group_id
    if letter == "D" or (letter == "M" and not mine) or (letter == "G" and not (mine or near)):
        raise refuse(403, NO_RIGHTS)


def need_admin(turn: Turn) -> None:
    """Refuses with 403 problem+json when the token is not an admin's."""
    if not turn.user.is_admin:
        raise refuse(403, NO_RIGHTS)


def user_model(turn: Turn, user: User) -> Json:
    """Returns a user as GET /users shows it."""
    wanted = turn.wanted
    model: dict[str, Any] = {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "lang": "ru",
        "rights": {
            **(full_rights() if user.is_admin else user.rights),
            "mail_access": user.is_admin,
            "catalog_access": user.is_admin,
            "is_admin": user.is_admin,
            "is_free": user.is_free,
            "is_active": user.is_active,
            "group_id": user.group_id or None,
            "role_id": None,
            "status_rights": [],
        },
        "_links": self_link(f"{turn.api}/users/{user.id}"),
        "_embedded": {"roles": [], "groups": []},
    }
    if "phone_number" in wanted:
        model["phone_number"] = user.phone
    if "group" in wanted:
        model["_embedded"]["groups"] = [{"id": user.group_id, "name": "Отдел продаж"}]
    return model


def list_users(turn: Turn) -> Answer:
    """GET /users."""
    need_admin(turn)
    return counted(turn, "users", list(turn.account.users.values()), lambda user: user_model(turn, user))


def one_user(turn: Turn, id: str) -> Answer:  # noqa: A002 - the name of the path parameter
    """GET /users/{id}."""
    need_admin(turn)
    user = turn.account.users.get(int(id))
    if user is None:
        raise refuse(404, "User not found")
    return hal(user_model(turn, user))


def who_am_i(turn: Turn) -> Answer:
    """GET /v3/user."""
    return hal({"id": turn.user.id, "name": turn.user.name, "email": turn.user.email})
