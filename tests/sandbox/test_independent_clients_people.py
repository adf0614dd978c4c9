"""Independent clients beside people at the screen: a merged contact, a deleted deal, a widget and an invoice."""

from collections.abc import AsyncIterator

import httpx
import pytest
from aioamocrm import AmoCRMClient, NotFoundError
from amocrm_api import AmoOAuthClient

from tests.sandbox.loopback import Live


@pytest.fixture
async def screen(live: Live) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of somebody who works in the account."""
    async with httpx.AsyncClient(base_url=live.base_url, trust_env=False, follow_redirects=True) as client:
        yield client


async def contact(amo: AmoCRMClient, name: str, phone: str) -> int:
    values = [{"field_code": "PHONE", "values": [{"value": phone}]}]
    made = await amo.request("POST", "contacts", json=[{"name": name, "custom_fields_values": values}])
    return int(made["_embedded"]["contacts"][0]["id"])


async def test_a_contact_merged_away_is_not_found_and_its_phone_finds_the_survivor(
    amo: AmoCRMClient, screen: httpx.AsyncClient
) -> None:
    lose, keep = await contact(amo, "Ваня", "+79160000001"), await contact(amo, "Иван", "+79160000002")
    await screen.post("/do/merge", data={"kind": "contacts", "id": lose, "into": keep})
    found = await amo.request("GET", "contacts", params={"query": "9160000001"})
    with pytest.raises(NotFoundError):
        await amo.contacts.get(lose)
    assert [one["id"] for one in found["_embedded"]["contacts"]] == [keep]


async def test_a_deal_a_person_deleted_and_restored_is_the_same_deal(
    amo: AmoCRMClient, screen: httpx.AsyncClient
) -> None:
    made = await amo.request("POST", "leads", json=[{"name": "Звонок"}])
    lead = made["_embedded"]["leads"][0]["id"]
    await screen.post("/do/trash", data={"id": lead})
    with pytest.raises(NotFoundError):
        await amo.leads.get(lead)
    await screen.post("/do/restore", data={"id": lead})
    assert (await amo.leads.get(lead)).name == "Звонок"


async def test_the_wrapper_installs_a_widget(live: Live, amo: AmoCRMClient, wrapper: AmoOAuthClient) -> None:
    httpx.post(f"{live.base_url}/_sandbox/widget", json={"code": "calls", "settings": ["hub_key"]}, trust_env=False)
    installed = wrapper.install_widget("calls", hub_key="7f3a")
    told = await amo.request("GET", "widgets/calls")
    assert installed["is_active_in_account"] is True
    assert told["settings"] == {"hub_key": "7f3a"}


async def test_the_wrapper_writes_an_invoice_that_aioamocrm_reads(
    live: Live, amo: AmoCRMClient, wrapper: AmoOAuthClient
) -> None:
    live.sandbox.dial.turn({"invoices": True})
    catalog = live.sandbox.account.invoices.id
    paid = [{"field_code": "BILL_STATUS", "values": [{"enum_code": "paid"}]}]
    wrapper.add_elements_to_catalog(catalog, [{"name": "Счёт 1", "custom_fields_values": paid}])
    told = await amo.request("GET", f"catalogs/{catalog}/elements")
    (element,) = told["_embedded"]["elements"]
    assert element["custom_fields_values"][0]["values"][0]["enum_code"] == "paid"
