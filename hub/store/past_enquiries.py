"""The enquiries of a span of time as the CRM was told of them, or would be: read all at once, for a dry-run."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from connectors.scenario import Enquiry, Trigger, trigger_of
from hub.store.arrival import source_of, source_of_placement
from hub.store.enquiries import is_turned_to_us, its_call, its_match, its_visit, written_text
from hub.store.tables import Call, Match, Placement, Visit, table_of
from hub.store.tables import Enquiry as EnquiryTable
from hub.store.tx import Tx
from hub.store.vault import Unopenable, Vault
from tracking_core.enquiry import EnquiryKind
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan
from tracking_core.regions import of_phone
from tracking_core.source import Source

_enquiry, _call, _match = (table_of(model) for model in (EnquiryTable, Call, Match))
_visit, _placement = table_of(Visit), table_of(Placement)
_its_placement = (_placement.c.id == _match.c.placement_id) & (_placement.c.tenant_id == _match.c.tenant_id)
_OF_VISIT = ("channel", "source", "medium", "campaign", "content", "term", "click_ids", "referrer_host", "landing")
_OF_ENQUIRY = (
    "id",
    "kind",
    "key",
    "at",
    "phone",
    "email",
    "told",
    "phone_masked",
    "phone_key",
    "email_key",
    "qualified",
    "first_time",
)
_OF_CALL = ("dialled", "talk_s", "wait_s", "status", "operator", "ended_at", "recording", "recording_id")


@dataclass(frozen=True, slots=True)
class PastEnquiry:
    """An enquiry as a scenario is asked about it.

    ``order_key`` is what deliveries of its person have in common, empty for who is anonymous. ``happened`` says what
    happened to it and when, as far as it is known; ``waits`` that somebody waits for our call.
    """

    id: int
    masked: str
    order_key: str
    happened: tuple[tuple[Trigger, datetime], ...]
    waits: bool
    enquiry: Enquiry


def past_enquiries(
    tx: Tx, tenant_id: int, since: datetime, until: datetime, vault: Vault, numbering: NumberingPlan = NO_PLAN
) -> list[PastEnquiry]:
    """Return what people turned to us with, oldest first; what our keys do not open is left out."""
    columns = (
        *(_enquiry.c[name].label(f"e_{name}") for name in _OF_ENQUIRY),
        *(_call.c[name].label(f"c_{name}") for name in _OF_CALL),
        *(_visit.c[name].label(f"v_{name}") for name in (*_OF_VISIT, "region")),
        *(_match.c.visit_id, _match.c.placement_id, _match.c.confidence, _match.c.words),
        *(_placement.c.source.label("p_source"), _placement.c.campaign.label("p_campaign")),
    )
    joined = _enquiry.outerjoin(_call, its_call).outerjoin(_match, its_match)
    rows = tx.execute(
        select(*columns)
        .select_from(joined.outerjoin(_visit, its_visit).outerjoin(_placement, _its_placement))
        .where(_enquiry.c.tenant_id == tenant_id, _enquiry.c.at >= since, _enquiry.c.at < until, is_turned_to_us)
        .order_by(_enquiry.c.at, _enquiry.c.id)
    )
    found = (_past(row._mapping, tenant_id, vault, numbering) for row in rows)
    return [one for one in found if one is not None]


def _past(row: Mapping[Any, Any], tenant_id: int, vault: Vault, numbering: NumberingPlan) -> PastEnquiry | None:
    is_call = row["e_kind"] == EnquiryKind.CALL
    if is_call and row["c_ended_at"] is None:
        return None
    try:
        phone, email, told = (_opened(row, name, tenant_id, vault) for name in ("phone", "email", "told"))
    except Unopenable:
        return None
    written = json.loads(told) if told else {}
    is_matched = row["visit_id"] is not None or row["placement_id"] is not None
    talk_s, wait_s = row["c_talk_s"] or 0, row["c_wait_s"] or 0
    enquiry = Enquiry(
        id=f"{row['e_kind']}:{row['e_id']}",
        kind=EnquiryKind(row["e_kind"]),
        caller=phone,
        email=None if is_call else email,
        person=written.get("name", ""),
        company=written.get("company", ""),
        text=written_text(written),
        dialled=row["c_dialled"],
        started_at=row["e_at"],
        talk_s=talk_s,
        wait_s=wait_s,
        answered=is_call and row["c_status"] == "answered",
        recording_url=None,
        operator=row["c_operator"],
        source=_source(row).fields() if is_matched else {},
        region=of_phone(phone, numbering) or row["v_region"],
        is_first=bool(row["e_first_time"]),
        confidence=row["confidence"] if is_matched else None,
        reason=row["words"] or "",
    )
    return PastEnquiry(
        id=row["e_id"],
        masked=row["e_phone_masked"],
        order_key=row["e_phone_key"] or row["e_email_key"] or "",
        happened=tuple(_happened(row, enquiry)),
        waits=(is_call and not enquiry.answered) or enquiry.kind is EnquiryKind.CALLBACK,
        enquiry=enquiry,
    )


def _happened(row: Mapping[Any, Any], enquiry: Enquiry) -> Iterator[tuple[Trigger, datetime]]:
    at = over = enquiry.started_at
    if enquiry.kind is EnquiryKind.CALL:
        over = at + timedelta(seconds=enquiry.talk_s + enquiry.wait_s)
        yield Trigger.RINGING, at
        if enquiry.answered:
            yield Trigger.ANSWERED, at + timedelta(seconds=enquiry.wait_s)
    yield trigger_of(enquiry), over
    if row["c_recording"] is not None or row["c_recording_id"] is not None:
        yield Trigger.RECORDING_READY, over
    if row["e_qualified"]:
        yield Trigger.QUALIFIED, over


def _opened(row: Mapping[Any, Any], name: str, tenant_id: int, vault: Vault) -> str | None:
    sealed = row[f"e_{name}"]
    return vault.open(sealed, tenant_id, row["e_kind"], row["e_key"], name) if sealed else None


def _source(row: Mapping[Any, Any]) -> Source:
    if row["visit_id"] is not None:
        return source_of({name: row[f"v_{name}"] for name in _OF_VISIT})
    return source_of_placement(row["p_source"], row["p_campaign"])
