"""Invoices: a catalog's elements with status and sum, on the deals they belong to."""

from urllib.parse import parse_qs

import httpx
import pytest

from sandbox.amocrm.app import Sandbox


@pytest.fixture
def elements(sandbox: Sandbox) -> str:
    """The address of the elements, in an account that keeps invoices."""
    sandbox.dial.turn({"invoices": True})
    return f"/api/v4/catalogs/{sandbox.account.invoices.id}/elements"


def values(code: str, value: object, key: str = "value") -> dict[str, object]:
    return {"field_code": code, "values": [{key: value}]}


@pytest.fixture
async def invoice(api: httpx.AsyncClient, elements: str) -> int:
    """An invoice of 15 000 that nobody has paid."""
    fields = [values("BILL_STATUS", "created", "enum_code"), values("BILL_PRICE", 15_000)]
    made = await api.post(elements, json=[{"name": "Счёт 1", "custom_fields_values": fields}])
    return int(made.json()["_embedded"]["elements"][0]["id"])


async def lead_with(api: httpx.AsyncClient, invoice: int) -> int:
    lead = (await api.post("/api/v4/leads", json=[{}])).json()["_embedded"]["leads"][0]["id"]
    await api.post(f"/api/v4/leads/{lead}/link", json=[{"to_entity_id": invoice, "to_entity_type": "catalog_elements"}])
    return int(lead)


async def test_an_account_without_invoices_has_no_catalog(api: httpx.AsyncClient) -> None:
    account = (await api.get("/api/v4/account?with=invoices_settings")).json()
    assert account["invoices_settings"]["invoices_catalog_id"] is None
    assert (await api.get("/api/v4/catalogs")).status_code == 204


async def test_the_account_names_its_catalog(api: httpx.AsyncClient, elements: str) -> None:
    account = (await api.get("/api/v4/account?with=invoices_settings")).json()
    catalogs = (await api.get("/api/v4/catalogs")).json()["_embedded"]["catalogs"]
    assert [(one["id"], one["type"]) for one in catalogs] == [
        (account["invoices_settings"]["invoices_catalog_id"], "invoices")
    ]


async def test_an_invoice_is_read_back_with_its_fields(api: httpx.AsyncClient, elements: str, invoice: int) -> None:
    told = (await api.get(f"{elements}/{invoice}?with=invoice_link")).json()
    fields = {one["field_code"]: one["values"][0] for one in told["custom_fields_values"]}
    assert fields["BILL_STATUS"]["enum_code"] == "created"
    assert fields["BILL_PRICE"]["value"] == "15000"
    assert told["invoice_link"].endswith(str(invoice))


async def test_a_payment_is_a_change_of_status_and_a_webhook(
    sandbox: Sandbox, api: httpx.AsyncClient, elements: str, invoice: int, outbox: list[httpx.Request]
) -> None:
    await api.post("/api/v4/webhooks", json={"destination": "https://hub.example/h", "settings": ["update_catalog"]})
    paid = [values("BILL_STATUS", "paid", "enum_code"), values("BILL_PAYMENT_DATE", 1_767_225_600)]
    await api.patch(f"{elements}/{invoice}", json={"custom_fields_values": paid})
    await sandbox.account.sender.pump()
    told = parse_qs(outbox[0].content.decode())
    assert told["catalogs[update][0][id]"] == [str(invoice)]
    assert "paid" in (await api.get(elements)).text


async def test_a_deal_shows_its_invoices(api: httpx.AsyncClient, elements: str, invoice: int) -> None:
    lead = await lead_with(api, invoice)
    shown = (await api.get(f"/api/v4/leads/{lead}?with=catalog_elements")).json()["_embedded"]["catalog_elements"]
    links = (await api.get(f"/api/v4/leads/{lead}/links?filter[to_entity_type]=catalog_elements")).json()
    assert [one["id"] for one in shown] == [invoice]
    assert [one["to_entity_id"] for one in links["_embedded"]["links"]] == [invoice]


