"""What is sent for one delivery: cards, the call, its notes and tasks, as Bitrix24 reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.bitrix24.api import Json
from connectors.bitrix24.cards import number
from connectors.bitrix24.encoding import Link
from connectors.bitrix24.mappings import (
    CALL_SUBJECT,
    CALL_TYPE,
    CLASSIC,
    CONTACT,
    DEAL,
    FIELD_CAP,
    HAS_SOURCE,
    INCOMING_CALL,
    LANGUAGE,
    LEAD,
    LEADS,
    NAME_CAP,
    NOTE_CAP,
    ORIGINATOR,
    OWN_FIELDS,
    SERVICE,
    SOURCE_OF,
    TIMELINE,
    TITLE_CAP,
    USER_FIELD,
    UTM,
)
from connectors.bitrix24.settings import Settings
from connectors.bitrix24.work import Work, mark
from connectors.marks import signed
from connectors.protocol import Delivery
from connectors.scenario import AddNote, AddTask, CreateDeal, Enquiry, MoveDeal, Plan, ReopenDeal
from tracking_core.phone import national

Id = int | Link | None


@dataclass(frozen=True, slots=True)
class Portal:
    """How a portal is written to: its settings, whether it has leads, and whether it speaks Russian."""

    settings: Settings
    has_leads: bool
    is_russian: bool


@dataclass(frozen=True, slots=True)
class Owner:
    """The card that things are written on: one that is there, or references to one that the same request makes."""

    entity: int
    id: Id
    contact: Id
    responsible: Id


def owner_of(work: Work) -> Owner:
    """Return the card of a delivery that is there."""
    return Owner(work.entity, work.deal, work.contact, work.responsible)


def is_for_leads(action: CreateDeal, portal: Portal) -> bool:
    """Say whether a new card is a lead: the scenario asks for one, and the account has them."""
    pipeline = action.pipeline or portal.settings.pipeline
    return portal.has_leads and (action.incoming or pipeline == LEADS)


def asks_for_lead(action: CreateDeal, portal: Portal) -> bool:
    """Say whether a scenario asks for a lead, whether there are any or not."""
    return action.incoming or (action.pipeline or portal.settings.pipeline) == LEADS


def origin(delivery: Delivery) -> Json:
    """Return our key of a card [4.12]."""
    return {"originatorId": ORIGINATOR, "originId": delivery.marker}


def contact(delivery: Delivery, company: Id) -> Json:
    """Return a contact by which the person is found again: with his phone, his e-mail, or both."""
    enquiry = delivery.what.enquiry
    return {"name": _person(enquiry), "fm": _ways(enquiry), "companyId": company, **origin(delivery)}


def company(delivery: Delivery, action: CreateDeal) -> Json:
    """Return a company that nobody has made yet."""
    return {"title": tidy(action.company, NAME_CAP), **origin(delivery)}


def deal(delivery: Delivery, action: CreateDeal, portal: Portal, whose: tuple[Id, Id], left_out: set[str]) -> Json:
    """Return a deal of a contact and a company; raises ``NoId`` for an id that is not a number.

    ``left_out`` are fields the account did not accept.
    """
    settings = portal.settings
    pipeline = action.pipeline or settings.pipeline
    is_place = pipeline != LEADS
    # The stage of the settings belongs to the pipeline of the settings.
    stage = action.stage or (settings.stage if not action.pipeline else None)
    return {
        "title": _title(action),
        "categoryId": number(pipeline, "pipeline") if pipeline and is_place else None,
        "stageId": stage if is_place else None,
        "contactId": whose[0],
        "companyId": whose[1],
        **_shared(delivery, action, portal, left_out),
    }


def lead(delivery: Delivery, action: CreateDeal, portal: Portal, whose: tuple[Id, Id], left_out: set[str]) -> Json:
    """Return a lead: of a contact that is known, else with the person's own phone and e-mail."""
    settings, enquiry = portal.settings, delivery.what.enquiry
    is_place = (action.pipeline or settings.pipeline) == LEADS
    stage = action.stage or (settings.stage if not action.pipeline else None)
    person: Json = {} if whose[0] else {"name": _person(enquiry), "fm": _ways(enquiry)}
    return {
        "title": _title(action),
        "stageId": stage if is_place else None,
        "contactId": whose[0],
        "companyId": whose[1],
        **person,
        **_shared(delivery, action, portal, left_out),
    }


