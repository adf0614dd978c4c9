"""The visitors' browsers ask and tell as the page script does; the hub here answers as each test needs it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.demo.browser import Browsers
from sandbox.demo.door import Answer, Letter
from sandbox.demo.forms import FormPlan
from sandbox.demo.gestures import Gesture, GestureKind
from sandbox.demo.people import Consent, Person, colleague
from sandbox.demo.sources import Arrival
from sandbox.demo.visits import View, VisitPlan
from sandbox.demo.windows import WINDOWS

ORIGIN, OFFICE, FREE = WINDOWS.origin, WINDOWS.numbers.office, WINDOWS.numbers.free

POOL = {"city": "+74951401000", "free": "+78001401000"}
TOKEN = "0123456789abcdef0123456789abcdef"
LANDING = f"{ORIGIN}/okna?utm_source=yandex&yclid=777"
VISIT = VisitPlan(0, 0, 1_000.0, 1_100.0, Arrival("yandex_direct", "", LANDING, "https://yandex.ru/"), ())


class Hub:
    """Answers every visit with a number of each group it asked for, and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any], Mapping[str, str]]] = []
        self.overflow = False
        self.time = VISIT.at

    def send(self, _method: str, path: str, letter: Letter) -> Answer:
        said, door = json.loads(letter.body), path.rpartition("/")[2]
        self.heard.append((door, said, letter.headers))
        if door != "visit":
            return Answer(path, 204, b"")
        numbers = {group: {"number": POOL[group], "overflow": self.overflow} for group in said["groups"]}
        told = {"visitor": TOKEN, "visit": len(self.said("visit")), "numbers": numbers, "hold_s": 600, "hb": 30}
        return Answer(path, 200, json.dumps(told).encode())

    def get(self, path: str) -> Answer:
        targets = [{"number": OFFICE, "group": "city"}, {"number": FREE, "group": "free"}]
        return Answer(path, 200, b"window.__dni=" + json.dumps({"targets": targets}).encode() + b";\nscript")

    def said(self, door: str, kind: str | None = None) -> list[dict[str, Any]]:
        return [said for at, said, _ in self.heard if at == door and kind in (None, said.get("kind"))]


@pytest.fixture
def hub() -> Hub:
    return Hub()


def browsers(hub: Hub, consent: Consent = Consent.FULL) -> Browsers:
    person = Person("198.18.0.1", "a phone", is_mobile=True, consent=consent)
    return Browsers.open(hub, WINDOWS, "key", (person, colleague(WINDOWS)), lambda: hub.time)  # type: ignore[arg-type]


def test_a_page_view_says_what_the_script_says(hub: Hub) -> None:
    browsers(hub).arrive(VISIT)
    _, said, headers = hub.heard[0]

    assert said == {
        "site": "key",
        "visitor": None,
        "visit": None,
        "url": LANDING,
        "referrer": "https://yandex.ru/",
        "groups": ["city"],
        "lease": True,
        "consent": "full",
        "ids": {},
        "device": {"w": 390, "h": 844, "touch": True, "webdriver": False},
    }
    assert (headers["origin"], headers["user-agent"], headers["x-forwarded-for"]) == (ORIGIN, "a phone", "198.18.0.1")


def test_a_further_page_knows_its_visitor_its_visit_and_the_page_before(hub: Hub) -> None:
    made = browsers(hub)
    made.arrive(VISIT)
    made.look(VISIT, View(1_020.0, f"{ORIGIN}/ceny"))
    second = hub.said("visit")[1]

    assert (second["visitor"], second["visit"], second["referrer"]) == (TOKEN, 1, LANDING)


def test_the_foremost_number_of_the_last_page_is_dialled(hub: Hub) -> None:
    made = browsers(hub)
    made.arrive(VISIT)
    before = made.dialled[0]
    made.look(VISIT, View(1_020.0, f"{ORIGIN}/ceny"))

    assert (before, made.dialled[0]) == (POOL["city"], POOL["free"])


