"""What people do on the pages: each POST is a deed of a Person, and ends where it began."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.amocrm.account import Account
from sandbox.amocrm.page.shown import last_working
from sandbox.amocrm.page.views import USER_COOKIE, back_to, base_of, user_of
from sandbox.amocrm.person import Denied, Person
from sandbox.amocrm.store import CARD_KINDS, LEADS, LOST, WON, Card

Told = Mapping[str, str]
Deed = Callable[[Person, Told], object]


def deed_routes(account: Account) -> list[Route]:
    """Returns the addresses of the deeds."""
    plain: dict[str, Deed] = {
        "deal": new_deal,
        "contact": new_contact,
        "move": move,
        "win": win,
        "lose": lose,
        "reopen": reopen,
        "price": price,
        "note": note,
        "done": done,
        "trash": lambda person, told: person.trash(_card(person, told)),
        "restore": lambda person, told: person.restore(_card(person, told)),
        "merge": lambda person, told: person.merge(_card(person, told), _card(person, told, "into")),
        "accept": lambda person, told: person.send("POST", f"/api/v4/leads/unsorted/{told['uid']}/accept", _me(person)),
        "decline": lambda person, told: person.send(
            "DELETE", f"/api/v4/leads/unsorted/{told['uid']}/decline", _me(person)
        ),
    }
    return [
        Route("/do/user", _change_user, methods=["POST"]),
        *(Route(f"/do/{name}", _posted(account, deed), methods=["POST"]) for name, deed in plain.items()),
    ]


async def form_of(request: Request) -> dict[str, str]:
    """Returns the posted form as texts."""
    return {name: value.strip() for name, value in (await request.form()).items() if isinstance(value, str)}


def _posted(account: Account, deed: Deed) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        told = await form_of(request)
        back = told.get("back", "/")
        try:
            where = deed(Person(account, user_of(account, request), base_of(request)), told)
        except Denied as denied:
            return RedirectResponse(back_to(back, said=f"refused {denied}"), 303)
        except KeyError:
            return RedirectResponse(back_to(back, said="not_found"), 303)
        except ValueError:
            return RedirectResponse(back_to(back, said="bad_number"), 303)
        return RedirectResponse(back_to(where if isinstance(where, str) else back), 303)

    return endpoint


async def _change_user(request: Request) -> Response:
    told = await form_of(request)
    back = RedirectResponse(back_to(told.get("back", "/")), 303)
    back.set_cookie(USER_COOKIE, told.get("user_id", ""), samesite="strict")
    return back


def _card(person: Person, told: Told, name: str = "id") -> Card:
    kind = told.get("kind", LEADS)
    if kind not in CARD_KINDS:
        raise KeyError(kind)
    return person.account.store.shelves[kind].cards[int(told[name])]


def _me(person: Person) -> dict[str, int]:
    return {"user_id": person.user.id}


def _change(person: Person, told: Told, **changes: Any) -> None:
    person.send("PATCH", f"/api/v4/leads/{int(told['id'])}", changes)


def new_deal(person: Person, told: Told) -> str:
    """Creates a deal by hand, with a contact when a name or a phone is given."""
    deal: dict[str, Any] = {
        "name": told["name"],
        "price": _whole(told.get("price", "")),
        "pipeline_id": int(told["pipeline"]),
    }
    contact = _contact(told.get("person", ""), told.get("phone", ""))
    if contact is None:
        made = person.send("POST", "/api/v4/leads", [deal])["_embedded"]["leads"][0]
    else:
        made = person.send("POST", "/api/v4/leads/complex", [deal | {"_embedded": {"contacts": [contact]}}])[0]
    return f"/leads/detail/{made['id']}"


def new_contact(person: Person, told: Told) -> str:
    """Creates a contact by hand."""
    contact = _contact(told["name"], told.get("phone", "")) or {"name": ""}
    made = person.send("POST", "/api/v4/contacts", [contact])["_embedded"]["contacts"][0]
    return f"/contacts/detail/{made['id']}"


def _contact(name: str, phone: str) -> dict[str, Any] | None:
    if not name and not phone:
        return None
    values = [{"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}] if phone else []
    return {"name": name or phone, "custom_fields_values": values}


def _whole(text: str) -> int:
    return int("".join(text.split()) or "0")


def move(person: Person, told: Told) -> None:
    """Moves a deal to a stage, of another pipeline too: `to` is `pipeline:status`."""
    pipeline, _, status = told["to"].partition(":")
    _change(person, told, pipeline_id=int(pipeline), status_id=int(status))


def win(person: Person, told: Told) -> None:
    """Wins a deal."""
    _change(person, told, status_id=WON)


def lose(person: Person, told: Told) -> None:
    """Loses a deal, with a reason if one is chosen."""
    _change(person, told, status_id=LOST, loss_reason_id=int(told["reason"]) if told.get("reason") else None)


def reopen(person: Person, told: Told) -> None:
    """Takes a closed deal back to the last working stage of its pipeline."""
    pipeline = person.account.pipelines[_card(person, told).pipeline_id]
    _change(person, told, status_id=last_working(pipeline).id, loss_reason_id=None)


def price(person: Person, told: Told) -> None:
    """Changes the budget of a deal."""
    _change(person, told, price=_whole(told["price"]))


def note(person: Person, told: Told) -> None:
    """Writes a note on a card."""
    card = _card(person, told)
    written = [{"note_type": "common", "params": {"text": told["text"]}}]
    person.send("POST", f"/api/v4/{card.kind}/{card.id}/notes", written)


def done(person: Person, told: Told) -> None:
    """Completes a task with its result."""
    result = {"result": {"text": told["result"]}} if told.get("result") else {}
    person.send("PATCH", f"/api/v4/tasks/{int(told['task'])}", {"is_completed": True, **result})
