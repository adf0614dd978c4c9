"""The company a person names: found by its name or created with the deal, and linked to his contact [3.7, 3.9].

The list of the newest companies shows what a search may not show yet, so that two people of one company who write
within a minute do not make it twice.
"""

from collections.abc import Sequence
from functools import partial

from connectors.amocrm.api import Api, Json, embedded, linked, whole
from connectors.amocrm.find import oldest_first
from connectors.amocrm.parts import number
from connectors.amocrm.sending import Part, Sender
from connectors.amocrm.work import LINK_STEP, Work
from connectors.http import Answer
from connectors.protocol import Status, Why
from connectors.telling import Said
from connectors.together import side_by_side

_PER_REQUEST = 50  # links [2]
_NO_QUOTES = str.maketrans(dict.fromkeys("\"'«»“”„‘’", " "))
NOT_LINKED = Said("company_not_linked")
_TWICE = Said("same_company")


def key(name: str) -> str:
    """Return what is the same for two spellings of one company's name."""
    return " ".join(name.translate(_NO_QUOTES).split()).casefold()


async def look(api: Api, works: Sequence[Work]) -> None:
    """Find the companies that new deals are of; what is not found is created with the first of its deals."""
    asked: dict[str, list[Work]] = {}
    for work in works:
        if work.company_name:
            asked.setdefault(key(work.company_name), []).append(work)
    if not asked:
        return
    newest, has_more = await api.newest_companies()

    async def find(name: str) -> None:
        found = _named(name, newest)
        if not found and has_more:
            found = _named(name, await api.companies(asked[name][0].company_name))
        _tell(asked[name], oldest_first(found))

    await side_by_side(partial(find, name) for name in asked)


def _named(name: str, found: Sequence[Json]) -> list[Json]:
    return [one for one in found if key(str(one.get("name") or "")) == name and not one.get("is_deleted")]


def _tell(works: Sequence[Work], found: Sequence[Json]) -> None:
    for place, work in enumerate(works):
        if found:
            work.company = str(found[0]["id"])
        elif place > 0:
            work.trouble(Status.RETRY, Why.TOO_EARLY, _TWICE)


async def link(api: Api, sender: Sender, works: Sequence[Work]) -> None:
    """Link contacts to the companies of their new deals, but for two new ones, whom amoCRM links itself."""
    parts = []
    for work in works:
        if LINK_STEP not in work.steps() - work.done:
            continue
        if work.looks_first and await _are_linked(api, work):
            work.done.add(LINK_STEP)
        else:
            parts.append(_part(work))
    chunks = [parts[start : start + _PER_REQUEST] for start in range(0, len(parts), _PER_REQUEST)]
    send = partial(sender.send, create=partial(_send, api), mend=partial(_settled, api))
    await side_by_side(partial(send, chunk, rows=partial(_rows, chunk)) for chunk in chunks)


def _part(work: Work) -> Part:
    body: Json = {
        "entity_id": number(work.contact, "contact"),
        "to_entity_id": number(work.company, "company"),
        "to_entity_type": "companies",
        "request_id": f"{work.delivery.id}:{LINK_STEP}",
    }
    return Part(work, LINK_STEP, "company", body)


async def _send(api: Api, bodies: Sequence[Json], of: Sequence[str]) -> Answer:
    """A link knows no id of a request: an error names its place [5.3]."""
    return await api.link_contacts([{name: body[name] for name in body if name != "request_id"} for body in bodies], of)


def _rows(parts: Sequence[Part], found: object) -> list[Json]:
    names = {(part.body["entity_id"], part.body["to_entity_id"]): part.request_id for part in parts}
    return [
        {"id": whole(row.get("to_entity_id")), "request_id": names.get((row.get("entity_id"), row.get("to_entity_id")))}
        for row in embedded(found, "links")
    ]


async def _settled(api: Api, part: Part, _paths: Sequence[str]) -> bool:
    """A refusal may only say that they are linked already; whatever it says, the deal is of the company."""
    if not await _are_linked(api, part.work):
        part.work.remarks.append(NOT_LINKED)
    part.work.done.add(LINK_STEP)
    return False


async def _are_linked(api: Api, work: Work) -> bool:
    contact = await api.contact(work.contact or "") or {}
    return work.company in [str(one["id"]) for one in linked(contact, "companies")]
