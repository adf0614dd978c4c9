"""What the dial changes: each switch the other tests leave alone, at its other setting."""

from typing import Any

import httpx
import pytest

from sandbox.bitrix24.app import Sandbox
from sandbox.brackets import parse_brackets
from tests.sandbox.bitrix24.conftest import HOST, Rest

HANDLER = "https://hub.example/b24/events"


@pytest.fixture
def refresh(web: httpx.AsyncClient, keys: dict[str, object]):
    """Asks the token endpoint for the next pair."""

    async def ask(token: object = None) -> httpx.Response:
        sent = {name: str(keys[name]) for name in ("client_id", "client_secret")}
        told = {"grant_type": "refresh_token", "refresh_token": str(token or keys["refresh_token"])}
        return await web.post("/oauth/token/", data={**sent, **told})

    return ask


@pytest.fixture
def turn(sandbox: Sandbox):
    """Turns the dial."""

    def to(**switches: Any) -> None:
        sandbox.dial.turn(switches)

    return to


@pytest.fixture
def heard(control, outbox: list[httpx.Request]):
    """Lets the queue run and returns the events that arrived since."""

    async def listen() -> list[dict[str, Any]]:
        await control("events/pump")
        found = [dict(parse_brackets(one.content.decode())) for one in outbox]
        outbox.clear()
        return found

    return listen


