"""Selective replacement: the first rule that fits a visit decides which numbers it sees."""

import pytest

from tracking_core.selective import Device, FromPool, Own, Rule, Static, device_of, shows
from tracking_core.source import Source, read_source

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
ANDROID_TABLET = "Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"


def came(query: str = "", path: str = "") -> Source:
    return read_source(f"https://okna.example/{path}?{query}", "", ["okna.example"])


DIRECT_ADS = came("utm_source=yandex&utm_medium=cpc&utm_campaign=MSK_brand&yclid=1", "windows/")
BRAND = Rule("brand", {"source": ["yandex"], "campaign": ["msk_*"]}, {"city": FromPool(1)})
PHONES = Rule("phones", {"device": ["mobile"]}, {"city": FromPool(2)})
ALL = Rule("everybody else", {}, {"city": FromPool(3), "free": Static("+78005553535")})


def test_the_first_rule_that_fits_decides() -> None:
    assert shows([BRAND, PHONES, ALL], ["city"], DIRECT_ADS, Device.MOBILE) == {"city": FromPool(1)}


def test_a_rule_that_does_not_fit_is_passed_over() -> None:
    assert shows([BRAND, PHONES, ALL], ["city"], came(), Device.MOBILE) == {"city": FromPool(2)}


def test_a_group_a_rule_does_not_name_is_left_to_the_next() -> None:
    told = shows([BRAND, PHONES, ALL], ["city", "free"], DIRECT_ADS, Device.DESKTOP)
    assert told == {"city": FromPool(1), "free": Static("+78005553535")}


def test_without_a_rule_the_sites_own_number_stays() -> None:
    assert shows([BRAND], ["city"], came(), Device.DESKTOP) == {"city": Own()}


def test_only_the_groups_on_the_page_are_told() -> None:
    assert shows([ALL], ["free"], came(), Device.DESKTOP) == {"free": Static("+78005553535")}


def test_a_rule_that_says_own_ends_the_search() -> None:
    spared = Rule("no swap for e-mail", {"medium": ["email"]}, {"city": Own()})
    told = shows([spared, ALL], ["city"], came("utm_source=letter&utm_medium=email"), Device.DESKTOP)
    assert told == {"city": Own()}


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({"channel": ["paid_search"]}, True),
        ({"channel": ["organic", "paid_search"]}, True),
        ({"channel": ["organic"]}, False),
        ({"source": ["YANDEX"]}, True),
        ({"source": ["yand"]}, False),
        ({"medium": ["cpc"]}, True),
        ({"campaign": ["*brand"]}, True),
        ({"campaign": ["brand"]}, False),
        ({"campaign": ["msk.brand"]}, False),
        ({"landing": ["*/windows/*"]}, True),
        ({"landing": ["*/doors/*"]}, False),
        ({"device": ["desktop"]}, True),
        ({"device": ["mobile"], "source": ["yandex"]}, False),
        ({}, True),
        ({"source": []}, False),
    ],
)
def test_patterns(when: dict[str, list[str]], fits: bool) -> None:
    assert Rule("one", when).fits(DIRECT_ADS, Device.DESKTOP) is fits


@pytest.mark.parametrize(
    ("agent", "device"),
    [(IPHONE, Device.MOBILE), (ANDROID_TABLET, Device.MOBILE), (CHROME, Device.DESKTOP), ("", Device.DESKTOP)],
)
def test_the_device_is_read_from_the_user_agent(agent: str, device: Device) -> None:
    assert device_of(agent) is device
