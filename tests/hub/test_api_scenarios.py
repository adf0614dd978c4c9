"""Scenarios by the programming interface: read, checked, tried on what has been, and published without overwriting."""

import asyncio
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from hub.__main__ import cli
from hub.inbox import look
from hub.store import crm, scenario_versions
from hub.store.tables import Installation, LedgerEntry, table_of
from hub.store.tx import Tx
from tests.house.test_docs import example, shape
from tests.hub.console.test_scenarios_page import FACTS
from tests.hub.seed import NOW, customer, grant
from tests.hub.world import SCENARIO, World

TEXT = "ended:\n  unknown: [deal]\nmissed:\n  unknown: [deal]\n"
WRONG = "ended:\n  unknwn: [deal]\nmissed: [note]\n"
NUMBER = "+74951110001"
_installation, _entry = table_of(Installation), table_of(LedgerEntry)


@pytest.fixture
def office(still: World) -> World:
    """A customer with a connected CRM and the ready-made rules as version 1, who looks at his calls himself."""
    still.hub.db.write_now(connect, still)
    return still


def connect(tx: Tx, world: World) -> None:
    crm.install(tx, 1, "amocrm", grant(), world.clock.now(), world.hub.vault)
    tx.execute(update(_installation).values(facts=FACTS))


@pytest.fixture
async def called(office: World) -> World:
    """Somebody talked to him, and somebody else got nobody on the line."""
    await office.mango_call("c1", "+79161234567", NUMBER, talk_s=60)
    await office.mango_call("c2", "+79037654321", NUMBER, talk_s=0)
    office.clock.forward(60)
    while office.hub.db.write_now(look, office.clock.now(), office.hub.vault) is not None:
        pass
    return office


async def ask(world: World, path: str = "", **query: Any) -> httpx.Response:
    return await world.web.get(f"/api/v1/scenarios{path}", params=query, headers=bearer(world))


async def send(world: World, path: str, text: str | bytes, **query: Any) -> httpx.Response:
    return await world.web.post(f"/api/v1/scenarios/{path}", content=text, params=query, headers=bearer(world))


def bearer(world: World) -> Mapping[str, str]:
    return {"authorization": f"Bearer {world.applied.api_token}"}


def saved(world: World) -> list[str]:
    """The versions' texts, the newest first."""
    return [one.text for one in world.hub.db.read_now(scenario_versions.every, 1, "amocrm")]


# -- reading


async def test_what_runs_is_told_for_each_connected_crm(office: World) -> None:
    (one,) = (await ask(office)).json()["scenarios"]
    assert (one["connector"], one["account"], one["version"], one["unfit"]) == ("amocrm", "31", 1, "")


async def test_a_crm_without_a_scenario_is_told_of_too(office: World) -> None:
    office.hub.db.write_now(lambda tx: tx.execute(update(_installation).values(connector="bitrix24")) and None)
    (one,) = (await ask(office)).json()["scenarios"]
    assert (one["connector"], one["version"], one["author"], one["saved_at"]) == ("bitrix24", None, None, None)


async def test_a_crm_that_is_gone_is_not(office: World) -> None:
    office.hub.db.write_now(lambda tx: tx.execute(update(_installation).values(status="removed")) and None)
    assert (await ask(office)).json() == {"scenarios": []}


async def test_rules_that_fit_no_longer_say_why(office: World) -> None:
    gone = "pipeline: Ремонт\n" + TEXT
    office.hub.db.write_now(scenario_versions.save, 1, "amocrm", gone, "x", office.clock.now())
    (one,) = (await ask(office)).json()["scenarios"]
    assert "unknown pipeline 'Ремонт'" in one["unfit"]


async def test_versions_are_listed_and_each_comes_back_as_it_was_written(office: World) -> None:
    await send(office, "amocrm", TEXT, based_on=1)
    versions = (await ask(office, "/amocrm/versions")).json()["versions"]
    assert [(one["version"], one["runs"]) for one in versions] == [(2, True), (1, False)]
    assert versions[0]["author"] == "owner@okna.example"
    first = (await ask(office, "/amocrm/versions/1")).json()
    assert (first["text"], first["runs"]) == (SCENARIO.read_text(encoding="utf-8"), False)


