"""A real phone call: a page in Chromium shows a number, SIPp calls it through Kamailio, and the CRM has the deal.

Every process is real and all of them are on loopback. Kamailio runs the text of docs/telephony.md.
"""

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

import pytest

from tests.phone.conftest import Arrive
from tests.phone.courses import ANSWERED, BUSY, GIVEN_UP, Course
from tests.phone.stage import NEVER_SHOWN, STATIC_NUMBER, Stage
from tracking_core.match import MatchReason

pytestmark = pytest.mark.xdist_group("phone")

TAGS = {
    "utm_source": "yandex",
    "utm_medium": "cpc",
    "utm_campaign": "okna-msk",
    "utm_content": "ad-7",
    "utm_term": "пластиковые окна",
    "yclid": "17453328912345678901",
}
OTHER_TAGS = {"utm_source": "vk", "utm_medium": "social", "utm_campaign": "autumn"}
SOURCE = {name.upper(): told for name, told in TAGS.items()}


def source_of(deal: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a deal that say where its caller came from."""
    return {code: told for code, told in deal["fields"].items() if code.startswith("UTM_") or code == "YCLID"}


async def test_a_call_to_the_number_a_page_showed_is_a_deal_with_the_source_of_that_visit(
    stage: Stage, arrive: Arrive
) -> None:
    await arrive(OTHER_TAGS)
    visitor = await arrive(TAGS)
    await arrive(OTHER_TAGS)
    call = stage.exchange.call("+79161110001", visitor.number, ANSWERED)
    told = stage.told(call)
    deal = stage.deal(told)
    assert (told["match"]["visit"], told["match"]["reason"]) == (visitor.visit, MatchReason.EXCLUSIVE_LEASE)
    assert (told["status"], told["dialled"]) == ("answered", visitor.number)
    assert floor(call.talked_at_least_s) <= told["talk_s"] <= ceil(call.talked_at_most_s)
    assert source_of(deal) == SOURCE
    assert [note["params"]["duration"] for note in deal["notes"] if note["note_type"] == "call_in"] == [told["talk_s"]]
    assert deal["tasks"] == []


@pytest.mark.parametrize(
    ("course", "caller", "status"),
    [
        pytest.param(BUSY, "+79161110002", "busy", id="the office is busy"),
        pytest.param(GIVEN_UP, "+79161110003", "cancelled", id="the caller gives up"),
    ],
)
async def test_a_call_that_nobody_answers_is_a_deal_with_the_source_and_a_task(
    stage: Stage, arrive: Arrive, course: Course, caller: str, status: str
) -> None:
    visitor = await arrive(TAGS)
    told = stage.told(stage.exchange.call(caller, visitor.number, course))
    deal = stage.deal(told)
    assert (told["match"]["visit"], told["status"], told["talk_s"]) == (visitor.visit, status, 0)
    assert source_of(deal) == SOURCE
    assert ["Перезвонить" in task["text"] for task in deal["tasks"]] == [True]


async def test_a_call_to_the_number_of_a_billboard_is_a_deal_with_the_billboard_as_its_source(
    stage: Stage, arrive: Arrive
) -> None:
    await arrive(TAGS)
    told = stage.told(stage.exchange.call("+79161110004", STATIC_NUMBER, BUSY))
    assert (told["match"]["reason"], told["match"]["visit"]) == (MatchReason.STATIC_NUMBER, None)
    assert source_of(stage.deal(told))["UTM_SOURCE"] == "billboard"


async def test_a_call_to_a_number_that_nobody_was_shown_is_matched_to_nobody(stage: Stage, arrive: Arrive) -> None:
    await arrive(TAGS)
    told = stage.told(stage.exchange.call("+79161110005", NEVER_SHOWN, ANSWERED))
    assert (told["match"]["reason"], told["match"]["visit"]) == (MatchReason.NOBODY, None)
    assert source_of(stage.deal(told)) == {}
