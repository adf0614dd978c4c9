import httpx
import pytest

from connectors.bitrix24.mappings import APP_EVENTS, CALL_ENDED, CARD_EVENTS, CARD_TABS, INVOICE_EVENTS, LEAD_EVENTS
from connectors.protocol import InstallationError, Why
from connectors.telling import Ringing, Said
from tests.connectors.bitrix24.conftest import Fault

ADDRESS = "https://hub.example/hooks/bitrix24/s3cret"
ONLINE = [*CARD_EVENTS, *LEAD_EVENTS, *INVOICE_EVENTS, *APP_EVENTS, CALL_ENDED]
PAGE = "https://hub.example/frame/bitrix24"
QUEUED = ["ONCRMDEALDELETE", "ONCRMLEADDELETE"]


def bound(*names, handler=ADDRESS):
    return [{"event": name, "handler": handler, "auth_type": "0", "offline": 0} for name in names]


ALL = [*bound(*ONLINE), *({"event": name, "handler": "", "auth_type": "0", "offline": 1} for name in QUEUED)]


@pytest.fixture
def portal(portal):
    """A portal whose installation is finished, and nothing is bound."""
    portal.on("app.info", {"INSTALLED": True})
    portal.on("event.get", [])
    portal.on("event.bind", True)
    portal.on("event.unbind", {"count": 1})
    portal.on("placement.get", [])
    portal.on("placement.bind", True)
    portal.on("placement.unbind", {"count": 1})
    return portal


async def test_what_is_not_bound_is_bound(session, portal):
    assert await session.listen(ADDRESS) == Ringing(rings=True)
    asked = portal.of("event.bind")
    assert [one["event"] for one in asked if one["handler"] == ADDRESS] == ONLINE
    assert [one["event"] for one in asked if one["event_type"] == "offline"] == QUEUED


async def test_what_is_bound_stays(session, portal):
    portal.on("event.get", ALL)
    assert await session.listen(ADDRESS) == Ringing(rings=True)
    assert len(portal.batches) == 1


async def test_what_an_update_of_the_application_took_away_is_bound_again(session, portal):
    portal.on("event.get", [one for one in ALL if one["event"] != "ONCRMDEALUPDATE"])
    await session.listen(ADDRESS)
    assert [one["event"] for one in portal.of("event.bind")] == ["ONCRMDEALUPDATE"]


async def test_an_address_the_hub_had_before_is_taken_away(session, portal):
    old = "https://old.example/hooks/bitrix24/s3cret"
    portal.on(
        "event.get",
        [*ALL, *bound("ONCRMDEALADD", handler=old), *bound("ONCRMDEALADD", handler="https://other.example/x")],
    )
    await session.listen(ADDRESS)
    assert [one["handler"] for one in portal.of("event.unbind")] == [old]


async def test_a_handler_that_turns_out_to_be_there_rings(session, portal):
    portal.on("event.bind", Fault("ERROR_CORE", "Unable to set event handler: Handler already binded"))
    assert (await session.listen(ADDRESS)).rings


async def test_without_the_right_to_a_queue_it_rings_all_the_same(session, portal):
    portal.on(
        "event.bind", Fault("ACCESS_DENIED", "administrator"), where=lambda asked: asked["event_type"] == "offline"
    )
    assert await session.listen(ADDRESS) == Ringing(rings=True)


async def test_a_refused_event_of_deals_is_told(session, portal):
    portal.on(
        "event.bind",
        Fault("ERROR_EVENT_NOT_FOUND", "Event not found"),
        where=lambda asked: asked["event"] == "ONCRMDEALUPDATE",
    )
    assert await session.listen(ADDRESS) == Ringing(
        rings=False, said=(Said("hooks_refused", {"words": "Event not found"}),)
    )


async def test_an_event_that_the_plan_does_not_have_is_done_without(session, portal):
    portal.on("event.bind", Fault("ERROR_EVENT_NOT_FOUND"), where=lambda asked: asked["event"] in LEAD_EVENTS)
    assert (await session.listen(ADDRESS)).rings


async def test_a_binding_that_is_not_answered_does_not_ring(session, portal):
    portal.on("event.bind", None, where=lambda asked: asked["event"] == "ONCRMDEALUPDATE")
    assert not (await session.listen(ADDRESS)).rings


async def test_a_lost_answer_does_not_ring_and_is_nobodys_trouble(session, portal):
    portal.instead(1, httpx.ReadTimeout("slow"))
    assert not (await session.listen(ADDRESS)).rings


