"""Fields and tags of an open deal, written beside its move in one request."""

import httpx
import pytest

from connectors.amocrm.changing import STAGE_GONE
from connectors.protocol import Status
from connectors.scenario import AddTags, Mode, Write, WriteFields
from connectors.telling import Said
from tests.connectors.amocrm.conftest import OPEN, standing
from tests.connectors.amocrm.test_moving import LEADS, ON, asked, deliver, moved, moving

CAMPAIGN, OTHER = "UTM_SOURCE", "700002"
SAYS = {"custom_fields_values": [{"field_id": 610933, "field_code": CAMPAIGN, "values": [{"value": "окна"}]}]}


def writing(mode, text="двери", code=CAMPAIGN):
    return moving(WriteFields({code: Write(text, mode)}))


def written(vendor):
    """The values of fields that were asked for, by their codes or ids."""
    told = [one for [body] in moved(vendor) for one in body.get("custom_fields_values", [])]
    return {one.get("field_code") or one["field_id"]: one["values"][0]["value"] for one in told}


@pytest.mark.parametrize(
    ("mode", "says"),
    [(Mode.ALWAYS, "двери"), (Mode.IF_EMPTY, None), (Mode.APPEND, "окна; двери"), (Mode.FIRST, None)],
)
async def test_a_field_is_written_by_what_it_says(session, account, load, mode, says):
    account.on("GET", f"{LEADS}/{OPEN}", standing(**SAYS))
    await deliver(session, writing(mode))
    assert written(account).get(CAMPAIGN) == says


@pytest.mark.parametrize("mode", Mode)
async def test_an_empty_field_is_written_in_any_way(session, account, load, mode):
    account.on("GET", f"{LEADS}/{OPEN}", standing(custom_fields_values=None))
    await deliver(session, writing(mode))
    assert written(account) == {CAMPAIGN: "двери"}


async def test_a_field_without_a_code_is_known_by_its_id(session, account, load):
    says = [{"field_id": 700002, "field_code": None, "values": [{"value": "Опт"}]}]
    account.on("GET", f"{LEADS}/{OPEN}", standing(custom_fields_values=says))
    await deliver(session, writing(Mode.APPEND, "Розница", OTHER))
    assert written(account) == {700002: "Опт; Розница"}


async def test_a_field_that_is_gone_is_told_and_the_rest_is_done(session, account):
    outcome = await deliver(session, moving(WriteFields({"GONE": Write("x"), CAMPAIGN: Write("двери")})))
    assert (outcome.status, [said.code for said in outcome.said]) == (Status.DELIVERED, ["left_out"])
    assert written(account) == {CAMPAIGN: "двери"}


async def test_tags_are_put_beside_those_that_are_there(session, account, load):
    tagged = {"_embedded": {"tags": [{"id": 5, "name": "опт"}]}}
    account.on("GET", f"{LEADS}/{OPEN}", standing(**tagged))
    await deliver(session, moving(AddTags(("опт", "повтор"))))
    assert [body["tags_to_add"] for [body] in moved(account)] == [[{"name": "повтор"}]]


async def test_all_changes_of_a_deal_are_one_request(session, account):
    await deliver(session, moving(ON, WriteFields({CAMPAIGN: Write("двери")}), AddTags(("повтор",))))
    [[body]] = moved(account)
    assert body.keys() == {"id", "request_id", "pipeline_id", "status_id", "custom_fields_values", "tags_to_add"}


async def test_what_changes_nothing_costs_no_request(session, account, load):
    account.on("GET", f"{LEADS}/{OPEN}", standing(**SAYS))
    outcome = await deliver(session, writing(Mode.ALWAYS, "окна"))
    assert outcome.status is Status.DELIVERED
    assert "PATCH /api/v4/leads" not in asked(account)


async def test_a_refused_value_is_left_out_and_told(session, account, load):
    error = load("error__400_move_stage_gone")
    error["validation-errors"][0]["errors"][0]["path"] = "custom_fields_values.0.values.0.value"
    account.on("PATCH", LEADS, httpx.Response(400, json=error), "leads__moved")
    of = moving(WriteFields({CAMPAIGN: Write("двери"), "700002": Write("Опт")}))
    outcome = await deliver(session, of)
    assert (outcome.status, [said.code for said in outcome.said]) == (Status.DELIVERED, ["left_out"])
    assert [one["field_id"] for one in moved(account)[1][0]["custom_fields_values"]] == [700002]


async def test_a_stage_that_is_gone_keeps_no_field_from_being_written(session, account, load):
    account.on("PATCH", LEADS, httpx.Response(400, json=load("error__400_move_stage_gone")), "leads__moved")
    outcome = await deliver(session, moving(ON, WriteFields({CAMPAIGN: Write("двери")})))
    assert (outcome.status, outcome.said) == (Status.DELIVERED, (STAGE_GONE,))
    assert moved(account)[1][0].keys() == {"id", "request_id", "custom_fields_values"}


async def test_what_the_deal_refuses_altogether_is_said(session, account):
    account.on("PATCH", LEADS, "error__400_unnamed", status=400)
    outcome = await deliver(session, writing(Mode.ALWAYS))
    assert (outcome.status, outcome.said[0]) == (Status.REJECTED, Said("change_refused"))
