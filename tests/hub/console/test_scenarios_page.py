"""The page of scenarios: the table, a trial on what has been, versions that nobody loses, and one step back."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from hub.store import crm, scenario_versions, tables
from hub.store.db import Db
from hub.store.tx import Tx
from tests.hub.console.conftest import EMAIL, NOW
from tests.hub.console.test_pages import text_of
from tests.hub.console.test_session import csrf_of

FACTS = {
    "account": "1", "name": "Окна", "currency": "RUB", "users": {"7": "Иван"}, "fields": {}, "warnings": [],
    "pipelines": [{"id": "1", "name": "Продажи", "stages": [{"id": "12", "name": "В работе", "outcome": "open"}]}],
}  # fmt: skip
FIRST = 'ended:\n  unknown:\n    - deal: {name: "Звонок {caller}"}\n'
SECOND = FIRST + "missed:\n  unknown:\n    - deal\n    - task: {text: Перезвонить, due_minutes: 15}\n"


@pytest.fixture
def company(db: Db, seeded: Any) -> Db:
    """The tenant's account is known, and a first version runs."""
    installation = tables.table_of(tables.Installation)

    def write(tx: Tx) -> None:
        tx.execute(update(installation).values(facts=FACTS))
        scenario_versions.save(tx, seeded.tenant, "acme", FIRST, "first@example.com", NOW)

    db.write_now(write)
    return db


def texts(db: Db, seeded: Any) -> list[str]:
    """The versions' texts, the newest first."""
    return [one.text for one in db.read_now(scenario_versions.every, seeded.tenant, "acme")]


async def shown(owner: httpx.AsyncClient) -> str:
    answer = await owner.get("/scenarios")
    assert answer.status_code == 200, answer.text
    return text_of(answer.text)


async def send(owner: httpx.AsyncClient, path: str, **given: object) -> httpx.Response:
    data = {"csrf": await csrf_of(owner), "connector": "acme", **given}
    return await owner.post(f"/scenarios/{path}", data=data)


async def test_the_rules_that_run_are_a_table(owner: httpx.AsyncClient, company: Db) -> None:
    told = await shown(owner)
    assert "Acme CRM: действует версия 1" in told
    assert "Кого знает CRM разговор окончен" in told
    assert "Если человека нет в CRM Правило 1 сделка «Звонок {caller}»" in told


async def test_a_trial_says_what_would_be_made_and_changes_nothing(
    owner: httpx.AsyncClient, company: Db, seeded: Any
) -> None:
    answer = await send(owner, "try", text=SECOND, days=30, based_on=1)
    told = text_of(answer.text)
    assert answer.status_code == 200, told
    assert "Что он сделал бы" in told
    assert "создано сделок 4 3" in told
    assert "1 обращение прошло бы иначе, чем сейчас:" in told
    assert f'href="/enquiries/{seeded.missed}"' in answer.text
    assert texts(company, seeded) == [FIRST]


async def test_what_is_wrong_is_said_with_its_place_and_the_text_is_kept(
    owner: httpx.AsyncClient, company: Db, seeded: Any
) -> None:
    for path in ("try", "publish"):
        answer = await send(owner, path, text="ended:\n  unknwn: [deal]\n", based_on=1)
        assert answer.status_code == 422
        assert "scenario:2: unknown key 'unknwn' in `ended`; did you mean unknown?" in text_of(answer.text)
        assert "unknwn: [deal]" in answer.text
    assert texts(company, seeded) == [FIRST]


async def test_a_text_that_is_too_long_is_refused_whole(owner: httpx.AsyncClient, company: Db, seeded: Any) -> None:
    long = FIRST + "# " + "x" * 65_536
    answer = await send(owner, "publish", text=long, based_on=1)
    assert answer.status_code == 422
    assert "the file is larger than 65536 bytes" in text_of(answer.text)
    assert texts(company, seeded) == [FIRST]


async def test_a_published_text_runs_with_its_author_and_what_changed(
    owner: httpx.AsyncClient, company: Db, seeded: Any
) -> None:
    answer = await send(owner, "publish", text=SECOND, based_on=1)
    assert answer.status_code == 303, answer.text
    told = text_of((await owner.get(answer.headers["location"])).text)
    assert "Теперь действует версия 2." in told
    assert f"Версия 2 действует {EMAIL}" in told
    assert "+ - task: {text: Перезвонить, due_minutes: 15}" in told
    assert texts(company, seeded) == [SECOND, FIRST]


