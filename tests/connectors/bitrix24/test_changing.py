"""Fields of an open deal, and tags, for which the portal has no place but the words about the source."""

from dataclasses import replace

import pytest

from connectors.contract import enquiry
from connectors.protocol import Status
from connectors.scenario import AddTags, Mode, Write, WriteFields
from connectors.telling import Said
from tests.connectors.bitrix24.conftest import Fault, card
from tests.connectors.bitrix24.test_moving import MOVE, deliver, moving

OWN, SOURCE = "UF_CRM_7", "sourceDescription"


@pytest.fixture
def changeable(known):
    """A portal whose caller has the open deal 340, which says something already."""
    says = {OWN: "Опт", SOURCE: "yandex, #опт", "UF_CRM_HUB_SOURCE": ""}
    known.on("crm.item.get", {"item": card(340, stageId="PREPARATION") | says})
    known.on("crm.item.update", {"item": {"id": 340}})
    return known


def writing(mode, text="Розница", code=OWN):
    return moving(WriteFields({code: Write(text, mode)}))


def written(portal):
    """The fields that each change asks for."""
    return [
        {name.removeprefix("fields[").removesuffix("]"): value for name, value in one.params.items() if "[" in name}
        for one in portal.of("crm.item.update")
    ]


@pytest.mark.parametrize(
    ("mode", "asked"),
    [
        (Mode.ALWAYS, [{OWN: "Розница"}]),
        (Mode.IF_EMPTY, []),
        (Mode.APPEND, [{OWN: "Опт; Розница"}]),
        (Mode.FIRST, []),
    ],
)
async def test_a_field_is_written_by_what_it_says(session, changeable, mode, asked):
    outcome = await deliver(session, writing(mode))
    assert (outcome.status, written(changeable)) == (Status.DELIVERED, asked)


async def test_an_empty_field_is_filled(session, changeable):
    await deliver(session, writing(Mode.IF_EMPTY, "yandex", "UF_CRM_HUB_SOURCE"))
    assert written(changeable) == [{"UF_CRM_HUB_SOURCE": "yandex"}]


async def test_tags_are_put_behind_the_source(session, changeable):
    await deliver(session, moving(AddTags(("опт", "повтор"))))
    assert written(changeable) == [{SOURCE: "yandex, #опт, #повтор"}]


async def test_what_changes_nothing_is_not_sent(session, changeable):
    outcome = await deliver(session, moving(AddTags(("опт",))))
    assert (outcome.status, written(changeable)) == (Status.DELIVERED, [])


async def test_a_field_that_is_gone_is_told_and_the_rest_is_done(session, changeable):
    of = moving(WriteFields({"GONE": Write("x"), OWN: Write("Розница")}))
    outcome = await deliver(session, of)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (Said("left_out", {"fields": "GONE"}),))
    assert written(changeable) == [{OWN: "Розница"}]


async def test_a_refused_field_keeps_no_other_from_being_written(session, changeable):
    refusal = Fault("CRM_FIELD_ERROR_VALUE_NOT_VALID", f'Invalid value for field "{OWN}"')
    changeable.on("crm.item.update", refusal, {"item": {"id": 340}})
    of = moving(WriteFields({OWN: Write("Розница"), "UF_CRM_HUB_SOURCE": Write("yandex")}))
    outcome = await deliver(session, of)
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (Said("left_out", {"fields": OWN}),))
    assert written(changeable)[1] == {"UF_CRM_HUB_SOURCE": "yandex"}


async def test_a_refusal_that_names_no_field_is_told_and_the_note_is_written(session, changeable):
    changeable.on("crm.item.update", Fault("ERROR_CORE", "Something is wrong"))
    outcome = await deliver(session, writing(Mode.ALWAYS))
    assert (outcome.status, outcome.said[0].code) == (Status.DELIVERED, "fields_refused")
    assert changeable.of("crm.timeline.comment.add")


async def test_a_deal_that_is_gone_by_then_is_looked_for_again(session, changeable):
    changeable.on("crm.item.get", Fault("NOT_FOUND", "Item not found"))
    outcome = await deliver(session, writing(Mode.ALWAYS))
    assert (outcome.status, outcome.said) == (Status.RETRY, (Said("open_deal_gone"),))
    assert not written(changeable)


async def test_fields_and_a_move_are_both_done(session, changeable):
    changeable.on("crm.item.update", {"item": {"id": 340, "stageId": "EXECUTING"}})
    outcome = await deliver(session, moving(MOVE, WriteFields({OWN: Write("Розница")})))
    assert outcome.status is Status.DELIVERED
    assert [*written(changeable)[0], *written(changeable)[1]] == [OWN, "stageId"]


async def test_two_of_one_batch_do_not_write_one_card_at_once(session, changeable):
    first, other = writing(Mode.APPEND), moving(WriteFields({OWN: Write("x")}), id="d-2", marker="hub:2")
    other = replace(other, what=replace(other.what, enquiry=enquiry(caller="+79035550011")))
    outcomes = await session.deliver([first, other])
    assert len(written(changeable)) == 1
    assert (outcomes["d-2"].status, outcomes["d-2"].said) == (Status.RETRY, (Said("same_deal"),))
