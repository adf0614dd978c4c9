"""What ``drain`` delivers, by ``aioamocrm``, an independent client from PyPI: search, then create, call by call.

It is given its due: contact and deal go in one request, both notes in another, and the deal of whom it finds is taken
for open. It spaces its requests evenly: at just 7 a second many come too early by their way, so it is told a bit less;
what is throttled all the same it asks again.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from aioamocrm import AmoCRMClient, Contact, Embedded, Lead, LongLivedToken, Note, Task

from connectors.scenario import Enquiry

PER_SECOND = 6.7
FORGOTTEN_S = 1.1  # what was asked in the second before counts


def deliver(base_url: str, token: str, calls: Sequence[Enquiry]) -> float:
    """Deliver calls one after the other; return the seconds that took."""
    return asyncio.run(_deliver(base_url, token, calls))


async def _deliver(base_url: str, token: str, calls: Sequence[Enquiry]) -> float:
    async with AmoCRMClient(auth=LongLivedToken(token), base_url=base_url, rate_limit=PER_SECOND) as amo:
        began = time.monotonic()
        for call in calls:
            await _deliver_one(amo, call)
        return time.monotonic() - began


async def _deliver_one(amo: AmoCRMClient, call: Enquiry) -> None:
    lead = await _found(amo, call) or await _made(amo, call)
    params = {"uniq": call.id, "duration": call.talk_s, "source": "bench", "phone": call.caller}
    text = Note.common(lead, "Источник: yandex\nКампания: okna")
    call_note = Note(entity_id=lead, note_type="call_in", params=params)
    await amo.leads.notes.create([call_note, text], retry=True)
    if not call.answered:
        till = int((call.started_at + timedelta(minutes=15)).timestamp())
        task = Task(text="Перезвонить", complete_till=till, entity_id=lead, entity_type="leads")
        await amo.tasks.create([task], retry=True)


async def _found(amo: AmoCRMClient, call: Enquiry) -> int | None:
    phone = str(call.caller)
    for contact in await amo.contacts.get_page(query=phone[-10:], with_=["leads"]):
        if phone in contact.field_values("PHONE") and contact.embedded.leads:
            return contact.embedded.leads[0].id
    return None


async def _made(amo: AmoCRMClient, call: Enquiry) -> int:
    contact, lead = Contact(first_name=call.caller), Lead(name=f"Звонок {call.caller}")
    contact.set_field("PHONE", str(call.caller), enum_code="WORK")
    for code, text in call.source.items():
        lead.set_field(code.upper(), text)
    lead.embedded = Embedded(contacts=[contact])
    (made,) = await amo.leads.create_complex([lead], retry=True)
    return made.id
