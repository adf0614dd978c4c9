"""How a call stands beside the CRM's own telephony, as a scenario says it."""

from dataclasses import replace

import pytest

from connectors.scenario import ScenarioError, Telephony, dump_plan, load_plan, plan, read_scenario
from tests.connectors.test_scenario import ANSWERED, FACTS
from tracking_core.enquiry import EnquiryKind

OBSERVING = "telephony: observe\nended: {open_deal: [note: x]}\nform: {unknown: [deal]}"
ABLE = replace(FACTS, telephony=tuple(Telephony))


def planned(text, enquiry=ANSWERED):
    found = plan(read_scenario(text, "rules.yaml", None), 3, enquiry)
    assert found is not None
    return found


def problems(text, facts=None):
    with pytest.raises(ScenarioError) as raised:
        read_scenario(text, "rules.yaml", facts)
    return raised.value.problems


def test_without_a_word_a_call_is_written_on_its_card():
    assert planned("ended: {unknown: [deal]}").telephony is Telephony.NOTE


@pytest.mark.parametrize("way", Telephony)
def test_a_plan_says_which_way(way):
    assert planned(f"telephony: {way}\nended: {{open_deal: [note: x]}}").telephony is way


def test_a_form_knows_nothing_of_it():
    assert planned(OBSERVING, replace(ANSWERED, kind=EnquiryKind.FORM)).telephony is Telephony.NOTE


def test_who_talked_is_the_user_that_the_scenario_names():
    text = 'telephony: register\npeople: {Анна: "72"}\nended: {unknown: [deal]}'
    assert planned(text).answered_by == "72"


def test_who_is_not_named_is_nobody():
    assert planned('people: {"101": "72"}\nended: {unknown: [deal]}').answered_by is None


def test_it_comes_back_from_json():
    found = planned("telephony: register\nended: {unknown: [deal]}")
    assert load_plan(dump_plan(found)) == found


def test_a_way_that_the_account_does_not_offer_is_refused():
    assert problems("telephony: register\nended: {unknown: [deal]}", FACTS) == (
        "rules.yaml:1: unknown telephony 'register'; allowed: note",
    )


def test_one_that_it_offers_is_taken():
    assert read_scenario("telephony: register\nended: {unknown: [deal]}", "rules.yaml", ABLE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ended: {unknown: [deal]}", "rules.yaml:2: with `telephony: observe`, `ended` has `open_deal` alone"),
        (
            "missed: {open_deal: [task: {text: x, due_minutes: 5}]}",
            "rules.yaml:2: `telephony: observe` creates nothing: `missed` may `note`, `move`, `fields` and `tag`",
        ),
        (
            'people: {"101": x}\npopup: true\nended: {open_deal: [note: x]}',
            "rules.yaml:3: `telephony: observe` leaves cards to the CRM: take `popup` out",
        ),
    ],
)
def test_whoever_observes_creates_nothing(text, problem):
    assert problems(f"telephony: observe\n{text}") == (problem,)


def test_and_does_with_forms_what_he_likes():
    assert read_scenario(OBSERVING, "rules.yaml", None)


def test_the_crms_analytics_are_told_only_where_the_scenario_says_so():
    told = [planned(f"{word}ended: {{unknown: [deal]}}").analytics for word in ("", "analytics: true\n")]
    assert told == [False, True]


TOLD = "analytics: true\nended: {unknown: [deal]}"


def test_analytics_that_the_account_has_are_taken():
    assert read_scenario(TOLD, "rules.yaml", replace(FACTS, analytics=True)).analytics


def test_analytics_that_it_has_not_are_refused():
    assert problems(TOLD, FACTS) == (
        "rules.yaml:1: this account has no analytics that can be told of visits; allowed: false",
    )


def test_analytics_are_true_or_false():
    assert problems("analytics: sometimes\nended: {unknown: [deal]}")[0].startswith(
        "rules.yaml:1: unknown analytics 'sometimes'; allowed: true, false"
    )
