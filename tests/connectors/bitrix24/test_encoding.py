from urllib.parse import parse_qsl

import pytest

from connectors.bitrix24.encoding import command, methods, result


def read(text):
    return dict(parse_qsl(text.partition("?")[2], keep_blank_values=True))


def test_what_is_nested_is_named_in_brackets():
    found = read(command("m", {"fields": {"fm": [{"typeId": "PHONE"}], "title": "a"}}))
    assert found == {"fields[fm][0][typeId]": "PHONE", "fields[title]": "a"}


def test_signs_of_a_filter_and_of_a_phone_survive():
    found = read(command("m", {"filter": {">=updatedTime": "2026-01-01T12:00:00+03:00", "%title": "a&b=c"}}))
    assert found == {"filter[>=updatedTime]": "2026-01-01T12:00:00+03:00", "filter[%title]": "a&b=c"}


def test_a_reference_goes_as_it_is_and_nothing_is_left_out_silently_but_none():
    assert command("m", {"a": result("deal0", "item", "id"), "b": None, "c": 0}) == "m?a=$result[deal0][item][id]&c=0"


def test_what_a_visitor_brings_refers_to_nothing():
    assert "$result[" not in read(command("m", {"title": "$result[contact0][item][id]"}))["title"]


def test_a_lone_surrogate_does_not_stop_a_command():
    assert read(command("m", {"title": "a\ud83d"})) == {"title": "a?"}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (
            '{"auth":"***","halt":0,"cmd":{"a":"crm.item.add?x=$result[b][id]","b":"profile"}}',
            ["crm.item.add", "profile"],
        ),
        ('{"halt":0,"cmd":{"a":"crm.item.list?filter[id]=1","b":"crm.item', ["crm.item.list"]),  # it was cut
        ('{"auth":"***","CALL_ID":"externalCall"}', []),
        ("", []),
    ],
)
def test_the_commands_of_a_batch_are_told_by_their_methods(body, named):
    assert methods(body) == named
