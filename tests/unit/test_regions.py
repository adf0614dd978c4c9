"""Regions of phones, places and names, held against the texts of ``phonenumbers`` and the spellings in use."""

import phonenumbers
import pytest
from phonenumbers import geocoder

from tracking_core import regions
from tracking_core.numbering_plan import read_plan

AREAS = sorted(regions._AREAS)
UNTOLD = {"365"}  # phonenumbers knows no three digits of it
HEAD = "АВС/ DEF;От;До;Емкость;Оператор;Регион;ИНН"


def described(area: str, language: str) -> str:
    """Return where phonenumbers says a number with this area code is."""
    text = geocoder.description_for_number(phonenumbers.parse(f"+7{area}2000000"), language)
    return str(text)


@pytest.mark.parametrize("area", [area for area in AREAS if area not in UNTOLD])
def test_an_area_code_is_of_the_region_its_geocoder_names(area):
    assert regions.of_name(described(area, "ru")) == regions.of_phone(f"+7{area}2000000")


def test_no_area_code_that_the_geocoder_knows_is_left_out():
    russian = [str(area) for area in range(300, 900) if not 600 <= area < 800]
    named = {area for area in russian if regions.of_name(described(area, "ru"))}
    assert named - set(AREAS) == set()


def test_every_region_is_found_by_each_of_its_spellings():
    lost = [
        (region.code, spelling)
        for region in regions.ALL.values()
        for spelling in region.spellings
        if regions.of_name(spelling) != region.code
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("г. Москва и Московская область", "RU-MOW"),
        ("г. Санкт-Петербург и Ленинградская область", "RU-SPE"),
        ("Республика Татарстан (Татарстан)", "RU-TA"),
        ("Ханты-Мансийский Автономный округ - Югра АО", "RU-KHM"),
        ("Ханты - Мансийский - Югра АО", "RU-KHM"),
        ("Республика Саха /Якутия/", "RU-SA"),
        ("Чувашская Республика - Чувашия", "RU-CU"),
        ("Республика Удмуртская", "RU-UD"),
        ("г. Барнаул|Алтайский край", "RU-ALT"),
        ("Республика Алтай", "RU-AL"),
        ("Altai Krai", "RU-ALT"),
        ("Altai", "RU-AL"),
        ("Sverdlovsk Oblast'", "RU-SVE"),
        ("St.-Petersburg", "RU-SPE"),
        ("Tatarstan Republic", "RU-TA"),
        ("North Ossetia–Alania", "RU-SE"),
        ("Zabaykalskiy (Transbaikal) Kray", "RU-ZAB"),
        ("Красноярский край и Иркутская область", None),
        ("Российская Федерация", None),
        ("Атлантида", None),
        ("", None),
    ],
)
def test_a_name_in_the_spellings_of_plans_and_databases(name, code):
    assert regions.of_name(name) == code


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("+74951234567", "RU-MOW"),
        ("+74961234567", "RU-MOW"),
        ("+78131234567", "RU-SPE"),
        ("+77011234567", "KZ"),
        ("+375291234567", "BY"),
        ("+4930123456", "DE"),
        ("+79161234567", None),
        ("+78005553535", None),
        ("101", None),
        (None, None),
    ],
)
def test_what_a_phone_tells(phone, code):
    assert regions.of_phone(phone) == code


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (("RU", "MOW"), "RU-MOW"),
        (("RU", "MOS"), "RU-MOW"),
        (("RU", "LEN", "Leningradskaya Oblast'"), "RU-SPE"),
        (("RU", "", "Sverdlovsk Oblast"), "RU-SVE"),
        (("RU", "", "Nowhere"), None),
        (("RU",), None),
        (("KZ", "75"), "KZ"),
        (("US", "GA", "Georgia"), "US"),
        (("",), None),
    ],
)
def test_what_a_place_is(place, code):
    assert regions.of_place(*place) == code


@pytest.mark.parametrize(("code", "told"), [("ru-mos", "RU-MOW"), ("KZ", "KZ"), ("RU", None), ("XX", None)])
def test_a_code_as_a_person_writes_it(code, told):
    assert regions.of_code(code) == told


def test_a_region_has_a_name_in_both_languages():
    assert (regions.title("RU-TA"), regions.title("RU-TA", "ru")) == ("Tatarstan", "Республика Татарстан")


# -- the numbering plan


def plan_of(*lines: str, head: str = HEAD, encoding: str = "utf-8"):
    return read_plan(["\r\n".join([head, *lines]).encode(encoding)], regions.of_name)


MOSCOW = "916;0000000;9999999;10000000;Оператор;г. Москва и Московская область;7700000000"
KAZAN = "917;2200000;2299999;100000;Оператор;Республика Татарстан;1600000000"


def test_a_mobile_is_of_the_region_its_range_was_given_to():
    assert regions.of_phone("+79172200000", plan_of(MOSCOW, KAZAN).numbering) == "RU-TA"


def test_a_mobile_of_no_range_has_no_region():
    assert regions.of_phone("+79172300000", plan_of(MOSCOW, KAZAN).numbering) is None


@pytest.mark.parametrize(
    "encoded",
    [
        {"encoding": "cp1251"},
        {"encoding": "utf-8-sig"},
        {"head": HEAD + ";Территория ГАР"},
        {"head": HEAD.replace("АВС/ DEF", '"ABC/DEF"')},
    ],
)
def test_a_plan_is_read_in_each_of_its_forms(encoded):
    assert regions.of_phone("+79161234567", plan_of(MOSCOW, **encoded).numbering) == "RU-MOW"


def test_columns_are_found_by_their_names():
    line = "Республика Татарстан;917;2200000;2299999"
    assert plan_of(line, head="Регион;DEF;От;До").numbering.region("+79172250000") == "RU-TA"


def test_what_cannot_be_read_is_counted():
    read = plan_of(MOSCOW, "917;x;y;;;Республика Татарстан;", "918;1", "919;0;9;10;О;Атлантида;")
    assert (read.ranges, read.unreadable, read.unknown) == (1, 2, {"Атлантида": 1})


def test_a_file_that_is_no_plan_has_no_ranges():
    assert read_plan([b"\xff\xfe\x00 not a plan"], regions.of_name).ranges == 0


def test_ranges_of_fixed_phones_are_left_to_their_area_codes():
    assert plan_of("495;0000000;9999999;1;О;Республика Татарстан;").ranges == 0


def test_neighbours_of_one_region_become_one_range():
    lines = [f"916;{n}000000;{n}999999;1;Оператор {n};г. Москва;" for n in range(10)]
    assert len(plan_of(*lines).numbering.firsts) == 1
