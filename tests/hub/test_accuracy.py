"""The accuracy a customer is shown: promised by matching, checked on calls whose caller is known otherwise."""

import json
from typing import Any

import pytest

from hub.accuracy import Accuracy, accuracy_of
from hub.inbox import look
from hub.store.vault import Vault
from tests.hub.test_flow import AD, IVAN
from tests.hub.world import World
from tracking_core.match import MatchReason

MINUTE, HOUR = 60, 3_600
PETR = "+79160000002"


async def call(world: World, dialled: str, caller: str = IVAN, **about: Any) -> None:
    """A call that begins now and lasts a minute."""
    at = world.clock.forward(MINUTE)
    name = f"{dialled} {at:%d %H:%M:%S}"
    told = {"call_id": name, "event": "ended", "at": at.isoformat(), "status": "answered", "talk_s": 60, "wait_s": 0}
    answer = await world.generic(told | {"dialled": dialled, "caller": caller} | about, name)
    assert answer.status_code == 200, answer.text
    await looked(world)


async def looked(world: World) -> None:
    while await world.hub.db.write(look, world.clock.now(), world.hub.vault) is not None:
        pass


async def tells(world: World, path: str, shown: dict[str, Any], **told: Any) -> None:
    who = {"site": world.applied.sites[0]["key"], "visitor": shown["visitor"], "visit": shown["visit"]}
    headers = {"origin": "https://okna.example"}
    answer = await world.web.post(f"/dni/v1/{path}", content=json.dumps(who | told), headers=headers)
    assert answer.is_success, answer.text


async def taps(world: World, shown: dict[str, Any]) -> None:
    await tells(world, "event", shown, kind="tel_tap", number=shown["number"])


async def passed_on(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two visitors who were shown the same number, one after the other."""
    first = await world.visit(AD)
    world.clock.forward(HOUR)
    later = [await world.visit(AD) for _ in range(3)]
    return first, next(one for one in later if one["number"] == first["number"])


async def told(world: World) -> Accuracy:
    today = world.clock.now().date()
    return await accuracy_of(world.hub.db, 1, today, today, world.hub.vault)


async def test_a_tap_bears_out_the_holder_of_the_number(still: World) -> None:
    shown = await still.visit(AD)
    await taps(still, shown)
    await call(still, shown["number"])
    check = (await told(still)).check
    assert (check.tested, check.right, check.wrong, dict(check.witnesses)) == (1, 1, 0, {"tap": 1})


async def test_who_tapped_after_another_took_his_number_proves_matching_wrong(still: World) -> None:
    first, later = await passed_on(still)
    still.clock.forward(20 * MINUTE)
    await still.visit(AD, visitor=later["visitor"])
    await taps(still, first)
    await call(still, first["number"])
    check = (await told(still)).check
    assert (check.tested, check.right, check.wrong) == (1, 0, 1)


async def test_where_two_are_as_likely_the_check_names_nobody(still: World) -> None:
    first, _ = await passed_on(still)
    await taps(still, first)
    await call(still, first["number"])
    check = (await told(still)).check
    assert (check.tested, check.unknown) == (1, 1)


@pytest.mark.parametrize(("phone", "hours", "witnesses"), [(IVAN, 1, {"form": 1}), (PETR, 1, {}), (IVAN, 7 * 24, {})])
async def test_a_form_of_the_same_phone_within_a_day_bears_it_out(
    still: World, phone: str, hours: int, witnesses: dict[str, int]
) -> None:
    shown = await still.visit(AD)
    await tells(still, "enquiry", shown, kind="form", id="f1", phone=phone)
    await looked(still)
    still.clock.forward(hours * HOUR)
    await call(still, shown["number"])
    assert dict((await told(still)).check.witnesses) == witnesses


async def test_the_check_does_not_remember_the_caller(still: World) -> None:
    first, later = await passed_on(still)
    await tells(still, "enquiry", first, kind="form", id="f1", phone=IVAN)
    await looked(still)
    await call(still, later["number"])
    check = (await told(still)).check
    assert (check.tested, check.wrong) == (1, 1)


async def test_witnesses_who_disagree_bear_nothing_out(still: World) -> None:
    first, later = await passed_on(still)
    await taps(still, first)
    await taps(still, later)
    await call(still, later["number"])
    assert (await told(still)).check.tested == 0


async def test_a_visit_that_telephony_names_bears_it_out(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"], visit_id=str(shown["visit"]))
    check = (await told(still)).check
    assert (check.right, dict(check.witnesses)) == (1, {"telephony": 1})


async def test_a_call_whose_phone_our_keys_do_not_open_is_checked_too(still: World) -> None:
    shown = await still.visit(AD)
    await taps(still, shown)
    await call(still, shown["number"])
    today = still.clock.now().date()
    made = await accuracy_of(still.hub.db, 1, today, today, Vault({"another": b"2" * 32}))
    assert (made.check.tested, made.check.right) == (1, 1)


async def test_calls_are_told_by_reason_with_what_was_promised(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"])
    await call(still, "+74951110003", caller=PETR)
    made = await told(still)
    assert [(one.name, one.calls) for one in made.reasons] == [
        (MatchReason.EXCLUSIVE_LEASE, 1),
        (MatchReason.NOBODY, 1),
    ]
    assert (made.calls, made.named, made.unknown) == (2, 1, 1)
    assert made.expected == pytest.approx(made.reasons[0].confidence)


async def test_calls_to_other_numbers_are_told_apart(still: World) -> None:
    for place, dialled in enumerate(("+74952220001", "+74951000000", "+74959999999")):
        await call(still, dialled, caller=f"+7916000000{place}")
    made = await told(still)
    assert (made.calls, dict(made.elsewhere)) == (0, {"placement": 1, "overflow": 1, "own": 1})


async def test_calls_are_counted_by_how_long_after_the_visit_they_came(still: World) -> None:
    for place, late in enumerate((0, 3 * MINUTE, 50 * MINUTE)):
        shown = await still.visit(AD)
        still.clock.forward(late)
        await call(still, shown["number"], caller=f"+7916000000{place}")
    assert (await told(still)).delays == [1, 1, 0, 1, 0, 0]


async def test_calls_of_other_days_are_not_in_it(still: World) -> None:
    shown = await still.visit(AD)
    await call(still, shown["number"])
    still.clock.forward(24 * HOUR)
    assert (await told(still)).calls == 0


async def test_the_page_shows_promise_and_check(still: World) -> None:
    shown = await still.visit(AD)
    await taps(still, shown)
    await call(still, shown["number"])
    await call(still, "+74959999999", caller=PETR)
    await still.log_in()
    page = (await still.web.get("/accuracy?period=today")).text
    assert "Проверено на 1 звонке" in page
    assert "мало проверок" in page
    assert "ваши собственные номера" in page


async def test_days_without_calls_say_so_and_what_to_do(still: World) -> None:
    await still.log_in()
    page = (await still.web.get("/accuracy")).text
    assert "За эти дни звонков нет" in page
    assert 'href="/sites"' in page


async def test_a_machine_gets_the_same(still: World) -> None:
    shown = await still.visit(AD)
    await taps(still, shown)
    await call(still, shown["number"])
    today = still.clock.now().date().isoformat()
    told = await still.api("accuracy", **{"from": today, "to": today})
    assert (told["calls"], told["named"], told["check"]["right"], told["check"]["witnesses"]) == (1, 1, 1, {"tap": 1})