async def test_before_the_installation_is_finished_nothing_rings(session, portal):
    portal.on("app.info", {"INSTALLED": False})
    assert await session.listen(ADDRESS) == Ringing(rings=False, said=(Said("not_finished"),))
    assert not portal.of("event.bind")


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000/hooks/x", "https://hub.local/hooks/x", "http://localhost/hooks/x", "http://10.0.0.8/x"],
)
async def test_an_address_the_internet_cannot_see_is_not_bound(session, portal, address):
    assert (await session.listen(address)).said[0].code == "hooks_no_way"
    assert not portal.batches


async def test_a_refused_account_is_its_own_trouble(session, portal):
    portal.on("event.get", Fault("expired_token"))
    with pytest.raises(InstallationError) as raised:
        await session.listen(ADDRESS)
    assert raised.value.why is Why.UNAUTHORIZED


async def test_who_may_not_see_events_is_told(session, portal):
    portal.on("event.get", Fault("ACCESS_DENIED", "Access denied!"))
    assert (await session.listen(ADDRESS)).said == (Said("hooks_refused", {"words": "Access denied!"}),)


async def test_leaving_takes_our_events_away_and_no_others(session, portal):
    portal.on("event.get", [*ALL, *bound("ONCRMDEALADD", handler="https://other.example/x")])
    await session.leave(ADDRESS)
    assert [one["event"] for one in portal.of("event.unbind")] == [*ONLINE, *QUEUED]
    assert {one["handler"] for one in portal.of("event.unbind")} == {ADDRESS, None}


async def test_leaving_where_nothing_is_bound_changes_nothing(session, portal):
    await session.leave(ADDRESS)
    assert len(portal.batches) == 1


# -- our tab on cards


def tabs(*codes, handler=PAGE):
    return [{"placement": code, "userId": 0, "handler": handler, "title": "…"} for code in codes]


async def test_cards_get_our_tab_in_both_languages(session, portal):
    assert await session.listen(ADDRESS, PAGE) == Ringing(rings=True)
    asked = portal.of("placement.bind")
    assert [(one["PLACEMENT"], one["HANDLER"]) for one in asked] == [(code, PAGE) for code in CARD_TABS]
    assert asked[0]["LANG_ALL[ru][TITLE]"] == "Источник обращения"


async def test_tabs_that_are_there_stay(session, portal):
    portal.on("event.get", ALL)
    portal.on("placement.get", tabs(*CARD_TABS))
    await session.listen(ADDRESS, PAGE)
    assert len(portal.batches) == 1


async def test_a_tab_of_an_address_the_hub_had_before_is_taken_away(session, portal):
    old = "https://old.example/frame/bitrix24"
    portal.on("placement.get", [*tabs(*CARD_TABS), *tabs("CRM_DEAL_DETAIL_TAB", handler=old)])
    await session.listen(ADDRESS, PAGE)
    assert [one["HANDLER"] for one in portal.of("placement.unbind")] == [old]
    assert not portal.of("placement.bind")


async def test_a_hub_without_a_page_binds_no_tab(session, portal):
    await session.listen(ADDRESS)
    assert not portal.of("placement.bind")


async def test_a_tab_that_turns_out_to_be_bound_is_no_trouble(session, portal):
    portal.on("placement.bind", Fault("ERROR_CORE", "Unable to set placement handler: Handler already binded"))
    assert await session.listen(ADDRESS, PAGE) == Ringing(rings=True)


async def test_a_refused_tab_is_told_and_it_rings_all_the_same(session, portal):
    portal.on("placement.bind", Fault("ERROR_PLACEMENT_NOT_FOUND", "Placement not found"))
    said = Said("tab_refused", {"words": "Placement not found"})
    assert await session.listen(ADDRESS, PAGE) == Ringing(rings=True, said=(said,))


async def test_who_may_not_see_tabs_is_told(session, portal):
    portal.on("placement.get", Fault("ACCESS_DENIED", "Access denied!"))
    said = Said("tab_refused", {"words": "Access denied!"})
    assert await session.listen(ADDRESS, PAGE) == Ringing(rings=True, said=(said,))
    assert not portal.of("placement.bind")


async def test_leaving_takes_our_tabs_away(session, portal):
    portal.on("placement.get", tabs(*CARD_TABS))
    await session.leave(ADDRESS)
    assert [one["PLACEMENT"] for one in portal.of("placement.unbind")] == [*CARD_TABS]
