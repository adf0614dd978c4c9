"""Who the visitors are: what they hold in their hands, where they sit, and whether they agreed to be recognised."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from sandbox.demo.company import Company
from sandbox.demo.door import BROWSER

MOBILE = 0.6  # of the visitors look at the site on a phone
_PHONES = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
)
_DESKTOPS = (BROWSER, "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0")


class Consent(StrEnum):
    """What a visitor agreed to, in the page script's words."""

    FULL = "full"
    ANONYMOUS = "anonymous"
    OFF = "off"  # he opted out: the script is silent in his browser


_CONSENTS = {Consent.FULL: 0.97, Consent.ANONYMOUS: 0.02, Consent.OFF: 0.01}


@dataclass(frozen=True, slots=True)
class Person:
    """One visitor and his browser; `is_stranger` is who must be given no number: a robot, somebody of the office."""

    address: str
    agent: str
    is_mobile: bool = False
    consent: Consent = Consent.FULL
    is_stranger: bool = False

    @property
    def may_hold(self) -> bool:
        """Whether the hub may lease him a number of his own."""
        return self.consent is Consent.FULL and not self.is_stranger


ROBOT = Person("192.0.2.66", "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", is_stranger=True)


def colleague(company: Company) -> Person:
    """Returns somebody of the company's own office."""
    return Person(company.office_address, BROWSER, is_stranger=True)


def plan_people(random: Random, count: int, addresses: str) -> Sequence[Person]:
    """Returns `count` visitors, each with an address of his own among those that begin like this."""
    return tuple(_person(random, number, addresses) for number in range(count))


def _person(random: Random, number: int, addresses: str) -> Person:
    is_mobile = random.random() < MOBILE
    return Person(
        address=f"{addresses}.{number // 250}.{number % 250 + 1}",
        agent=random.choice(_PHONES if is_mobile else _DESKTOPS),
        is_mobile=is_mobile,
        consent=random.choices(tuple(_CONSENTS), tuple(_CONSENTS.values()))[0],
    )
