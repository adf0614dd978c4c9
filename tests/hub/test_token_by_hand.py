"""An account connected by a long-lived token: what is typed is checked, its end is foretold, and after it calls wait."""

import html
import re
from typing import Any

import httpx
import pytest

from hub.store import crm
from tests.hub.world import World

DAY_S = 86_400


async def minted(world: World, days: float = 365) -> str:
    """Create a long-lived token in the CRM."""
    asked = {"long_lived": True, "seconds": days * DAY_S}
    token: str = (await world.crm_web.post("/_sandbox/token", json=asked)).json()["access_token"]
    return token


async def given(world: World, **typed: str) -> httpx.Response:
    """Fill in the form of the console and send it."""
    csrf = await world.log_in()
    host = httpx.URL(world.crm["base_url"]).netloc.decode()
    form = {"csrf": csrf, "host": host, "until": "", **typed}
    sent = world.web.post("/connections/amocrm/token", data=form, headers={"sec-fetch-site": "same-origin"})
    return await world.while_time_goes_on(sent)


async def connections(world: World) -> str:
    await world.log_in()
    text = html.unescape(re.sub(r"<[^>]+>", " ", (await world.web.get("/connections")).text))
    return " ".join(text.split())


async def status_of(world: World) -> dict[str, Any]:
    (made,) = (await world.api("status"))["installations"]
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of what is typed the database learns nothing
async def test_the_page_says_how_to_get_a_token_and_is_linked(world: World) -> None:
    await world.log_in()
    assert 'href="/connections/amocrm/token"' in (await world.web.get("/connections")).text
    assert "создайте долгосрочный токен" in (await world.web.get("/connections/amocrm/token")).text


async def test_a_token_connects_the_account_and_calls_reach_it(world: World) -> None:
    answer = await given(world, token=await minted(world))
    assert answer.headers["location"] == "/connections"
    await world.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await world.delivered(1)
    assert len((await world.state())["leads"]) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of what is typed the database learns nothing
async def test_a_pasted_address_of_a_page_will_do(world: World) -> None:
    answer = await given(world, host=f"{world.crm['base_url']}/leads/pipeline/", token=await minted(world))
    assert answer.status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of what is typed the database learns nothing
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"host": "romashka.example"}, "не адрес аккаунта amoCRM"),
        ({"host": ""}, "не адрес аккаунта amoCRM"),
        ({"token": "abc"}, "не похоже на долгосрочный токен"),
        ({"token": "two words of a token that is long"}, "не похоже на долгосрочный токен"),
        ({"token": "x" * 40}, "до какого дня он действует"),
        ({"token": "x" * 40, "until": "31.12.2027"}, "не приняла этот токен"),
        ({"token": "x" * 40, "until": "2020-01-01"}, "Срок этого токена уже вышел"),
        ({"token": "x" * 40, "until": "soon"}, "не понял, до какого дня"),
    ],
)
async def test_what_cannot_be_used_is_said_and_connects_nothing(world: World, typed: dict[str, str], said: str) -> None:
    answer = await given(world, **{"token": await minted(world), **typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert (await world.api("status"))["installations"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # of what is typed the database learns nothing
async def test_a_refused_form_keeps_the_address_and_never_shows_the_token(world: World) -> None:
    answer = await given(world, host="romashka.amocrm.ru.example", token="s3cret" * 10)
    assert "romashka.amocrm.ru.example" in answer.text
    assert "s3cret" not in answer.text


async def test_a_token_that_does_not_say_its_end_is_good_until_the_day_that_is_given(world: World) -> None:
    await world.crm_web.post("/_sandbox/dial", json={"jwt_claims": "api_domain"})
    token = await minted(world)
    assert "до какого дня он действует" in (await given(world, token=token)).text
    assert (await given(world, token=token, until="2026-12-01")).status_code == 303
    assert "действует до 02.12.2026" in await connections(world)


@pytest.mark.parametrize(
    ("days", "said"),
    [(60, ""), (29.5, "осталось 29 дней"), (6.5, "осталось 6 дней"), (1.5, "осталось 1 день"), (0.5, "меньше суток")],
)
async def test_the_end_is_foretold_a_month_before_a_week_and_a_day(world: World, days: float, said: str) -> None:
    await given(world, token=await minted(world, days=90))
    world.clock.forward((90 - days) * DAY_S)
    text = await connections(world)
    assert said in text
    assert ("Создайте новый токен" in text) == bool(said)


async def test_an_account_of_the_button_is_told_of_no_end(connected: World) -> None:
    text = await connections(connected)
    assert "Токен до" not in text
    assert "Создайте новый токен" not in text


async def test_after_its_end_calls_wait_with_a_sentence_and_go_once_there_is_a_new_one(world: World) -> None:
    await given(world, token=await minted(world, days=1))
    world.clock.forward(DAY_S + 60)
    await world.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await world.until(lambda status: status["installations"][0]["status"] == crm.REAUTHORISE)
    status = await world.until(lambda status: bool(status["deliveries"]))
    assert status["deliveries"] == {"ready": 1}
    assert "Доступ по токену закончился" in await connections(world)
    await given(world, token=await minted(world))
    await world.delivered(1)
    assert (await status_of(world))["status"] == crm.ACTIVE


async def test_the_widget_tells_of_the_end_too(world: World) -> None:
    await given(world, token=await minted(world, days=5))
    frame = (await world.crm_web.post("/_sandbox/frame-token", json={})).json()["token"]
    answer = await world.web.get("/embed/amocrm/state", params={"lang": "en"}, headers={"X-Auth-Token": frame})
    (check,) = [one for one in answer.json()["checks"] if "token" in one["what"]]
    assert check["what"].endswith(": 4 days left")
    assert check["to_do"]