def _shared(delivery: Delivery, action: CreateDeal, portal: Portal, left_out: set[str]) -> Json:
    responsible = action.responsible or portal.settings.responsible
    fields = {code: one.text for code, one in action.fields.items()}
    told = source_of(delivery.what, portal.settings, action.tags, fields)
    return {
        **{key: value for key, value in told.items() if key not in left_out},
        "assignedById": number(responsible, "responsible") if responsible else None,
        **origin(delivery),
    }


def source_of(
    plan: Plan, settings: Settings, tags: Sequence[str] = (), fields: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what a card says of where an enquiry came from; only what is known, and what the account has a place for.

    ``fields`` are more values, by the names of their fields.
    """
    enquiry = plan.enquiry
    source = SOURCE_OF.get(enquiry.kind)
    wanted: dict[str, str] = {
        "sourceId": source if source and f"{HAS_SOURCE}{source}" in settings.traits else "",
        "sourceDescription": _description(plan, tags),
    }
    wanted |= {UTM[key.lower()]: text for key, text in enquiry.source.items() if key.lower() in UTM}
    own = own_values(plan)
    named = {f"{USER_FIELD}{code}": own[code] for code in OWN_FIELDS if code in own} | dict(fields or {})
    wanted |= {settings.fields[code]: text for code, text in named.items() if code in settings.fields}
    return {key: value for key, text in wanted.items() if (value := tidy(text, FIELD_CAP))}


def own_values(plan: Plan) -> dict[str, str]:
    """Return what our own fields say of an enquiry, by their names; only what is known."""
    enquiry, told = plan.enquiry, plan.enquiry.source
    source = " / ".join(told[key] for key in ("utm_source", "utm_medium") if told.get(key))
    values = {
        "HUB_SOURCE": source or told.get("referrer", "") or told.get("channel", ""),
        "HUB_CAMPAIGN": told.get("utm_campaign", ""),
        "HUB_KEYWORD": told.get("utm_term", ""),
        "HUB_LANDING": _address(told.get("landing", "")),
        "HUB_NUMBER": national(enquiry.dialled) if enquiry.dialled else "",
        "HUB_CONFIDENCE": f"{enquiry.confidence:.0%}" if enquiry.confidence is not None else "",
        "HUB_SCENARIO": str(plan.scenario_version),
    }
    return {code: text for code, text in values.items() if text}


def _description(plan: Plan, tags: Sequence[str]) -> str:
    """Return the way of an enquiry in one line, and the tags, for which the vendor has no place of their own."""
    own = own_values(plan)
    ways = ("HUB_SOURCE", "HUB_CAMPAIGN", "HUB_KEYWORD", "HUB_CONFIDENCE")
    return ", ".join([*(own[code] for code in ways if code in own), *(f"#{tag}" for tag in tags)])


def _address(landing: str) -> str:
    """Return an address that opens: one that is too long goes without its parameters."""
    whole = landing if len(landing) <= FIELD_CAP else landing.partition("?")[0]
    return whole if whole.startswith(("https://", "http://")) and len(whole) <= FIELD_CAP else ""


def move(work: Work, action: MoveDeal | ReopenDeal) -> Json:
    """Return the change of a deal or lead that moves it inside its pipeline."""
    return {"entityTypeId": work.entity, "id": work.deal, "fields": {"stageId": action.stage}, **ORIGINAL_NAMES}


def call(work: Work, on: Owner, *, is_russian: bool) -> Json:
    """Return the call as an activity of the deal, with the caller's contact [4.10]."""
    plan, enquiry = work.delivery.what, work.delivery.what.enquiry
    russian, english = CALL_SUBJECT[plan.trigger]
    person = (CONTACT, on.contact) if on.contact else (on.entity, on.id)
    spoken = enquiry.started_at + timedelta(seconds=max(enquiry.wait_s, 0) + max(enquiry.talk_s, 0))
    return {
        "TYPE_ID": CALL_TYPE,
        "OWNER_TYPE_ID": on.entity,
        "OWNER_ID": on.id,
        "RESPONSIBLE_ID": on.responsible,
        "SUBJECT": f"{russian if is_russian else english}: {_caller(enquiry)}",
        "DESCRIPTION": enquiry.recording_url,
        "DIRECTION": INCOMING_CALL,
        "START_TIME": moment(enquiry.started_at),
        "END_TIME": moment(spoken),
        "COMPLETED": "Y",
        "COMMUNICATIONS": [
            {"TYPE": "PHONE", "VALUE": enquiry.caller, "ENTITY_ID": person[1], "ENTITY_TYPE_ID": person[0]}
        ],
        "ORIGINATOR_ID": ORIGINATOR,
        "ORIGIN_ID": work.delivery.marker,
    }


def text(work: Work, on: Owner, action: AddNote, step: int) -> Json:
    """Return the source in words as a comment of the timeline; its last line is our mark."""
    enquiry = work.delivery.what.enquiry
    lines = [
        _plain(_cut(action.text, NOTE_CAP)),
        _signature(work, step),
    ]
    if not enquiry.caller and enquiry.recording_url and enquiry.recording_url not in action.text:
        lines.insert(1, enquiry.recording_url)
    comment = "\n".join(line for line in lines if line)
    return {"ENTITY_ID": on.id, "ENTITY_TYPE": TIMELINE[on.entity], "COMMENT": comment}


def _signature(work: Work, step: int) -> str:
    return signed(mark(work.delivery, step), work.delivery.what.scenario_version)


def task(work: Work, on: Owner, action: AddTask, step: int, portal: Portal) -> Json:
    """Return something to do on the deal, due from the start of the enquiry; its last line is our mark [4.10]."""
    due = work.delivery.what.enquiry.started_at + timedelta(minutes=action.due_minutes)
    responsible = action.responsible or portal.settings.responsible
    return {
        "ownerTypeId": on.entity,
        "ownerId": on.id,
        "deadline": moment(due),
        "title": tidy(action.text, TITLE_CAP) or SERVICE,
        "description": f"{_plain(_cut(action.text, NOTE_CAP))}\n{_signature(work, step)}",
        "responsibleId": number(responsible, "responsible") if responsible else on.responsible,
    }


ORIGINAL_NAMES: Mapping[str, str] = {"useOriginalUfNames": "Y"}  # of user fields, as they are [4.2]


def moment(at: datetime) -> str:
    """Return a time as Bitrix24 reads it [3.4]."""
    return at.isoformat(timespec="seconds")


def entity_of(action: CreateDeal, portal: Portal) -> int:
    """Return which kind of card is made for an action."""
    return LEAD if is_for_leads(action, portal) else DEAL


def tidy(value: str, cap: int) -> str:
    """Return a text of one line without signs that cannot be printed, cut to ``cap`` characters."""
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    return _cut(" ".join(value.split()), cap)


def portal_of(settings: Settings, address: str, *, has_leads: bool | None = None) -> Portal:
    """Return how a portal is written to, by what its settings know of it."""
    told = next((trait.removeprefix(LANGUAGE) for trait in settings.traits if trait.startswith(LANGUAGE)), "")
    is_russian = told == "ru" if told else address.endswith((".ru", ".by", ".kz"))
    return Portal(settings, CLASSIC in settings.traits if has_leads is None else has_leads, is_russian)


def _title(action: CreateDeal) -> str:
    return tidy(action.name, NAME_CAP) or SERVICE


def _person(enquiry: Enquiry) -> str:
    return tidy(enquiry.person, NAME_CAP) or _caller(enquiry)


def _caller(enquiry: Enquiry) -> str:
    return tidy(national(enquiry.caller) if enquiry.caller else enquiry.email or SERVICE, NAME_CAP)


def _ways(enquiry: Enquiry) -> list[Json]:
    ways = {"PHONE": enquiry.caller, "EMAIL": enquiry.email}
    return [{"typeId": kind, "valueType": "WORK", "value": value} for kind, value in ways.items() if value]


def _plain(value: str) -> str:
    """Return a text that can be kept; square brackets would be markup there, and a visitor may have written them."""
    kept = "".join(c for c in value if c.isprintable() or c == "\n")
    return kept.encode("utf-8", "replace").decode("utf-8").replace("[", "［").replace("]", "］")


def _cut(value: str, cap: int) -> str:
    return value if len(value) <= cap else value[: cap - 1] + "…"