@pytest.mark.parametrize("version", ["2", "0", "x", "9" * 30])
async def test_a_version_that_is_not_there_is_said_with_those_that_are(office: World, version: str) -> None:
    answer = await ask(office, f"/amocrm/versions/{version}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "There is no such version of the scenario of amocrm; there are: 1."


@pytest.mark.parametrize("path", ["/bitrix24/versions", "/bitrix24/versions/1", "/none/versions"])
async def test_a_crm_that_is_not_connected_is_said_with_those_that_are(office: World, path: str) -> None:
    answer = await ask(office, path)
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        "No CRM of this name is connected; connected: amocrm.",
    )


async def test_another_customers_crm_is_not_here(office: World) -> None:
    def stranger(tx: Tx) -> None:
        tenant_id, _ = customer(tx, office.hub.vault, "bitrix24", "77")
        scenario_versions.save(tx, tenant_id, "bitrix24", TEXT, "stranger", NOW)

    office.hub.db.write_now(stranger)
    assert [one["connector"] for one in (await ask(office)).json()["scenarios"]] == ["amocrm"]
    assert (await ask(office, "/bitrix24/versions/1")).status_code == 404


async def test_nobody_is_told_without_a_token(office: World) -> None:
    for path in ("", "/amocrm/versions", "/amocrm/versions/1"):
        assert (await office.web.get(f"/api/v1/scenarios{path}")).status_code == 401
    for path in ("amocrm", "amocrm/check", "amocrm/dry-run"):
        assert (await office.web.post(f"/api/v1/scenarios/{path}", content=TEXT)).status_code == 401
    assert len(saved(office)) == 1


# -- checking


async def test_a_text_that_fits_is_counted(office: World) -> None:
    told = (await send(office, "amocrm/check", TEXT)).json()
    assert told == {"fits": True, "rules": 2, "triggers": ["ended", "missed"], "problems": []}
    assert len(saved(office)) == 1


async def test_each_problem_has_its_line_and_what_is_allowed(office: World) -> None:
    told = (await send(office, "amocrm/check", WRONG)).json()
    assert told["fits"] is False
    assert [one["line"] for one in told["problems"]] == [2, 3]
    assert "unknown key 'unknwn' in `ended`; did you mean unknown?; allowed: " in told["problems"][0]["problem"]


async def test_names_are_those_of_the_account(office: World) -> None:
    told = (await send(office, "amocrm/check", "pipeline: Ремонт\n" + TEXT)).json()
    assert [one["problem"] for one in told["problems"]] == ["unknown pipeline 'Ремонт'; allowed: Продажи"]
    assert (await send(office, "amocrm/check", "pipeline: Продажи\n" + TEXT)).json()["fits"] is True


async def test_a_body_that_is_no_text_is_refused(office: World) -> None:
    for path in ("amocrm/check", "amocrm/dry-run"):
        answer = await send(office, path, b"\xff\xfe")
        assert (answer.status_code, answer.json()["error"]) == (400, "The body is not a scenario in UTF-8.")


async def test_a_text_that_is_too_long_is_a_problem_of_its_first_line(office: World) -> None:
    told = (await send(office, "amocrm/check", TEXT + "# " + "x" * 65_536)).json()
    assert told["problems"] == [{"line": 1, "problem": "the file is larger than 65536 bytes"}]


# -- trying


async def test_a_trial_tells_what_the_command_line_prints(called: World, tmp_path: Path) -> None:
    answered = (await send(called, "amocrm/dry-run", TEXT, days=7)).json()
    file = tmp_path / "calls.yaml"
    file.write_text(TEXT, encoding="utf-8")
    environment = {
        "HUB_DATA_DIR": str(tmp_path / "data"),
        "HUB_CLOCK_FILE": str(called.clock.path),
        "HUB_DATABASE_URL": called.hub.db.url.render_as_string(hide_password=False),
    }
    asked = ("scenario", "dry-run", str(file), "--days", "7", "--json")
    printed = await asyncio.to_thread(CliRunner().invoke, cli, asked, env=environment)
    assert answered == json.loads(printed.stdout)
    assert (answered["enquiries"], answered["tried"]["deals"]) == (2, 2)
    assert len(answered["differences"]) == 2


