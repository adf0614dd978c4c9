"""The last night's reconciliation on the deliveries page: one line, or the gaps with what to do."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hub.store import reconciliations
from hub.store.db import Db
from tests.hub.console.conftest import NOW
from tests.hub.console.test_pages import text_of

NIGHT = NOW.replace(hour=4)
RECEIVED = {"events": 9, "unseen": 0, "calls": 170, "going_on": 0, "ours": 4, "letters": 0, "looked_at": 170}


def told(account: Mapping[str, Any], *gaps: Mapping[str, Any]) -> dict[str, Any]:
    one = {"installation": 1, "name": "Окна Плюс", "delivered": 170, "present": 170, "not_checked": "", "detail": ""}
    return {
        "since": (NIGHT - timedelta(days=1)).isoformat(), "until": NIGHT.isoformat(), "received": RECEIVED,
        "accounts": [one | account], "gaps": gaps, "gap_counts": {"gone": len(gaps)} if gaps else {},
    }  # fmt: skip


async def page(owner: httpx.AsyncClient, db: Db, tenant_id: int, kept: Mapping[str, Any]) -> str:
    """Keep a night of a tenant; return what the owner's page says."""
    until = NIGHT + timedelta(days=1)  # both tenants began today
    while await db.write(reconciliations.take, until, until) is not None:
        pass
    await db.write(reconciliations.save, tenant_id, until, json.dumps(kept))
    return (await owner.get("/deliveries")).text


async def test_a_night_without_gaps_is_a_line(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    text = text_of(await page(owner, db, seeded.tenant, told({})))
    assert "170 обращений; Окна Плюс: доставлено 170, на месте 170; расхождений нет." in text
    assert "Сверено сегодня в 07:00, с 19.11.2026, 07:00:" in text


async def test_a_gap_says_what_happened_and_what_to_do(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    gap = {"gap": "gone", "enquiry": seeded.answered, "at": NOW.isoformat(), "installation": 1, "detail": "deal 771"}
    html = await page(owner, db, seeded.tenant, told({"present": 169}, gap))
    assert "1 расхождение" in text_of(html)
    assert f'<a href="/enquiries/{seeded.answered}">Было доставлено, но в CRM этого больше нет' in html
    assert "Окна Плюс · deal 771 · Узнайте в CRM" in text_of(html)


async def test_what_was_not_checked_is_said_so(owner: httpx.AsyncClient, db: Db, seeded: Any) -> None:
    held = {"present": 0, "not_checked": "held", "detail": "unavailable: The CRM is away."}
    text = text_of(await page(owner, db, seeded.tenant, told(held)))
    assert "доставлено 170, в CRM не проверено (подключение на паузе: unavailable: The CRM is away.)" in text


@pytest.mark.parametrize("kept", [False, True])
async def test_nothing_is_said_before_the_first_night_nor_of_anothers(
    owner: httpx.AsyncClient, db: Db, seeded: Any, kept: bool
) -> None:
    html = await page(owner, db, seeded.stranger, told({})) if kept else (await owner.get("/deliveries")).text
    assert "Сверено" not in html
