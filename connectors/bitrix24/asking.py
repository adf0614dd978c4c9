"""The reads of a look, as commands of a batch."""

from collections.abc import Iterable, Sequence

from connectors.bitrix24.api import Json
from connectors.bitrix24.encoding import command
from connectors.bitrix24.find import Way
from connectors.bitrix24.mappings import COMPANY, DEAL, LEAD, ORIGINATOR, TIMELINE
from connectors.bitrix24.parts import ORIGINAL_NAMES

# What is read of a deal or a lead while looking; a list with a narrow choice is a quick one [4.2].
_OF_CARD = (
    "id",
    "stageId",
    "stageSemanticId",
    "contactId",
    "companyId",
    "assignedById",
    "originatorId",
    "originId",
    "createdTime",
    "movedTime",
)
_OF_DEAL = (*_OF_CARD, "categoryId", "closed")
_CHOSEN = {LEAD: _OF_CARD, DEAL: _OF_DEAL}
_IDS = 50  # of one list
ALL = ("*",)  # with everything come phones and e-mails [4.2]


def mode() -> str:
    """Ask whether the account has leads."""
    return command("crm.settings.mode.get", {})


def found(way: Way, values: Sequence[str], entity: str) -> str:
    """Ask which cards of one kind have one of these phones or e-mails; kinds asked apart hide none of them [4.7]."""
    return command("crm.duplicate.findbycomm", {"type": way, "values": list(values), "entity_type": entity})


def card(entity: int, id_: int) -> str:
    """Ask for one card."""
    return command("crm.item.get", {"entityTypeId": entity, "id": id_, **ORIGINAL_NAMES})


def made_of(entity: int, marker: str) -> str:
    """Ask for the cards that carry our mark, the oldest first [9]."""
    return listed(entity, {"=originatorId": ORIGINATOR, "=originId": marker}, order="ASC")


def of_contacts(entity: int, contacts: Sequence[int]) -> str:
    """Ask for the newest deals or leads of these contacts."""
    return listed(entity, {"@contactId": list(contacts)})


def several(entity: int, ids: Iterable[int], select: Sequence[str] = ()) -> str:
    """Ask for cards by their ids, not more than a page of them."""
    return listed(entity, {"@id": list(ids)[:_IDS]}, select=select)


def companies(name: str) -> str:
    """Ask for companies whose names have a text inside."""
    return command(
        "crm.item.list",
        {
            "entityTypeId": COMPANY,
            "filter": {"%title": name},
            "select": ["id", "title"],
            "order": {"id": "ASC"},
            "start": -1,
        },
    )


def listed(entity: int, chosen: Json, order: str = "DESC", select: Sequence[str] = ()) -> str:
    """Ask for a page of cards, without counting them [3.3]."""
    return command(
        "crm.item.list",
        {
            "entityTypeId": entity,
            "filter": chosen,
            "select": list(select or _CHOSEN.get(entity, ALL)),
            "order": {"id": order},
            "start": -1,
            **ORIGINAL_NAMES,
        },
    )


def comments(entity: int, id_: int) -> str:
    """Ask for the newest comments on a card [4.10]."""
    return command(
        "crm.timeline.comment.list",
        {
            "filter": {"ENTITY_ID": id_, "ENTITY_TYPE": TIMELINE[entity]},
            "select": ["ID", "COMMENT"],
            "order": {"ID": "DESC"},
        },
    )


def activities(entity: int, id_: int) -> str:
    """Ask for the newest calls and tasks of a card [4.10]."""
    return command("crm.activity.list", {"filter": {"OWNER_TYPE_ID": entity, "OWNER_ID": id_}, "order": {"ID": "DESC"}})


def stages(entity: int, id_: int) -> str:
    """Ask for the newest stages of a card [4.11]."""
    return command(
        "crm.stagehistory.list", {"entityTypeId": entity, "filter": {"OWNER_ID": id_}, "order": {"ID": "DESC"}}
    )