async def test_without_a_text_the_rules_that_run_are_tried(called: World) -> None:
    told = (await send(called, "amocrm/dry-run", "")).json()
    assert told["differences"] == []
    assert told["tried"] == told["live"]


async def test_days_that_are_over_are_left_out(called: World) -> None:
    called.clock.forward(3 * 86_400)
    assert (await send(called, "amocrm/dry-run", TEXT, days=2)).json()["enquiries"] == 0
    assert (await send(called, "amocrm/dry-run", TEXT, days=4)).json()["enquiries"] == 2


async def test_a_part_of_a_day_can_be_tried(called: World) -> None:
    (first, second) = (await called.api("calls"))["calls"]
    for call, enquiries in ((first, 2), (second, 1)):
        told = (await send(called, "amocrm/dry-run", TEXT, since=call["started_at"])).json()
        assert (told["enquiries"], told["since"]) == (enquiries, call["started_at"])


@pytest.mark.parametrize(
    "since", ["", "x", "2026-11-20", "2026-11-20T05:00:00", "2024-11-20T05:00:00Z", "2030-01-01T00:00:00Z"]
)
async def test_a_moment_that_is_none_is_refused(office: World, since: str) -> None:
    answer = await send(office, "amocrm/dry-run", TEXT, since=since)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The parameter since is a moment like")


@pytest.mark.parametrize("days", ["0", "367", "x", "-1", ""])
async def test_days_that_are_none_are_refused(office: World, days: str) -> None:
    answer = await send(office, "amocrm/dry-run", TEXT, days=days)
    assert (answer.status_code, answer.json()["error"]) == (400, "The parameter days is a whole number from 1 to 366.")


async def test_a_text_that_is_wrong_is_not_tried(office: World) -> None:
    answer = await send(office, "amocrm/dry-run", WRONG)
    assert answer.status_code == 422
    assert answer.json()["error"] == "Nothing was tried: something is wrong with the scenario."
    assert [one["line"] for one in answer.json()["problems"]] == [2, 3]


async def test_without_rules_that_fit_a_text_is_asked_for(office: World) -> None:
    gone = "pipeline: Ремонт\n" + TEXT
    office.hub.db.write_now(scenario_versions.save, 1, "amocrm", gone, "x", office.clock.now())
    answer = await send(office, "amocrm/dry-run", "")
    assert answer.status_code == 400
    assert "send one as the body" in answer.json()["error"]
    assert (await send(office, "amocrm/dry-run", TEXT)).json()["live"] is None


# -- publishing


async def test_a_published_text_runs_and_is_its_authors(office: World) -> None:
    assert (await send(office, "amocrm", TEXT, based_on=1)).json() == {"version": 2, "new": True}
    assert saved(office)[0] == TEXT

    def who(tx: Tx) -> list[str]:
        asked = select(_entry.c.who).where(_entry.c.kind == "scenario_saved").order_by(_entry.c.id.desc())
        return list(tx.execute(asked).scalars())

    assert office.hub.db.read_now(who)[0].startswith("person:")


async def test_the_same_text_makes_no_version(office: World) -> None:
    await send(office, "amocrm", TEXT, based_on=1)
    assert (await send(office, "amocrm", TEXT, based_on=2)).json() == {"version": 2, "new": False}
    assert len(saved(office)) == 2


async def test_who_writes_beside_another_is_told_so(office: World) -> None:
    await send(office, "amocrm", TEXT, based_on=1)
    answer = await send(office, "amocrm", TEXT + "form:\n  unknown: [deal]\n", based_on=1)
    assert answer.status_code == 409
    assert answer.json()["error"] == (
        "Nothing was saved: version 2 of owner@okna.example runs by now. Read it, and send your text with based_on=2."
    )
    assert len(saved(office)) == 2