async def test_an_invoice_is_taken_off_a_deal(api: httpx.AsyncClient, elements: str, invoice: int) -> None:
    lead = await lead_with(api, invoice)
    gone = [{"to_entity_id": invoice, "to_entity_type": "catalog_elements"}]
    assert (await api.post(f"/api/v4/leads/{lead}/unlink", json=gone)).status_code == 204
    shown = (await api.get(f"/api/v4/leads/{lead}?with=catalog_elements")).json()["_embedded"]["catalog_elements"]
    assert shown == []


async def history(api: httpx.AsyncClient) -> list[tuple[str, int]]:
    """What history tells of links to what is no card, newest first."""
    found = await api.get("/api/v4/events?filter[type]=entity_linked,entity_unlinked")
    told = found.json()["_embedded"]["events"] if found.status_code == 200 else []
    sides = [(one, (one["value_after"] or one["value_before"])[0]["link"]["entity"]) for one in told]
    return [(one["type"], one["entity_id"]) for one, entity in sides if entity["type"] == "catalog_element"]


async def test_history_tells_of_an_invoice_hung_on_a_deal_and_taken_off_once(
    api: httpx.AsyncClient, elements: str, invoice: int
) -> None:
    lead = await lead_with(api, invoice)
    asked = [{"to_entity_id": invoice, "to_entity_type": "catalog_elements"}]
    for deed in ("link", "unlink", "unlink"):
        await api.post(f"/api/v4/leads/{lead}/{deed}", json=asked)
    assert await history(api) == [("entity_unlinked", lead), ("entity_linked", lead)]


async def test_history_may_be_silent_about_invoices(
    sandbox: Sandbox, api: httpx.AsyncClient, elements: str, invoice: int
) -> None:
    sandbox.dial.turn({"invoice_links_told": False})
    await lead_with(api, invoice)
    assert await history(api) == []


async def test_a_merged_deal_leaves_its_invoices_to_the_survivor(
    api: httpx.AsyncClient, elements: str, invoice: int
) -> None:
    lose = await lead_with(api, invoice)
    keep = (await api.post("/api/v4/leads", json=[{}])).json()["_embedded"]["leads"][0]["id"]
    await api.post("/_sandbox/merge", json={"kind": "leads", "lose": lose, "keep": keep})
    state = (await api.get("/_sandbox/state")).json()
    assert [one["leads"] for one in state["invoices"]] == [[keep]]
    assert (await history(api))[:2] == [("entity_linked", keep), ("entity_unlinked", lose)]


async def test_a_deleted_invoice_is_in_no_list_and_on_no_deal(
    api: httpx.AsyncClient, elements: str, invoice: int
) -> None:
    lead = await lead_with(api, invoice)
    assert (await api.post("/_sandbox/delete-invoice", json={"id": invoice})).status_code == 200
    assert (await api.get(elements)).status_code == 204
    shown = (await api.get(f"/api/v4/leads/{lead}?with=catalog_elements")).json()["_embedded"]["catalog_elements"]
    assert shown == []


@pytest.mark.parametrize("sent", [{"to_entity_id": 1}, {"to_entity_id": [1]}])
async def test_an_unknown_invoice_is_not_linked(api: httpx.AsyncClient, elements: str, sent: dict[str, object]) -> None:
    lead = (await api.post("/api/v4/leads", json=[{}])).json()["_embedded"]["leads"][0]["id"]
    linked = await api.post(f"/api/v4/leads/{lead}/link", json=[{"to_entity_type": "catalog_elements", **sent}])
    assert linked.status_code == 400


async def test_an_unknown_status_of_a_payment_is_refused(api: httpx.AsyncClient, elements: str, invoice: int) -> None:
    wrong = [{"id": invoice, "custom_fields_values": [values("BILL_STATUS", "gold", "enum_code")]}]
    answer = (await api.patch(elements, json=wrong)).json()
    assert answer["validation-errors"][0]["errors"][0]["code"] == "NotSupportedChoice"


async def test_an_unknown_catalog_and_element_are_told_apart(api: httpx.AsyncClient, elements: str) -> None:
    assert (await api.get("/api/v4/catalogs/1/elements")).status_code == 404
    assert (await api.get(f"{elements}/1")).status_code == 204