def test_a_heartbeat_names_visitor_and_visit(hub: Hub) -> None:
    made = browsers(hub)
    made.arrive(VISIT)
    made.look(VISIT, View(1_100.0))

    assert hub.said("hb") == [{"site": "key", "visitor": TOKEN, "visit": 1}]


def test_a_page_is_tested_once_a_day(hub: Hub) -> None:
    made = browsers(hub)
    for path in ("/ceny", "/ceny?page=2", "/okna"):
        made.look(VISIT, View(1_020.0, f"{ORIGIN}{path}"))

    assert [said["detail"]["found"] for said in hub.said("event", "seen")] == [{"free": 2, "city": 2}, {"city": 2}]


def test_a_tap_names_the_number_that_is_dialled(hub: Hub) -> None:
    made = browsers(hub)
    made.arrive(VISIT)
    made.gesture(VISIT, Gesture(1_050.0, 0, GestureKind.TAP))
    (tap,) = hub.said("event", "tel_tap")

    assert (tap["group"], tap["number"], tap["visit"]) == ("city", POOL["city"], 1)


@pytest.mark.parametrize(("later_s", "asked", "beats"), [(300.0, 1, 1), (900.0, 2, 0)])
def test_a_page_that_was_left_is_looked_at_again_before_a_tap(hub: Hub, later_s: float, asked: int, beats: int) -> None:
    made = browsers(hub)
    made.arrive(VISIT)
    hub.time += later_s
    made.gesture(VISIT, Gesture(hub.time, 0, GestureKind.TAP))

    assert (len(hub.said("visit")), len(hub.said("hb"))) == (asked, beats)


def test_who_stays_anonymous_is_nobody_on_every_page_and_tells_campaign_tags_alone(hub: Hub) -> None:
    made = browsers(hub, Consent.ANONYMOUS)
    made.arrive(VISIT)
    made.look(VISIT, View(1_020.0, f"{ORIGIN}/ceny"))
    first, second = hub.said("visit")

    assert first["url"] == f"{ORIGIN}/okna?utm_source=yandex&yclid=-"
    assert (second["visitor"], second["visit"], second["consent"]) == (None, None, "anonymous")
    assert made.tokens == {}


def test_who_opted_out_says_nothing_and_sees_the_companys_own_number(hub: Hub) -> None:
    made = browsers(hub, Consent.OFF)
    made.arrive(VISIT)
    made.look(VISIT, View(1_100.0))
    made.gesture(VISIT, Gesture(1_050.0, 0, GestureKind.TAP))

    assert (hub.heard, made.dialled) == ([], {0: OFFICE})


def test_a_form_names_visitor_visit_and_page_and_what_was_written(hub: Hub) -> None:
    made = browsers(hub)
    made.arrive(VISIT)
    made.write(VISIT, FormPlan(3, 1_060.0, 0, 0, "+79161234567", "Анна", "Нужен замер"))
    (form,) = hub.said("enquiry")

    assert form == {
        "site": "key",
        "visitor": TOKEN,
        "visit": 1,
        "kind": "form",
        "id": "form-0003",
        "phone": "+79161234567",
        "name": "Анна",
        "text": "Нужен замер",
        "page": f"{ORIGIN}/okna",
    }


def test_a_number_of_his_own_for_a_colleague_is_counted_as_wasted(hub: Hub) -> None:
    made = browsers(hub)
    made.arrive(VisitPlan(1, 1, 1_000.0, 1_100.0, VISIT.arrival, ()))
    made.arrive(VISIT)

    assert made.wasted == 1


def test_a_visit_no_number_was_free_for_is_counted(hub: Hub) -> None:
    made = browsers(hub)
    hub.overflow = True
    made.arrive(VISIT)

    assert (made.overflowed, made.wasted) == ({0}, 0)
