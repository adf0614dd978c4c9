"""A portal on a server of its own: named by the operator in the registration, led to, and told what it lacks."""

import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.app import build
from hub.errors import SettingsInvalid
from hub.settings import AppSettings, Settings, read_settings
from tests.hub import world as worlds
from tests.hub.test_typed_account import connect
from tests.hub.world import World

BOX = "bitrix.example.com"
APP = {"client_id": "app.1", "client_secret": "secret"}


def registered_as(monkeypatch: pytest.MonkeyPatch, *hosts: object) -> Settings:
    monkeypatch.setenv("HUB_APPS", json.dumps({"bitrix24": {**APP, "hosts": hosts}}))
    return read_settings()


# -- what an operator may write


def test_the_operator_names_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    read = registered_as(monkeypatch, BOX, "10.0.0.7", "crm.local:8443")
    assert read.apps["bitrix24"].hosts == (BOX, "10.0.0.7", "crm.local:8443")


@pytest.mark.parametrize(
    "host", ["", f"https://{BOX}", f"{BOX}/", f"*.{BOX}", f"{BOX}:0", "a b", "Bitrix.example.com", "x" * 254, f"a@{BOX}", "a..b"]
)  # fmt: skip
def test_what_is_no_host_is_refused_with_what_one_looks_like(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"HUB_APPS__BITRIX24__HOSTS.*as in crm\.example\.com"):
        registered_as(monkeypatch, host)


def test_a_connector_is_told_the_hosts_and_egress_opens_these(database_url: str, tmp_path: Path) -> None:
    apps = {"bitrix24": AppSettings(client_id="app.1", client_secret="secret", hosts=(BOX,))}  # type: ignore[arg-type]
    hub = build(Settings(data_dir=tmp_path / "data", database_url=database_url, apps=apps))
    assert hub.apps["bitrix24"].origins == (f"https://{BOX}",)
    hub.db.stop()


# -- connecting


@pytest.fixture
async def registered(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub whose operator named one host."""
    apps = {"bitrix24": AppSettings(client_id="app.1", client_secret="secret", hosts=(BOX,))}  # type: ignore[arg-type]
    with worlds.still(database_url, tmp_path, apps=apps) as world:
        yield world
        await world.close()


async def test_the_browser_is_led_to_the_server_for_consent(registered: World) -> None:
    answer = await connect(registered, f"https://{BOX}/crm/")
    where = httpx.URL(answer.headers["location"])
    assert (where.host, where.path) == (BOX, "/oauth/authorize/")


async def test_the_policy_lets_it_and_no_other_host(registered: World) -> None:
    await registered.log_in()
    policy = (await registered.web.get("/connections")).headers["content-security-policy"]
    (forms,) = [one for one in policy.split("; ") if one.startswith("form-action")]
    assert f"https://{BOX}" in forms.split()
    assert not [one for one in forms.split() if "example.com" in one and one != f"https://{BOX}"]


@pytest.mark.parametrize("typed", ["other.example.com", f"x.{BOX}", f"{BOX}:8443"])
async def test_another_server_is_not_and_the_sentence_says_where_it_is_named(registered: World, typed: str) -> None:
    answer = await connect(registered, typed)
    assert answer.status_code == 400
    assert "HUB_APPS" in answer.text


# -- a server that lacks methods


@pytest.fixture
def crm_kind() -> str:
    return "bitrix24"


async def lacking(world: World, pattern: str) -> None:
    await world.crm_web.post("/_sandbox/dial", json={"missing_methods": pattern})
    assert (await world.connect()).status_code == 303


async def page_of(world: World) -> str:
    text = (await world.web.get("/connections")).text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


async def test_without_telephony_a_card_is_not_shown_and_calls_arrive(world: World) -> None:
    await lacking(world, "telephony|voximplant")
    assert "нет телефонии для приложений" in await page_of(world)
    await world.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await world.delivered(1)
    assert len((await world.state())["deal"]) == 1


async def test_without_payments_and_events_the_hub_says_so_and_reads_back_all_the_same(world: World) -> None:
    await lacking(world, r"crm\.item\.payment|event\.|placement\.")
    said = await page_of(world)
    assert "не отдаёт оплаты сделок" in said
    assert "не сообщает приложениям о событиях" in said
    assert "нельзя встроить вкладку" in said
    await world.mango_call("c1", "+79161234567", "+74952220001", talk_s=60)
    await world.delivered(1)
    (deal,) = (await world.state())["deal"]
    await world.crm_web.post("/_sandbox/amount", json={"id": deal["id"], "minor": 100})
    await world.crm_web.post("/_sandbox/move", json={"kind": "deal", "id": deal["id"], "stage": "WON"})
    await world.until(lambda status: status["deals_won"] == 1, step_s=10)


async def test_one_too_old_says_which_method_it_lacks(world: World) -> None:
    await lacking(world, r"crm\.category\.list")
    await world.until(lambda status: bool(status["installations"][0]["hold_why"]))
    assert "нет метода crm.category.list" in await page_of(world)
