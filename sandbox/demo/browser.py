"""The visitors' browsers: what the page script in each asks and tells, and the numbers its pages show.

Two things of the script's are spared: the heartbeats between those that keep the number, and the test of the
installation on a page that was tested today.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from sandbox.demo.company import Company
from sandbox.demo.door import Answer, Door, Letter
from sandbox.demo.forms import FormPlan
from sandbox.demo.gestures import Gesture
from sandbox.demo.people import Consent, Person
from sandbox.demo.visits import View, VisitPlan

_PLACES = 2  # where a page shows each of its numbers: in its head and at its foot
_NOT_TAGS = re.compile(r"([?&#](?!utm_)[^=&#]*=)[^&#]*")


@dataclass(slots=True)
class Page:
    """One open page: the hub's visit, the numbers it shows by group, the foremost first, and when their lease ends."""

    url: str
    referrer: str
    visit: int
    numbers: Mapping[str, str]
    hold_s: float
    until: float


@dataclass(slots=True)
class Browsers:
    """All browsers of a company's day; `own` are the site's own numbers with their groups, as the hub tells the script.

    `tokens` are the visitors' by person; `dialled` is the number each visit would dial; `overflowed` are the visits no
    number was free for; `wasted` counts numbers given to who must not hold one.
    """

    door: Door
    company: Company
    site: str
    own: Mapping[str, str]
    people: Sequence[Person]
    now: Callable[[], float]
    tokens: dict[int, str] = field(default_factory=dict)
    dialled: dict[int, str] = field(default_factory=dict)
    gestures: Counter[str] = field(default_factory=Counter)
    tested: set[str] = field(default_factory=set)
    overflowed: set[int] = field(default_factory=set)
    wasted: int = 0
    _pages: dict[int, Page] = field(default_factory=dict)

    @classmethod
    def open(cls, door: Door, company: Company, site: str, people: Sequence[Person], now: Callable[[], float]) -> Self:
        """Returns the browsers of these people; loads the script for its settings."""
        script = door.get(f"/dni/v1/demo/{site}.js").expect(200).body
        settings = json.loads(script.partition(b"\n")[0].removeprefix(b"window.__dni=").removesuffix(b";"))
        return cls(door, company, site, {one["number"]: one["group"] for one in settings["targets"]}, people, now)

    def arrive(self, visit: VisitPlan) -> None:
        """The landing page of a visit."""
        self._open(visit, visit.arrival.url, visit.arrival.referrer)

    def look(self, visit: VisitPlan, view: View) -> None:
        """A further sign of life: a page or a heartbeat."""
        if view.url:
            before = self._pages.get(visit.number)
            self._open(visit, view.url, before.url if before else "")
        else:
            self._beat(visit)

    def gesture(self, visit: VisitPlan, gesture: Gesture) -> None:
        """A tap or copy of the foremost number; a page that was left is looked at again for it."""
        if visit.number not in self._pages:
            return
        if gesture.at > visit.leaves:
            self._come_back(visit)
        group, number = next(iter(self._pages[visit.number].numbers.items()))
        self._post(visit, "event", {"kind": gesture.kind, "group": group, "number": number}).expect(204)
        self.gestures[gesture.kind] += 1

    def write(self, visit: VisitPlan, form: FormPlan) -> None:
        """A form of the page is sent: the script tells of it besides, once the page knows its visit."""
        said = {"kind": "form", "id": f"form-{form.number:04d}", "phone": form.phone, "name": form.name}
        page = self._pages[visit.number].url.partition("?")[0]
        self._post(visit, "enquiry", {**said, "text": form.text, "page": page}).expect(204)

    def _open(self, visit: VisitPlan, url: str, referrer: str) -> None:
        person, shown = self.people[visit.person], self.company.numbers_on(url)
        if person.consent is Consent.OFF:
            self.dialled[visit.number] = shown[0]
            return
        if person.consent is Consent.ANONYMOUS:  # from page to page his browser keeps nothing
            self._pages.pop(visit.number, None)
        told = self._ask(visit, url, referrer, [self.own[number] for number in shown])
        given = {group: one["number"] for group, one in told["numbers"].items()}
        numbers = {self.own[number]: given.get(self.own[number], number) for number in shown}
        hold = float(told["hold_s"])
        self._pages[visit.number] = Page(url, referrer, told["visit"], numbers, hold, self.now() + hold)
        self.dialled[visit.number] = next(iter(numbers.values()))
        if person.consent is Consent.FULL:
            self.tokens[visit.person] = str(told["visitor"])
        self._count(visit, told["numbers"])
        self._test(visit, url)

    def _ask(self, visit: VisitPlan, url: str, referrer: str, groups: Sequence[str]) -> dict[str, Any]:
        person = self.people[visit.person]
        size = {"w": 390, "h": 844} if person.is_mobile else {"w": 1920, "h": 1080}
        said = {
            "url": _told(person, url),
            "referrer": _told(person, referrer),
            "groups": groups,
            "lease": True,
            "consent": person.consent,
            "ids": {},
            "device": {**size, "touch": person.is_mobile, "webdriver": False},
        }
        return self._post(visit, "visit", said).expect(200).told()

    def _count(self, visit: VisitPlan, given: Mapping[str, Mapping[str, Any]]) -> None:
        shared = [bool(one["overflow"]) for one in given.values()]
        if not self.people[visit.person].may_hold:
            self.wasted += shared.count(False)
        elif any(shared):
            self.overflowed.add(visit.number)

    def _test(self, visit: VisitPlan, url: str) -> None:
        path = urlsplit(url).path
        if path in self.tested:
            return
        self.tested.add(path)
        found = dict.fromkeys(self._pages[visit.number].numbers, _PLACES)
        detail = {"found": found, "images": 0, "url": _told(self.people[visit.person], url)}
        self._post(visit, "event", {"kind": "seen", "detail": detail}).expect(204)

    def _come_back(self, visit: VisitPlan) -> None:
        page = self._pages[visit.number]
        if page.hold_s and self.now() > page.until:
            self._open(visit, page.url, page.referrer)
        else:
            self._beat(visit)

    def _beat(self, visit: VisitPlan) -> None:
        if page := self._pages.get(visit.number):
            self._post(visit, "hb", {}).expect(204)
            page.until = self.now() + page.hold_s

    def _post(self, visit: VisitPlan, door: str, said: Mapping[str, Any]) -> Answer:
        """Send what the script says, with who says it: a page load knows its visitor, and afterwards its visit."""
        person, page = self.people[visit.person], self._pages.get(visit.number)
        who = {"site": self.site, "visitor": self.tokens.get(visit.person), "visit": page and page.visit}
        headers = {
            "origin": self.company.origin,
            "content-type": "text/plain",
            "user-agent": person.agent,
            "x-forwarded-for": person.address,
        }
        return self.door.send("POST", f"/dni/v1/{door}", Letter(json.dumps({**who, **said}).encode(), headers))


def _told(person: Person, address: str) -> str:
    """Returns an address as the script tells it: without full consent only campaign tags keep their values."""
    return address if person.consent is Consent.FULL else _NOT_TAGS.sub(r"\1-", address)
