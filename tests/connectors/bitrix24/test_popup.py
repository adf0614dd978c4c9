import httpx
import pytest

from connectors.protocol import InstallationError, Why
from tests.connectors.bitrix24.conftest import Fault


@pytest.fixture
def portal(portal):
    """A portal that shows cards."""
    portal.on("telephony.externalCall.register", {"CALL_ID": "externalCall.1"})
    portal.on("telephony.externalCall.show", True)
    return portal


async def test_a_call_is_registered_quietly_and_then_shown(session, portal):
    assert await session.popup(["6"], "+79161234567")
    [[call, show]] = portal.batches
    assert call.params == {
        "USER_ID": "6",
        "PHONE_NUMBER": "+79161234567",
        "TYPE": "2",
        "CRM_CREATE": "0",
        "SHOW": "0",
        "ADD_TO_CHAT": "0",
        "EXTERNAL_CALL_ID": "hub-card-6-79161234567",
    }
    assert show.params == {"CALL_ID": "$result[call][CALL_ID]", "USER_ID[0]": "6"}


async def test_all_who_are_rung_are_shown_one_call(session, portal):
    assert await session.popup(["6", "12"], "+79161234567")
    assert [one["USER_ID"] for one in portal.of("telephony.externalCall.register")] == ["6"]
    [show] = portal.of("telephony.externalCall.show")
    assert (show["USER_ID[0]"], show["USER_ID[1]"]) == ("6", "12")


@pytest.mark.parametrize(
    "fault",
    [
        Fault("ERROR_CORE", "User is not found or is not active."),
        Fault("ACCESS_DENIED"),
        Fault("insufficient_scope"),
        None,
    ],
)
async def test_what_is_refused_is_not_shown_and_is_nobodys_trouble(session, portal, fault):
    portal.on("telephony.externalCall.register", fault)
    portal.on("telephony.externalCall.show", Fault("ERROR_CORE"))
    assert not await session.popup(["6"], "+79161234567")


async def test_a_user_that_is_none_is_asked_nothing(session, portal):
    assert not await session.popup(["Иван"], "+79161234567")
    assert not portal.batches


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), httpx.Response(500), httpx.Response(200, text="x")])
async def test_a_lost_answer_may_have_shown_it_and_is_not_asked_again(session, portal, answer):
    portal.instead(0, answer)
    assert not await session.popup(["6"], "+79161234567")
    assert len(portal.batches) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(401, json={"error": "expired_token"}), Why.UNAUTHORIZED),
        (httpx.Response(503, json={"error": "QUERY_LIMIT_EXCEEDED"}), Why.THROTTLED),
        (httpx.ConnectError("no"), Why.UNAVAILABLE),
    ],
)
async def test_trouble_of_the_account_is_told(session, portal, answer, why):
    portal.instead(0, answer)
    with pytest.raises(InstallationError) as raised:
        await session.popup(["6"], "+79161234567")
    assert raised.value.why is why
