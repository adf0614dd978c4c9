"""Finds a caller's contacts by as few searches as this account needs.

The vendor does not say whether its search finds a number inside a longer one [3.8], so a phone is searched by
its ten digits and then, where they find nothing, by the spellings that begin with +7 and 8. Where the account
itself shows that ten digits find a number that is stored with the leading digit, they find whatever those
spellings could: each contains them. That is proved by an old contact, never assumed.
"""

import json
import re

from connectors.amocrm.api import Api, Json
from connectors.amocrm.find import is_of, oldest_first, spellings, values_of
from connectors.scenario import Enquiry

INSIDE = "search_inside"  # a trait of an account, kept by the hub with its facts
_TOGETHER = 3  # callers looked for at once: fewer do not pay for a proof
_LEADING = re.compile(r"\+?[78](\d{10})")


class Search:
    """How one account's search is asked; ``is_inside`` says whether it has been proved to look inside numbers."""

    def __init__(self, api: Api, is_inside: bool) -> None:
        self._api = api
        self._is_inside = is_inside

    async def prepare(self, callers: int) -> None:
        """Find out how the account compares, when so many callers are about to be looked for."""
        if not self._is_inside and callers >= _TOGETHER:
            self._is_inside = await looks_inside(self._api)

    async def contacts_of(self, enquiry: Enquiry) -> list[Json]:
        """Return the contacts that really have the person's phone, else those with his e-mail, the oldest first."""
        phones = spellings(enquiry.caller) if enquiry.caller else ()
        asked = phones[:1] if self._is_inside else phones
        for text in (*asked, *([enquiry.email] if enquiry.email else [])):
            found = [one for one in await self._api.contacts(text) if one.get("id") is not None]
            verified = [one for one in found if not one.get("is_deleted") and is_of(one, enquiry)]
            if verified:
                return oldest_first(verified)
        return []


async def looks_inside(api: Api) -> bool:
    """Say whether ten digits are proved to find a contact that is stored with the digit before them."""
    for contact in await api.oldest_contacts():
        number = _only_inside(contact)
        if number:
            found = await api.contacts(number)
            return any(one.get("id") == contact.get("id") for one in found)
    return False


def _only_inside(contact: Json) -> str | None:
    """Return ten digits that stand in the contact behind a leading digit, and nowhere by themselves."""
    whole = json.dumps(contact, ensure_ascii=False)
    for phone in values_of(contact, "PHONE", None):
        spelt = _LEADING.fullmatch(phone)
        if spelt and not re.search(rf"(?<!\w){spelt[1]}(?!\w)", whole):
            return spelt[1]
    return None