async def test_one_step_leads_back_to_an_older_version(owner: httpx.AsyncClient, company: Db, seeded: Any) -> None:
    await send(owner, "publish", text=SECOND, based_on=1)
    answer = await send(owner, "back", version=1)
    assert "Прежний текст действует снова, это версия 3." in text_of((await owner.get(answer.headers["location"])).text)
    assert texts(company, seeded) == [FIRST, SECOND, FIRST]


async def test_who_writes_beside_another_loses_nothing(owner: httpx.AsyncClient, company: Db, seeded: Any) -> None:
    await send(owner, "publish", text=SECOND, based_on=1)
    mine = FIRST + "form:\n  unknown: [deal]\n"
    answer = await send(owner, "publish", text=mine, based_on=1)
    assert answer.status_code == 422
    assert "Не сохранено: пока вы писали, сохранили версию 2." in text_of(answer.text)
    assert mine.splitlines()[-1] in answer.text
    assert texts(company, seeded) == [SECOND, FIRST]


async def test_a_save_is_in_the_ledger_with_who_did_it(owner: httpx.AsyncClient, company: Db, seeded: Any) -> None:
    await send(owner, "publish", text=SECOND, based_on=1)
    entry = tables.table_of(tables.LedgerEntry)
    asked = select(entry.c.who, entry.c.facts).where(entry.c.kind == "scenario_saved").order_by(entry.c.id)
    rows = [tuple(row) for row in company.read_now(lambda tx: tx.execute(asked).all())]
    assert [who.partition(":")[0] for who, _ in rows] == ["", "person"]
    assert '"version":2' in rows[-1][1].replace(" ", "")


async def test_the_scenario_of_another_tenant_is_not_here(owner: httpx.AsyncClient, company: Db, seeded: Any) -> None:
    company.write_now(scenario_versions.save, seeded.stranger, "other", SECOND, "x", NOW)
    assert (await owner.get("/scenarios?connector=other")).status_code == 404
    assert (await send(owner, "back", version=7)).status_code == 404


async def test_rules_that_fitted_once_are_said_to_run_on(owner: httpx.AsyncClient, company: Db, seeded: Any) -> None:
    gone = "pipeline: Ремонт\n" + FIRST
    version = company.write_now(scenario_versions.save, seeded.tenant, "acme", gone, "x", NOW)
    (of,) = company.read_now(crm.installations, seeded.tenant)
    company.write_now(crm.keep_fitted, of, version)
    told = await shown(owner)
    assert "Сценарий работает дальше" in told
    assert "unknown pipeline 'Ремонт'" in told


async def test_nobody_goes_back_to_a_version_that_does_not_fit(
    owner: httpx.AsyncClient, company: Db, seeded: Any
) -> None:
    gone = company.write_now(scenario_versions.save, seeded.tenant, "acme", "pipeline: Ремонт\n" + FIRST, "x", NOW)
    company.write_now(scenario_versions.save, seeded.tenant, "acme", SECOND, "x", NOW)
    answer = await send(owner, "back", version=gone)
    assert answer.status_code == 422
    assert "unknown pipeline" in answer.text
    assert company.read_now(scenario_versions.live, seeded.tenant, "acme").text == SECOND


async def test_rules_that_fit_no_longer_say_what_is_wrong(owner: httpx.AsyncClient, company: Db, seeded: Any) -> None:
    gone = "pipeline: Ремонт\n" + FIRST
    company.write_now(scenario_versions.save, seeded.tenant, "acme", gone, "x", NOW)
    told = await shown(owner)
    assert "Сценарий больше не подходит к аккаунту" in told
    assert "unknown pipeline 'Ремонт'" in told


async def test_a_ready_made_one_that_fits_is_there_to_start_from(owner: httpx.AsyncClient, company: Db) -> None:
    answer = await owner.get("/scenarios")
    assert "start=calls_to_deals" in answer.text
    assert "start=calls_to_leads" not in answer.text  # the account has no leads
    begun = await owner.get("/scenarios?connector=acme&start=calls_to_deals")
    assert "name: Звонки в сделки" in begun.text


async def test_without_a_crm_the_page_says_what_to_do(owner: httpx.AsyncClient, db: Db) -> None:
    installation = tables.table_of(tables.Installation)
    db.write_now(lambda tx: tx.execute(update(installation).values(status="removed")).rowcount)
    assert "сначала подключите её" in await shown(owner)