async def test_lifetimes_of_tokens_and_codes(turn, refresh, control, clock, web) -> None:
    turn(access_ttl=10, refresh_ttl=20, code_ttl=5)
    pair = (await refresh()).json()
    clock.forward(10)
    stale = await Rest(web, pair["access_token"]).refused("profile")
    clock.forward(10)
    assert (pair["expires_in"], stale) == (10, (401, "expired_token"))
    assert (await refresh(pair["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_replaced_access_token_may_be_told_invalid(turn, refresh, rest: Rest) -> None:
    turn(replaced_token_error="invalid_token")
    await refresh()
    assert await rest.refused("profile") == (401, "invalid_token")


async def test_the_oldest_chain_may_end_when_there_are_too_many(turn, sandbox: Sandbox, rest: Rest, control) -> None:
    turn(most_chains=2)
    await control("token", user_id=1)
    alive = (await rest.raw("profile")).status_code
    await control("token", user_id=1)
    assert alive == 200
    assert await rest.refused("profile") == (401, "ERROR_OAUTH")


async def test_an_app_that_is_gone_may_be_an_invalid_client(turn, refresh, control) -> None:
    turn(oauth_uninstalled="invalid_client")
    await control("uninstall")
    answer = await refresh()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


async def test_an_unpaid_portal_may_be_forbidden(turn, refresh) -> None:
    turn(payment_required_status=403, mode="unpaid")
    assert (await refresh()).status_code == 403


@pytest.mark.parametrize(("whose", "there", "absent"), [("portal", "ID", "client_id"), ("auth", "client_id", "ID")])
async def test_app_info_may_be_one_hosts_alone(turn, rest: Rest, whose: str, there: str, absent: str) -> None:
    turn(app_info=whose)
    told = await rest("app.info")
    assert there in told
    assert absent not in told


async def test_an_old_portals_iframe_has_no_application_token(turn, control) -> None:
    turn(frame_application_token=False)
    assert "APPLICATION_TOKEN" not in (await control("open"))["pages"][0]["form"]


@pytest.mark.parametrize(("kept", "events", "placements"), [("all", 1, 1), ("nothing", 0, 0), ("placements", 0, 1)])
async def test_what_outlives_an_update(turn, rest: Rest, control, kept: str, events: int, placements: int) -> None:
    turn(update_keeps=kept)
    await rest("event.bind", event="ONCRMDEALADD", handler=HANDLER)
    await rest("placement.bind", PLACEMENT="LEFT_MENU", HANDLER=HANDLER)
    await control("update-app")
    assert (len(await rest("event.get")), len(await rest("placement.get"))) == (events, placements)


async def test_an_update_may_have_to_be_finished_and_may_widen_at_once(turn, rest: Rest, control) -> None:
    turn(update_unfinishes=True, scope_change="at_once")
    await control("update-app", scopes=["crm"])
    assert (await rest("app.info"))["INSTALLED"] is False
    assert await rest("scope") == ["crm"]


async def test_a_late_onappinstall_takes_as_long_as_told(turn, control, heard, clock) -> None:
    turn(onappinstall="late", onappinstall_delay=5)
    await control("uninstall")
    await heard()
    await control("install")
    clock.forward(5)
    assert "ONAPPINSTALL" in [one.get("event") for one in await heard()]


async def test_webhooks_may_want_https(turn, web: httpx.AsyncClient, keys: dict[str, object]) -> None:
    turn(https_required=True)
    answer = await web.get(str(keys["webhook_url"]).removeprefix(HOST) + "profile")
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")


async def test_the_server_may_stand_elsewhere(turn, rest: Rest) -> None:
    turn(utc_offset=-120)
    assert await rest("server.time") == "2025-12-31T22:00:00-02:00"


async def test_the_bucket_has_the_size_and_the_leak_it_is_told(turn, rest: Rest, clock) -> None:
    turn(limiter=True, burst=2, leak=1, retry_after=7)
    codes = [(await rest.raw("profile")).status_code for _ in range(3)]
    refused = await rest.raw("profile")
    clock.forward(1)
    assert codes == [200, 200, 503]
    assert refused.headers["retry-after"] == "7"
    assert [(await rest.raw("profile")).status_code for _ in range(2)] == [200, 503]


@pytest.mark.parametrize(("count", "last"), [(True, 503), (False, 404)])
async def test_failed_requests_stay_in_the_bucket_or_not(turn, rest: Rest, count: bool, last: int) -> None:
    turn(limiter=True, burst=2, failed_requests_count=count)
    assert [(await rest.raw("no.such")).status_code for _ in range(3)][-1] == last


async def test_operating_time_has_the_limits_it_is_told_and_need_not_be_told(turn, rest: Rest) -> None:
    turn(limiter=True, operating_limit=0, operating_limits={"server.time": 1}, time_operating=False)
    first = (await rest.raw("profile")).json()["time"]
    codes = [(await rest.raw(name)).status_code for name in ("profile", "server.time", "server.time")]
    assert "operating" not in first
    assert codes == [429, 200, 200]


async def test_a_request_of_more_than_a_minute_is_cut_off_although_all_is_done(
    sandbox: Sandbox, turn, rest: Rest
) -> None:
    turn(limiter=True, operating_costs={"crm.deal.add": 31})
    cmd = {f"d{n}": "crm.deal.add?fields[TITLE]=x" for n in range(2)}
    cut = (await rest.raw("batch", cmd=cmd)).status_code
    turn(request_limit=62)
    assert (cut, len(sandbox.portal.store.items[2])) == (504, 2)
    assert (await rest.raw("batch", cmd=cmd)).status_code == 200


async def test_a_batch_may_tell_the_operating_time_of_each_command(turn, rest: Rest) -> None:
    turn(batch_time_operating=True)
    assert (await rest("batch", cmd={"a": "profile"}))["result_time"]["a"]["operating"] == 0.1


async def test_statuses_of_errors_that_the_sources_disagree_on(turn, rest: Rest) -> None:
    turn(unknown_method_status=400, deleted_status=500)
    unknown = await rest.refused("no.such")
    turn(portal_deleted=True)
    assert unknown == (400, "ERROR_METHOD_NOT_FOUND")
    assert await rest.refused("profile") == (500, "PORTAL_DELETED")


async def test_a_start_between_two_pages_may_be_taken_exactly(turn, rest: Rest) -> None:
    turn(odd_start="exact")
    assert len(await rest("user.get", start=2)) == 1


async def test_ids_by_phone_may_come_newest_first(turn, rest: Rest) -> None:
    turn(findbycomm_order="newest")
    ids = [await rest("crm.contact.add", fields={"PHONE": [{"VALUE": "+79991112233"}]}) for _ in range(2)]
    found = await rest("crm.duplicate.findbycomm", type="PHONE", values=["79991112233"])
    assert found == {"CONTACT": ids[::-1]}


async def test_closing_a_deal_may_leave_its_closedate(turn, rest: Rest) -> None:
    turn(closing_sets_closedate=False)
    id_ = await rest("crm.deal.add", fields={})
    await rest("crm.deal.update", id=id_, fields={"STAGE_ID": "WON"})
    assert (await rest("crm.deal.get", id=id_))["CLOSEDATE"] == "2026-01-08T03:00:00+03:00"


async def test_the_words_of_undocumented_refusals(turn, rest: Rest) -> None:
    turn(userfield_exists_text="Поле уже есть", handler_bound_text="Уже привязан", most_handlers=1)
    field = {"fields": {"FIELD_NAME": "A", "USER_TYPE_ID": "string"}}
    told = {"event": "ONCRMDEALADD", "handler": HANDLER}
    await rest("crm.deal.userfield.add", **field)
    await rest("event.bind", **told)
    assert await rest.text("crm.deal.userfield.add", **field) == "Поле уже есть"
    assert await rest.text("event.bind", **told) == "Уже привязан"
    assert "too many" in await rest.text("event.bind", event="ONCRMDEALADD", handler=f"{HANDLER}/2")


async def test_an_unknown_number_may_always_get_a_contact_with_a_deal(turn, rest: Rest) -> None:
    turn(call_creates="contact_deal", call_activity_origin=False)
    told = {"USER_ID": 6, "PHONE_NUMBER": "+79991112233", "TYPE": 2, "CRM_CREATE": 1}
    call = await rest("telephony.externalCall.register", **told)
    done = await rest("telephony.externalCall.finish", CALL_ID=call["CALL_ID"], USER_ID=6)
    assert [one["ENTITY_TYPE"] for one in call["CRM_CREATED_ENTITIES"]] == ["CONTACT", "DEAL"]
    assert (await rest("crm.activity.get", id=done["CRM_ACTIVITY_ID"]))["ORIGIN_ID"] is None


async def test_an_event_may_bring_a_refresh_token_and_come_later(turn, rest: Rest, heard, clock) -> None:
    turn(event_refresh_token=True, event_delay=5)
    await rest("event.bind", event="ONCRMDEALADD", handler=HANDLER)
    await rest("crm.deal.add", fields={})
    soon = await heard()
    clock.forward(5)
    assert soon == []
    assert "refresh_token" in (await heard())[0]["auth"]


async def test_an_event_may_have_fewer_keys_and_spaces_in_its_scope(turn, rest: Rest, heard) -> None:
    turn(event_user_keys=False, event_scope_space=True)
    await rest("event.bind", event="ONCRMDEALADD", handler=HANDLER)
    await rest("crm.deal.add", fields={})
    auth = (await heard())[0]["auth"]
    assert {"expires", "user_id"} & set(auth) == set()
    assert auth["scope"].split()[0] == "crm"


async def test_codes_may_be_numbers(turn, rest: Rest) -> None:
    turn(numeric_codes=True)
    told = await rest("batch", cmd={"a": "crm.item.get?entityTypeId=2"})
    assert await rest.refused("crm.item.get", entityTypeId=2) == (400, 100)
    assert told["result_error"]["a"]["error"] == 100


async def test_without_the_feature_own_changes_come_back(turn, rest: Rest) -> None:
    turn(auth_connector=False)
    await rest("event.bind", event="ONCRMDEALADD", event_type="offline", auth_connector="hub")
    await rest("crm.deal.add", fields={}, auth_connector="hub")
    assert len((await rest("event.offline.get"))["events"]) == 1


async def test_a_handler_has_the_time_it_is_given(turn, rest: Rest, control, outbox: list[httpx.Request]) -> None:
    turn(event_timeout=2)
    await rest("event.bind", event="ONCRMDEALADD", handler=HANDLER)
    await rest("crm.deal.add", fields={})
    await control("events/pump")
    assert outbox[0].extensions["timeout"]["read"] == 2


async def test_the_doors_show_everything_stored(web: httpx.AsyncClient, rest: Rest, control) -> None:
    deal = await rest("crm.deal.add", fields={"TITLE": "Call", "OPPORTUNITY": 10.5})
    await control("move", id=deal, stage="WON")
    await control("call", phone="+79991112233")
    state = (await web.get("/_sandbox/state")).json()
    totals = (await web.get("/_sandbox/totals")).json()
    clock = (await web.get("/_sandbox/clock")).json()
    events = (await web.get("/_sandbox/events")).json()
    ledger = (await web.get("/_sandbox/ledger")).json()["rows"]
    assert (state["deal"][0]["title"], state["deal"][0]["opportunity"]) == ("Call", 1050)
    assert (totals["won"], totals["won_minor_units"], totals["calls"]) == (1, 1050, 1)
    assert clock["text"] == "2026-01-01T03:00:00+03:00"
    assert events == {"handlers": [], "queue": [], "attempts": []}
    assert [(row["path"], row["committed"]) for row in ledger] == [("/rest/crm.deal.add", True)]


async def test_a_prescription_answers_after_the_deal_is_stored(sandbox: Sandbox, turn, rest: Rest) -> None:
    turn(prescription={"c-77": ["504_after_commit", "ok"]})
    fields = {"originId": "c-77"}
    first = await rest.raw("crm.item.add", entityTypeId=2, fields=fields)
    found = await rest("crm.item.list", entityTypeId=2, filter={"originId": "c-77"})
    assert (first.status_code, first.headers["content-type"]) == (504, "text/html")
    assert len(found["items"]) == 1
