"""Enquiries that wait in unsorted until a person accepts or declines them [3.14].

They are created as deals are, with what unsorted wants to know of a call or a form: so they share requests with deals,
and know the contact that is there. What waits shows in no list of deals: whoever looks for it looks into unsorted too,
and into the trash bin, where a declined one is.
"""

from collections.abc import Iterator, Sequence

from connectors.amocrm.api import Api, Json, linked, whole
from connectors.amocrm.mappings import SERVICE
from connectors.amocrm.settings import Settings
from connectors.amocrm.work import Work, first
from connectors.changes import OLDER_BY
from connectors.protocol import Delivery, Ref
from connectors.scenario import CreateDeal, Enquiry
from connectors.telling import Said
from tracking_core.enquiry import EnquiryKind

_ON = "unsorted"  # a trait of an account: of its main pipeline, and with its id of each pipeline
_MOST_PAGES = 40
OFF = Said("unsorted_is_off")


def traits(account: Json, pipelines: Sequence[Json]) -> Iterator[str]:
    """Yield in which pipelines of an account enquiries can wait; the main one stands first."""
    on = [one.get("is_unsorted_on") is not False for one in pipelines if account.get("is_unsorted_on")]
    if on[:1] == [True]:
        yield _ON
    yield from (f"{_ON}:{one['id']}" for one, is_on in zip(pipelines, on, strict=False) if is_on)


def is_asked(work: Work) -> bool:
    """Say whether an earlier attempt may have put the enquiry into unsorted."""
    actions = (one for rule in work.delivery.what.rules for one in rule.actions)
    return any(isinstance(one, CreateDeal) and one.incoming for one in actions)


def metadata(work: Work, action: CreateDeal, settings: Settings) -> Json | None:
    """Return what unsorted wants to know; None for a deal, and where it is switched off, which is remarked."""
    pipeline = action.pipeline or settings.pipeline
    if not action.incoming:
        return None
    if work.is_refused_waiting or (f"{_ON}:{pipeline}" if pipeline else _ON) not in settings.traits:
        if OFF not in work.remarks:
            work.remarks.append(OFF)
        return None
    enquiry, marker = work.delivery.what.enquiry, work.delivery.marker
    is_call = enquiry.kind is EnquiryKind.CALL and enquiry.caller is not None
    return _of_call(enquiry, marker, settings) if is_call else _of_form(enquiry, marker, action)


def _of_call(enquiry: Enquiry, marker: str, settings: Settings) -> Json:
    """The call itself is written as a note, as on every deal: hence no event of it."""
    return {
        "category": "sip",
        "phone": enquiry.caller,
        "from": enquiry.dialled or "",
        "call_responsible": enquiry.operator or settings.responsible or "",
        "called_at": int(enquiry.started_at.timestamp()),
        "duration": max(enquiry.talk_s, 0),
        "link": enquiry.recording_url or "",
        "service_code": SERVICE,
        "uniq": marker,
        "is_call_event_needed": False,
    }


def _of_form(enquiry: Enquiry, marker: str, action: CreateDeal) -> Json:
    return {
        "category": "forms",
        "form_id": marker,
        "form_name": action.name,
        "form_page": enquiry.source.get("landing", ""),
        "ip": "",
        "form_sent_at": int(enquiry.started_at.timestamp()),
        "referer": enquiry.source.get("referrer", ""),
    }


async def but_waiting(api: Api, gone: frozenset[Ref], traits: Sequence[str]) -> frozenset[Ref]:
    """Return those of some cards that no list shows which do not wait in unsorted either."""
    if not gone or not any(trait.startswith(_ON) for trait in traits):
        return gone
    there: set[tuple[str, str]] = set()
    for page in range(1, _MOST_PAGES + 1):
        found, has_more = await api.waiting(page)
        for kind, plural in (("deal", "leads"), ("contact", "contacts")):
            there |= {(kind, str(card["id"])) for one in found for card in linked(one, plural)}
        if not has_more:
            break
    return frozenset(ref for ref in gone if (ref.kind, ref.id) not in there)


async def left_behind(api: Api, delivery: Delivery) -> Json | None:
    """Return the deal of what an attempt in doubt left in unsorted, or has left it by being declined."""
    marker = delivery.marker
    since = (delivery.what.enquiry.started_at - OLDER_BY).timestamp()
    for page in range(1, _MOST_PAGES + 1):
        found, has_more = await api.waiting(page)
        for one in found:
            deal = first(linked(one, "leads"))
            if deal is not None and marker in _names(one):
                return await api.deal(str(deal["id"])) or deal
        if not has_more or any(whole(one.get("created_at")) < since for one in found):
            break
    declined = await api.deleted_deals_found(marker.rpartition(":")[2] or marker)
    return {"id": declined[0]["id"], "is_deleted": True} if declined else None


def _names(one: Json) -> list[object]:
    told = one.get("metadata")
    return [told.get("uniq"), told.get("form_id")] if isinstance(told, dict) else []