@pytest.fixture
def side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has read which version runs goes on when another has, too, or cannot come to it."""
    live, meeting = scenario_versions.live, threading.Barrier(2)

    def read(tx: Tx, tenant_id: int, connector: str) -> scenario_versions.SavedScenario | None:
        found = live(tx, tenant_id, connector)
        with suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)
        return found

    monkeypatch.setattr(scenario_versions, "live", read)


@pytest.mark.usefixtures("side_by_side")
async def test_of_some_at_once_one_is_published_and_the_others_are_told_so(office: World) -> None:
    texts = [f"{TEXT}{word}:\n  unknown: [deal]\n" for word in ("form", "chat", "mail", "manual")]
    answers = await asyncio.gather(*(send(office, "amocrm", text, based_on=1) for text in texts))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    assert len(saved(office)) == 2


async def test_a_text_that_does_not_fit_is_not_saved(office: World) -> None:
    answer = await send(office, "amocrm", "pipeline: Ремонт\n" + TEXT, based_on=1)
    assert answer.status_code == 422
    assert answer.json()["problems"] == [{"line": 1, "problem": "unknown pipeline 'Ремонт'; allowed: Продажи"}]
    assert len(saved(office)) == 1


@pytest.mark.parametrize("based_on", ["", "x", "-1"])
async def test_what_it_was_written_from_must_be_said(office: World, based_on: str) -> None:
    answer = await send(office, "amocrm", TEXT, based_on=based_on)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The parameter based_on is the version")
    assert len(saved(office)) == 1


async def test_the_first_version_is_based_on_none(office: World) -> None:
    office.hub.db.write_now(lambda tx: tx.execute(update(_installation).values(connector="bitrix24")) and None)
    answer = await send(office, "bitrix24", TEXT, based_on=3)
    assert (answer.status_code, answer.json()["error"]) == (
        409,
        "Nothing was saved: there is no version yet. Send your text with based_on=0.",
    )
    assert (await send(office, "bitrix24", TEXT, based_on=0)).json() == {"version": 1, "new": True}


# -- the documentation


def shown(kind: str) -> Any:
    """Return an example of docs/api.md."""
    return json.loads(example("api.md", kind))


async def test_what_is_read_is_as_documented(office: World) -> None:
    assert shape((await ask(office)).json()) == shape(shown("scenarios-answer"))
    assert shape((await ask(office, "/amocrm/versions")).json()) == shape(shown("versions-answer"))
    assert shape((await ask(office, "/amocrm/versions/1")).json()) == shape(shown("version-answer"))


async def test_a_check_answers_as_documented(office: World) -> None:
    documented = shown("check-answer")
    assert (await send(office, "amocrm/check", "ended:\n  unknwn: [deal]\n")).json() == documented


async def test_a_trial_answers_as_documented(called: World) -> None:
    documented = shown("dry-run-answer")
    assert (await send(called, "amocrm", "ended:\n  unknown: [deal]\n", based_on=1)).status_code == 200
    told = (await send(called, "amocrm/dry-run", TEXT)).json()
    assert shape(told) == shape(documented)
    assert (told["tried"], told["live"], told["rules"]) == tuple(documented[one] for one in ("tried", "live", "rules"))
    of_one = ("kind", "live", "tried")
    assert [told["differences"][0][one] for one in of_one] == [documented["differences"][0][one] for one in of_one]


async def test_what_is_published_or_refused_is_answered_as_documented(office: World) -> None:
    refused = (await send(office, "amocrm", "ended:\n  unknown: [deal]\nmissed: x\n", based_on=1)).json()
    documented = shown("refused-scenario")
    assert shape(refused) == shape(documented)
    assert refused["error"] == documented["error"]
    assert refused["problems"][0]["problem"].startswith(documented["problems"][0]["problem"])
    assert shape((await send(office, "amocrm", TEXT, based_on=1)).json()) == shape(shown("published-answer"))
