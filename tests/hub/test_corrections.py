"""A person's word about who it was: it stands against what is reckoned, until he takes it back."""

from typing import Any

import httpx

from hub.store import scenario_versions
from tests.hub import world as worlds
from tests.hub.test_accuracy import HOUR, call, looked, passed_on, taps, told
from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World


async def newest(world: World) -> dict[str, Any]:
    told_calls = (await world.api("calls"))["calls"]
    found: dict[str, Any] = max(told_calls, key=lambda one: one["id"])["match"]
    return found


async def corrects(world: World, visit: int | str | None, method: str = "PUT", enquiry: int = 1) -> httpx.Response:
    headers = {"authorization": f"Bearer {world.applied.api_token}"}
    more = {"json": {"visit": visit}} if method == "PUT" else {}
    answer = await world.web.request(method, f"/api/v1/enquiries/{enquiry}/visit", headers=headers, **more)
    await looked(world)
    return answer


async def test_the_visit_a_person_names_is_the_match(still: World) -> None:
    first, later = await passed_on(still)
    await call(still, later["number"])
    assert (await corrects(still, first["visit"])).json() == {"visit": first["visit"]}
    match = await newest(still)
    assert (match["visit"], match["reason"], match["confidence"]) == (first["visit"], "corrected", 1.0)


async def test_a_person_may_say_that_it_was_none_of_them(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"])
    await corrects(still, None)
    match = await newest(still)
    assert (match["visit"], match["reason"]) == (None, "corrected")


async def test_later_facts_do_not_change_what_a_person_said(still: World) -> None:
    first, later = await passed_on(still)
    await call(still, later["number"])
    await corrects(still, first["visit"])
    await taps(still, later)
    await looked(still)
    assert (await newest(still))["visit"] == first["visit"]


async def test_a_word_taken_back_leaves_what_is_reckoned(still: World) -> None:
    first, later = await passed_on(still)
    await call(still, later["number"])
    before = await newest(still)
    await corrects(still, first["visit"])
    assert (await corrects(still, None, "DELETE")).status_code == 200
    assert await newest(still) == before


async def test_a_later_call_of_the_same_person_remembers_the_correction(still: World) -> None:
    first, later = await passed_on(still)
    await call(still, later["number"])
    await corrects(still, first["visit"])
    still.clock.forward(20 * HOUR)
    await call(still, later["number"])
    match = await newest(still)
    assert (match["visit"], match["reason"]) == (first["visit"], "repeat_caller")


async def test_a_correction_checks_the_accuracy(still: World) -> None:
    first, later = await passed_on(still)
    await still.visit(AD, visitor=later["visitor"])
    await call(still, later["number"])
    await corrects(still, first["visit"])
    check = (await told(still)).check
    assert (check.wrong, dict(check.witnesses)) == (1, {"person": 1})


async def test_a_visit_that_cannot_be_is_refused(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"])
    answers = [await corrects(still, visit) for visit in (99, 2**70, "1", True, -1, "")]
    assert [answer.status_code for answer in answers] == [400] * 6
    assert (await newest(still))["reason"] == "exclusive_lease"


async def test_an_enquiry_that_is_not_there_is_refused(still: World) -> None:
    shown = await still.visit(AD)
    assert (await corrects(still, shown["visit"], enquiry=7)).status_code == 404


async def test_who_looks_at_the_story_corrects_it_there(still: World) -> None:
    first, later = await passed_on(still)
    await call(still, later["number"])
    form = {"csrf": await still.log_in(), "visit": str(first["visit"])}
    answer = await still.web.post("/enquiries/1/visit", data=form, headers={"sec-fetch-site": "same-origin"})
    await looked(still)
    assert (answer.status_code, (await newest(still))["visit"]) == (303, first["visit"])
    page = (await still.web.get("/enquiries/1")).text
    assert "Исправлено: owner@okna.example" in page
    assert "Вернуть расчёт" in page


async def test_a_story_offers_those_it_might_have_been(still: World) -> None:
    first, later = await passed_on(still)
    await call(still, later["number"])
    await still.log_in()
    page = (await still.web.get("/enquiries/1")).text
    assert "Источник не тот?" in page
    assert f'name="visit" value="{first["visit"]}"' in page


async def test_a_form_that_names_no_visit_of_ours_is_not_here(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"])
    csrf, here = await still.log_in(), {"sec-fetch-site": "same-origin"}
    forms = [{"csrf": csrf, "visit": visit} for visit in ("", "all", "0", "99")]
    answers = [await still.web.post("/enquiries/1/visit", data=form, headers=here) for form in forms]
    assert [answer.status_code for answer in answers] == [404] * 4


async def test_a_second_look_after_the_rules_changed_tells_the_crm_nothing_twice(connected: World) -> None:
    shown = await connected.visit(AD)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.delivered(1)
    text = worlds.SCENARIO.read_text(encoding="utf-8") + "\n# changed\n"
    hub = connected.hub
    version = await hub.db.write(scenario_versions.save, 1, "amocrm", text, "owner", connected.clock.now())
    await corrects(connected, None)
    status = await connected.api("status")
    assert (version, status["deliveries"]) == (2, {"delivered": 1})
