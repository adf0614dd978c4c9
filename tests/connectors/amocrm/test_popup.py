import httpx
import pytest

from connectors.protocol import InstallationError, Why

EVENTS = "api/v2/events"
SHOWN = {"_embedded": {"items": [{"element_id": 61000001, "element_type": 1, "uid": "0e34", "phone_number": "+7"}]}}
IVAN, MARIA = "+79161234567", "7100002"


async def test_the_user_who_talks_has_the_card_shown(session, vendor):
    vendor.on("POST", EVENTS, httpx.Response(200, json=SHOWN))
    assert await session.popup([MARIA], IVAN)
    [sent] = vendor.sent("/api/v2/events")
    assert sent == {"add": [{"type": "phone_call", "phone_number": IVAN, "users": [7100002]}]}


async def test_all_who_are_rung_have_it_shown_by_one_request(session, vendor):
    vendor.on("POST", EVENTS, httpx.Response(200, json=SHOWN))
    assert await session.popup([MARIA, "7100003"], IVAN)
    [sent] = vendor.sent("/api/v2/events")
    assert sent["add"][0]["users"] == [7100002, 7100003]


@pytest.mark.parametrize(
    "lost", [httpx.ReadError("reset"), httpx.Response(504, text="gateway"), httpx.Response(500, json={"title": "oops"})]
)
async def test_what_was_perhaps_shown_is_not_asked_again(session, vendor, lost):
    vendor.on("POST", EVENTS, lost)
    assert not await session.popup([MARIA], IVAN)
    assert len(vendor.sent("/api/v2/events")) == 1


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_refused_card_does_not_hold_the_account(session, vendor, status):
    vendor.on("POST", EVENTS, httpx.Response(status, json={"title": "no", "status": status}))
    assert not await session.popup([MARIA], IVAN)


async def test_a_user_that_is_no_id_is_not_asked_for(session, vendor):
    assert not await session.popup(["Мария"], IVAN)


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (httpx.Response(401, json={"title": "Unauthorized"}), Why.UNAUTHORIZED),
        (httpx.Response(402, json={"title": "Payment Required"}), Why.FORBIDDEN),
        (httpx.Response(403, text="<html>403 Forbidden</html>"), Why.FORBIDDEN),
        (httpx.Response(429, json={"title": "Too Many Requests", "retry_after": 300}), Why.THROTTLED),
        (httpx.ConnectError("refused"), Why.UNAVAILABLE),
    ],
)
async def test_trouble_of_the_account_is_told(session, vendor, refusal, why):
    vendor.on("POST", EVENTS, refusal)
    with pytest.raises(InstallationError) as caught:
        await session.popup([MARIA], IVAN)
    assert caught.value.why is why
