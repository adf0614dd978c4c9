import pytest

from connectors.amocrm.find import has_mark, same_phone, spellings, values_of

MOBILE = "+79161234567"


@pytest.mark.parametrize(
    "stored",
    ["+79161234567", "89161234567", "79161234567", "9161234567", "8 (916) 123-45-67", "+7 916 123-45-67",
     "+8 916 123-45-67", "тел. 8-916-123-45-67", "+7 916 123-45-67 доб. 12", "8(916)1234567 ext 5", "007 916 123 45 67"],
)  # fmt: skip
def test_any_spelling_of_a_phone_is_the_phone(stored):
    assert same_phone(stored, MOBILE)


@pytest.mark.parametrize(
    "stored",
    ["+19161234567", "+79161234568", "1234567", "", "не указан", "+791612345670", "+380 916 123 45 67"],
)
def test_another_phone_is_not_the_phone(stored):
    assert not same_phone(stored, MOBILE)


def test_a_foreign_phone_is_matched_by_its_national_number():
    assert same_phone("030 123456", "+4930123456")
    assert same_phone("+49 30 123456", "+4930123456")
    assert not same_phone("+48 30 123456", "+4930123456")


def test_a_text_without_digits_matches_nothing():
    assert not same_phone("", "sip:nobody")


@pytest.mark.parametrize(
    ("phone", "texts"),
    [
        (MOBILE, ("9161234567", "+79161234567", "89161234567")),
        ("+77011234567", ("7011234567", "+77011234567", "87011234567")),
        ("+4930123456", ("30123456",)),
        ("112", ("112",)),
    ],
)
def test_what_a_phone_is_searched_by(phone, texts):
    assert spellings(phone) == texts


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"custom_fields_values": None},
        {"custom_fields_values": [None, 7, {"field_code": "PHONE"}, {"field_code": "PHONE", "values": None}]},
        {"custom_fields_values": [{"field_code": "PHONE", "values": ["x", {"value": None}]}]},
    ],
)
def test_unknown_shapes_of_fields_have_no_values(found):
    assert values_of(found, "PHONE", None) == []


def test_a_field_is_found_by_id_where_it_has_no_code():
    found = {"custom_fields_values": [{"field_id": 7, "field_code": None, "values": [{"value": "m"}]}]}
    assert values_of(found, "HUB_CALL_ID", "7") == ["m"]


@pytest.mark.parametrize(
    ("text", "holds"),
    [("a\nhub:1", True), ("hub:1 b", True), ("hub:1#2", False), ("hub:12", False), ("xhub:1", False), (None, False)],
)
def test_a_mark_is_a_word_of_its_own(text, holds):
    assert has_mark(text, "hub:1") is holds
