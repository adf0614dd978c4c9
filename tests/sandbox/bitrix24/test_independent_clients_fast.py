"""fast-bitrix24, an independent asynchronous client, run unmodified against the sandbox over loopback."""

from typing import Any

import pytest

from sandbox.bitrix24.app import Sandbox
from tests.sandbox.bitrix24.conftest import OPTIONS
from tests.sandbox.bitrix24.live import Live
from tests.sandbox.conftest import HandClock
from tests.sandbox.loopback import Turntable

fast_bitrix24 = pytest.importorskip("fast_bitrix24")


@pytest.fixture
def live(clock: HandClock, turntable: Turntable) -> Live:
    sandbox = Sandbox(OPTIONS, clock, {"limiter": False})
    turntable.app = sandbox.app
    return Live(sandbox, turntable.base_url, sandbox.greeting(turntable.base_url))  # type: ignore[arg-type]


@pytest.fixture
def hook(live: Live) -> Any:
    """The client with the portal's webhook, in a hurry."""
    return fast_bitrix24.BitrixAsync(live.keys["webhook_url"], verbose=False, requests_per_second=1e6)


@pytest.fixture
def tokens(live: Live) -> list[str]:
    """The tokens the client was given, in turn."""
    return []


@pytest.fixture
def app(live: Live, tokens: list[str]) -> Any:
    """The client as an app: a function of its user's gives it tokens."""

    async def token() -> str:
        tokens.append(live.sandbox.portal.tokens.new_pair(1).access)
        return tokens[-1]

    return fast_bitrix24.BitrixAsync(
        live.keys["client_endpoint"], token_func=token, verbose=False, requests_per_second=1e6
    )


async def test_it_adds_many_and_reads_all_pages_in_batches(hook: Any, live: Live) -> None:
    added = await hook.call("crm.deal.add", [{"fields": {"TITLE": f"n{n}"}} for n in range(120)])
    deals = await hook.get_all("crm.deal.list", {"select": ["ID", "TITLE"]})
    assert len(set(added)) == 120
    assert {one["TITLE"] for one in deals} == {f"n{n}" for n in range(120)}
    assert len(live.asked("crm.deal.list")) == 1
    assert len(live.asked("batch")) == 4


async def test_it_gets_objects_by_their_ids(hook: Any) -> None:
    ids = await hook.call("crm.contact.add", [{"fields": {"NAME": name}} for name in ("Иван", "Пётр & Ко + сын")])
    found = await hook.get_by_ID("crm.contact.get", ids)
    assert [found[str(id_)]["NAME"] for id_ in ids] == ["Иван", "Пётр & Ко + сын"]


async def test_one_call_is_unpacked(hook: Any) -> None:
    deal = await hook.call("crm.item.add", {"entityTypeId": 2, "fields": {"title": "Call", "opportunity": 10.5}})
    assert (deal["title"], deal["opportunity"]) == ("Call", 10.5)


async def test_its_order_by_an_upper_case_id_is_refused_unless_the_dial_takes_it(hook: Any, live: Live) -> None:
    asked = {"entityTypeId": 2, "select": ["id"]}
    with pytest.raises(Exception, match="400"):
        await hook.get_all("crm.item.list", asked)
    live.sandbox.dial.turn({"upper_id_order": True})
    await hook.call("crm.item.add", [{"entityTypeId": 2, "fields": {"title": "x"}} for _ in range(60)])
    assert len(await hook.get_all("crm.item.list", asked)) == 60


async def test_stage_history_and_phones(hook: Any) -> None:
    id_ = await hook.call("crm.contact.add", {"fields": {"PHONE": [{"VALUE": "+79991112233", "VALUE_TYPE": "WORK"}]}})
    await hook.call("crm.deal.add", {"fields": {"CONTACT_ID": id_}})
    history = await hook.get_all("crm.stagehistory.list", {"entityTypeId": 2})
    found = await hook.call("crm.duplicate.findbycomm", {"type": "PHONE", "values": ["79991112233"]}, raw=True)
    assert [row["STAGE_ID"] for row in history] == ["NEW"]
    assert found["result"] == {"CONTACT": [id_]}


async def test_a_batch_of_its_users_own(hook: Any) -> None:
    commands = {
        "a": "crm.contact.add?fields[NAME]=Ivan",
        "b": "crm.deal.add?fields[CONTACT_ID]=$result[a]&fields[TITLE]=x",
    }
    told = await hook.call_batch({"halt": 0, "cmd": commands})
    rows = await hook.call("crm.deal.contact.items.get", {"id": told["b"]})
    assert rows["CONTACT_ID"] == told["a"]


async def test_an_error_inside_a_batch_is_raised(hook: Any) -> None:
    with pytest.raises(fast_bitrix24.server_response.ErrorInServerResponseException, match="Not found"):
        await hook.get_by_ID("crm.deal.get", [1])


async def test_an_expired_token_is_asked_for_anew(app: Any, live: Live, tokens: list[str]) -> None:
    await app.call("profile", raw=True)
    live.sandbox.portal.tokens.expire_access()
    told = await app.call("profile", raw=True)
    assert told["result"]["ID"] == "1"
    assert len(tokens) == 2


async def test_it_waits_out_a_full_bucket(app: Any, live: Live) -> None:
    live.sandbox.dial.turn({"prescription": {"c-77": ["503", "503"]}})
    told = await app.call("crm.deal.add", {"fields": {"TITLE": "c-77"}}, raw=True)
    assert isinstance(told["result"], int)
    assert [row.status for row in live.asked("crm.deal.add")] == [503, 503, 200]


async def test_after_a_504_it_writes_again_and_makes_two_deals(app: Any, live: Live) -> None:
    live.sandbox.dial.turn({"prescription": {"c-77": ["504_after_commit"]}})
    await app.call("crm.deal.add", {"fields": {"TITLE": "c-77"}}, raw=True)
    assert len(live.sandbox.portal.store.items[2]) == 2


async def test_it_reads_the_operating_time_of_every_reply(app: Any, live: Live) -> None:
    live.sandbox.dial.turn({"operating_cost": 7})
    await app.call("profile", raw=True)
    assert [one.duration for one in app.srh.method_throttlers["profile"]._request_history] == [7]
