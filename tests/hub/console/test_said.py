"""What somebody says of a call in the console is noted; a form takes text, never a file."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from hub.store.db import Db
from hub.store.tables import Enquiry, table_of
from tests.hub.console.test_session import csrf_of

SAID = {"heard": "от соседа", "visit": "nobody"}
NOTED = {"heard": ("от соседа", False), "visit": ("", True)}
_enquiry = table_of(Enquiry)


async def say(client: httpx.AsyncClient, seeded: Any, field: str, file: str | None = None) -> httpx.Response:
    """Send a form of parts, what is said in a text or in a file of that name."""
    parts = {"csrf": (None, await csrf_of(client)), field: (file, SAID[field])}
    return await client.post(f"/enquiries/{seeded.answered}/{field}", files=parts)


async def noted(db: Db, seeded: Any) -> tuple[str, bool]:
    """Return how he heard of us, and whether anybody corrected whose call it was."""
    asked = select(_enquiry.c.heard, _enquiry.c.corrected_by.is_not(None)).where(_enquiry.c.id == seeded.answered)
    heard, is_corrected = await db.read(lambda tx: tx.execute(asked).one())
    return heard, is_corrected


@pytest.mark.parametrize("field", SAID)
async def test_what_is_said_is_noted(owner: httpx.AsyncClient, db: Db, seeded: Any, field: str) -> None:
    answer = await say(owner, seeded, field)
    assert answer.status_code == 303
    assert await noted(db, seeded) == NOTED[field]


@pytest.mark.parametrize("field", SAID)
async def test_a_file_is_refused_in_words(owner: httpx.AsyncClient, db: Db, seeded: Any, field: str) -> None:
    answer = await say(owner, seeded, field, "said.txt")
    assert answer.status_code == 400
    assert "Сервер не может ответить на такой запрос." in answer.text
    assert await noted(db, seeded) == ("", False)
