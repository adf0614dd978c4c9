"""batch: order, references, halt, the limit of fifty, odd shapes; and paging beside it."""

from typing import Any

import pytest

from sandbox.bitrix24.app import Sandbox
from tests.sandbox.bitrix24.conftest import Rest


@pytest.fixture
def batch(rest: Rest):
    """Sends commands and returns the five maps."""

    async def send(cmd: Any, halt: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = await rest("batch", cmd=cmd, halt=halt)
        return found

    return send


async def test_a_later_command_refers_to_an_earlier_result(batch, rest: Rest) -> None:
    told = await batch(
        {
            "contact": "crm.item.add?entityTypeId=3&fields[name]=%2B79991112233",
            "deal": "crm.item.add?entityTypeId=2&fields[title]=Call&fields[contactId]=$result[contact][item][id]",
            "old": "crm.deal.add?fields[TITLE]=Old $result[deal][item][title]",
            "seen": "crm.deal.get?id=$result[old]",
        }
    )
    contact, deal = told["result"]["contact"]["item"], told["result"]["deal"]["item"]
    assert contact["name"] == "+79991112233"
    assert deal["contactIds"] == [contact["id"]]
    assert told["result"]["seen"]["TITLE"] == "Old Call"
    assert told["result_error"] == told["result_next"] == told["result_total"] == []


async def test_a_reference_to_a_failure_is_empty_and_the_command_still_runs(batch) -> None:
    told = await batch({"a": "crm.item.get?entityTypeId=2&id=1", "b": "crm.deal.add?fields[TITLE]=x$result[a][id]y"})
    assert told["result_error"]["a"]["error"] == "NOT_FOUND"
    assert isinstance(told["result"]["b"], int)


async def test_an_unresolved_reference_may_stay_as_written(sandbox: Sandbox, batch, rest: Rest) -> None:
    sandbox.dial.turn({"unresolved_reference": "literal"})
    told = await batch({"b": "crm.deal.add?fields[TITLE]=$result[nothing]"})
    deal = await rest("crm.deal.get", id=told["result"]["b"])
    assert deal["TITLE"] == "$result[nothing]"


async def test_halt_stops_at_the_first_error_and_says_nothing_of_the_rest(batch) -> None:
    told = await batch({"a": "profile", "b": "no.such.method", "c": "profile"}, halt=1)
    assert list(told["result"]) == ["a"]
    assert told["result_error"] == {"b": {"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}}


async def test_numeric_keys_come_back_as_lists(batch) -> None:
    told = await batch(["profile", "server.time"])
    assert isinstance(told["result"], list)
    assert len(told["result_time"]) == 2


async def test_a_batch_in_a_batch_and_a_file_are_not_allowed(batch) -> None:
    told = await batch({"a": "batch?cmd[x]=profile", "b": "telephony.externalcall.attachrecord?CALL_ID=1"})
    assert {one["error"] for one in told["result_error"].values()} == {"ERROR_BATCH_METHOD_NOT_ALLOWED"}


async def test_the_fifty_first_command_is_too_many(batch) -> None:
    told = await batch({f"k{n}": "server.time" for n in range(51)})
    assert len(told["result"]) == 50
    assert told["result_error"]["k50"]["error"] == "ERROR_BATCH_LENGTH_EXCEEDED"


async def test_a_batch_is_one_hit_but_each_command_has_its_own_operating_time(
    sandbox: Sandbox, batch, rest: Rest
) -> None:
    sandbox.dial.turn({"limiter": True, "operating_costs": {"profile": 300}})
    told = await batch({f"k{n}": "profile" for n in range(3)})
    assert list(told["result"]) == ["k0", "k1"]
    assert told["result_error"]["k2"]["error"] == "OPERATION_TIME_LIMIT"
    assert {(await rest.raw("server.time")).status_code for _ in range(49)} == {200}
    assert (await rest.raw("server.time")).status_code == 503


async def test_the_time_of_a_batch_may_be_charged_to_the_batch(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.dial.turn({"limiter": True, "operating_in_batch": "batch", "operating_costs": {"profile": 300}})
    cmd = {f"k{n}": "profile" for n in range(3)}
    first = await rest.raw("batch", cmd=cmd)
    assert first.json()["time"]["operating"] == 900
    assert await rest.refused("batch", cmd=cmd) == (429, "OPERATION_TIME_LIMIT")


async def test_a_form_carries_a_batch_too(web, rest: Rest) -> None:
    sent = {"auth": rest.token, "halt": "0", "cmd[a]": "user.get?FILTER[ID]=6"}
    answer = await web.post("/rest/batch.json", data=sent)
    assert answer.json()["result"]["result"]["a"][0]["ID"] == "6"
    assert answer.json()["result"]["result_total"] == {"a": 1}


@pytest.fixture
async def many(batch) -> None:
    """120 deals of one originator."""
    for start in (0, 50, 100):
        numbers = range(start, min(start + 50, 120))
        add = "crm.item.add?entityTypeId=2&fields[originatorId]=callhub&fields[originId]=c-{n}&fields[opportunity]={n}"
        await batch({f"d{n}": add.format(n=n) for n in numbers})


async def test_a_page_has_fifty_rows_and_says_where_the_next_starts(many: None, rest: Rest) -> None:
    first = (await rest.raw("crm.item.list", entityTypeId=2)).json()
    last = (await rest.raw("crm.item.list", entityTypeId=2, start=100)).json()
    odd = (await rest.raw("crm.item.list", entityTypeId=2, start=60)).json()
    assert (len(first["result"]["items"]), first["total"], first["next"]) == (50, 120, 50)
    assert (len(last["result"]["items"]), last["total"]) == (20, 120)
    assert "next" not in last
    assert odd["next"] == 100


async def test_paging_by_key_is_not_counted(many: None, rest: Rest, sandbox: Sandbox) -> None:
    seen: list[int] = []
    while True:
        asked = {"entityTypeId": 2, "order": {"id": "ASC"}, "filter": {">id": seen[-1] if seen else 0}, "start": -1}
        page = (await rest.raw("crm.item.list", **asked, select=["id"])).json()
        seen += [row["id"] for row in page["result"]["items"]]
        assert "total" not in page
        assert "next" not in page
        if len(page["result"]["items"]) < 50:
            break
    sandbox.dial.turn({"no_count_total": "zero"})
    assert len(set(seen)) == 120
    assert (await rest.raw("crm.item.list", entityTypeId=2, start=-1)).json()["total"] == 0


async def test_the_prefixes_of_a_filter(many: None, rest: Rest) -> None:
    async def count(**filter_: Any) -> int:
        told = {name.replace("_", ""): value for name, value in filter_.items()}
        return int((await rest.raw("crm.item.list", entityTypeId=2, filter=told)).json()["total"])

    assert await count(originId="c-7") == 1
    assert await count(**{"=originId": "c-7"}) == 1
    assert await count(**{"!originId": "c-7"}) == 119
    assert await count(**{"@originId": ["c-1", "c-2"]}) == 2
    assert await count(**{"!@originId": ["c-1", "c-2"]}) == 118
    assert await count(**{"%originId": "C-11"}) == 11
    assert await count(**{"=%originId": "c-1%"}) == 31
    assert await count(**{">=opportunity": 100, "<opportunity": 110}) == 10
    assert await count(**{"0": {"logic": "OR", "0": {"originId": "c-1"}, "1": {"originId": "c-2"}}}) == 2


async def test_a_filter_or_order_by_an_unknown_field_is_refused(rest: Rest) -> None:
    wrong = {"filter": {"nothing": 1}}, {"order": {"nothing": "ASC"}}, {"filter": {">createdTime": "soon"}}
    assert {await rest.refused("crm.item.list", entityTypeId=2, **one) for one in wrong} == {(400, "INVALID_ARG_VALUE")}


async def test_filtering_by_origin_may_be_forbidden(sandbox: Sandbox, rest: Rest) -> None:
    sandbox.dial.turn({"filter_by_origin": False})
    asked = {"entityTypeId": 2, "filter": {"originId": "c-1"}}
    assert await rest.refused("crm.item.list", **asked) == (400, "INVALID_ARG_VALUE")
