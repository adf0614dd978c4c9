"""Phone numbers in every spelling of the telephony sheet, section 12."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracking_core.phone import is_anonymous, masked, national, to_e164

OFFICE = "+74951234567"
TOLL_FREE = "+78005553535"


@pytest.mark.parametrize(
    "spelling",
    [
        "8 (495) 123-45-67",
        "84951234567",
        "4951234567",
        "74951234567",
        "+7 495 123-45-67",
        "tel:+74951234567",
        "tel:84951234567;phone-context=+7",
        "sip:+74951234567@pbx.example",
        "sip:%2B74951234567@pbx.example;transport=tls",
        '"Иван" <sip:74951234567@pbx.example>;tag=7',
        "+7 495 123 45 67 😀",
    ],
)
def test_a_moscow_number_in_any_spelling(spelling):
    assert to_e164(spelling) == OFFICE


@pytest.mark.parametrize("spelling", ["8-800-555-35-35", "88005553535", "+7 800 555-35-35"])
def test_a_toll_free_number_in_any_spelling(spelling):
    assert to_e164(spelling) == TOLL_FREE


@pytest.mark.parametrize("spelling", ["+88005553535", "+8 (800) 555-35-35"])
def test_a_plus_before_the_trunk_eight_is_repaired(spelling):
    assert to_e164(spelling) == TOLL_FREE


def test_a_valid_number_of_country_88_is_left_alone():
    assert to_e164("+8801712345678") == "+8801712345678"


@pytest.mark.parametrize(
    "extension",
    [
        " доб. 123",
        " доб 123",
        " (доб. 123)",
        ", доб.123",
        " ext. 123",
        "#123",
        ",123",
        ";ext=123",
        " добавочный 123",
        " вн. 123",
        " (вн. 123)",
    ],
)
def test_an_extension_is_dropped(extension):
    assert to_e164("8 495 123-45-67" + extension) == OFFICE


@pytest.mark.parametrize(
    ("spelling", "number"),
    [
        ("810375291234567", "+375291234567"),
        ("87011234567", "+77011234567"),
        ("+1 650 253 0000", "+16502530000"),
    ],
)
def test_numbers_of_other_countries(spelling, number):
    assert to_e164(spelling) == number


def test_eleven_digits_from_seven_are_russian_in_any_region():
    assert to_e164("74951234567", region="US") == OFFICE


@pytest.mark.parametrize(
    "spelling",
    [
        None,
        "",
        "112",
        "101",
        "74951234567890",
        "007 495 1234567",
        "8 495 123-45-67, 8 495 123-45-68",
        "sip:u101@vpbx.example",
        "anonymous",
        "Restricted",
        "0",
        "9" * 10_000,
    ],
)
def test_what_is_not_one_valid_number_is_nothing(spelling):
    assert to_e164(spelling) is None


@pytest.mark.parametrize(
    "token",
    [
        "anonymous",
        "Restricted",
        "unavailable",
        "unknown",
        "PRIVATE",
        "withheld",
        "Скрыт",
        "0",
        "-1",
        "",
        "  ",
        None,
        "<unknown>",
        "sip:anonymous@anonymous.invalid",
    ],
)
def test_tokens_of_a_hidden_caller(token):
    assert is_anonymous(token)


@pytest.mark.parametrize("told", ["101", "84951234567", "sip:101@pbx.example"])
def test_a_number_of_any_kind_is_not_a_hidden_caller(told):
    assert not is_anonymous(told)


@pytest.mark.parametrize(
    ("number", "readable", "hidden"),
    [
        (OFFICE, "+7 495 123-45-67", "+7 495 ***-**-67"),
        (TOLL_FREE, "8 800 555-35-35", "8 800 ***-**-35"),
        ("+375291234567", "+375 29 123-45-67", "+375 29 ***-**-67"),
        ("+6583213456", "+65 8321 3456", "+65 **** **56"),
        ("not a number", "not a number", "not a number"),
        ("84951234567", "84951234567", "*********67"),
    ],
)
def test_forms_for_people(number, readable, hidden):
    assert (national(number), masked(number)) == (readable, hidden)


@given(st.text(max_size=60))
@example("+" * 50)
@example("sip:\ud800@x")
@example("٠١٢٣٤٥٦٧٨٩٠")
def test_any_text_gives_a_number_or_nothing(text):
    number = to_e164(text)
    assert number is None or (number.startswith("+") and number[1:].isdigit())


@given(st.text(alphabet="0123456789+-() ,;#xдобsiptel:@.", max_size=30))
def test_a_number_once_read_is_read_the_same_again(text):
    number = to_e164(text)
    assert number is None or to_e164(number) == number


@given(st.text(max_size=40))
def test_forms_for_people_exist_for_any_text(text):
    assert isinstance(masked(text), str)
