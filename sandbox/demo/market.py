"""Installing from the marketplace: the admin presses Install, then links the account in the widget's settings.

As with the vendor: amoCRM's own server tells the hub once, waits three seconds and never repeats; the settings ask the
hub with a token that amoCRM signs; and only who is logged in to the hub's console says whose account it is.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

from sandbox.demo.door import BROWSER, NoAnswer

_OPENS_S = 1.1  # until the admin has opened the settings; nobody is faster, and what is asked in one second is limited
_LOOK_S, _LOOKS = 0.05, 600  # between two looks of the admin at the settings, and how often he looks


@dataclass(frozen=True, slots=True)
class Connection:
    """How the CRM was connected: what its one request was answered with (None: nothing), how soon, and the story."""

    answered: int | None
    answer_ms: float
    story: Sequence[str]


def install(crm_url: str, hub_url: str, owner: Mapping[str, str], wait: Callable[[float], None]) -> Connection:
    """Installs the app in an account that does not have it, and links the account to its owner's company.

    `owner` is what he enters to log in to the console. Returns once the hub has read the account. Raises NoAnswer,
    naming the step, when a page is not what he would need to go on.
    """
    with httpx.Client(headers={"user-agent": BROWSER}, timeout=30) as browser:
        began = time.monotonic()
        pressed = browser.post(f"{crm_url}/_sandbox/install", json={}).raise_for_status().json()
        answer_ms = (time.monotonic() - began) * 1_000
        wait(_OPENS_S)
        admin = _Admin(browser, crm_url, hub_url)
        opened = admin.settings()
        consented = admin.link(opened["connect_url"], owner)
        linked = admin.settings_once_read(opened["account"]["name"], wait)
    return Connection(pressed["status"], answer_ms, _story(pressed["status"], answer_ms, opened, consented, linked))


def _story(
    answered: int | None, answer_ms: float, opened: Mapping[str, Any], consented: bool, linked: Mapping[str, Any]
) -> Sequence[str]:
    said = f"the hub answered {answered} after {answer_ms:.0f} ms" if answered else "the hub did not answer in 3 s"
    also = ", and gave access in amoCRM, because no key had come" if consented else ""
    lacking = [one["what"] for one in linked["checks"] if not one["ok"]]
    return (
        f"The admin pressed Install: amoCRM told the hub once, {said}.",
        f"The widget's settings said: {opened['sentence']}",
        f"He pressed Connect, logged in to the console and linked the account to his company{also}.",
        f"The settings of {linked['account']['name']} said: {linked['sentence']}",
        f"Checked: {len(linked['checks'])}. Worth knowing: {' '.join(lacking) or 'nothing.'}",
    )


@dataclass(frozen=True, slots=True)
class _Admin:
    """The account's administrator at his browser."""

    browser: httpx.Client
    crm_url: str
    hub_url: str

    def settings(self) -> dict[str, Any]:
        """Returns what the widget's settings show: the widget asks the hub with a fresh token of amoCRM's."""
        minted = self.browser.post(f"{self.crm_url}/_sandbox/frame-token", json={}).raise_for_status().json()
        badge = {"X-Auth-Token": minted["token"], "origin": self.crm_url}
        answer = self.browser.get(f"{self.hub_url}/embed/amocrm/state", params={"lang": "en"}, headers=badge)
        if answer.status_code != 200:
            raise NoAnswer(f"The widget's settings were answered with {answer.status_code}: {_said(answer)}")
        told: dict[str, Any] = answer.json()
        return told

    def settings_once_read(self, name_before: str, wait: Callable[[float], None]) -> dict[str, Any]:
        """Returns them once they show the account's own name: the hub has read the account then."""
        for _ in range(_LOOKS):
            told = self.settings()
            if told["standing"] == "connected" and told["account"]["name"] != name_before:
                return told
            wait(_LOOK_S)
        raise NoAnswer(f"The hub did not read the account it was linked to: {told['sentence']}")

    def link(self, address: str, owner: Mapping[str, str]) -> bool:
        """Goes where Connect leads, logs in and agrees; says whether amoCRM asked him for access as well."""
        login = self.browser.get(address, follow_redirects=True)
        page = self._followed(_submit(self.browser, login, "/login", owner))
        agreed = _submit(self.browser, page, "/link/amocrm", {})
        if not agreed.headers["location"].startswith(self.crm_url):
            return False
        back = self._followed(_submit(self.browser, self._followed(agreed), "/oauth", {}))
        if back.status_code != 303:
            raise NoAnswer(f"Giving access in amoCRM ended with {back.status_code}: {_said(back)}")
        return True

    def _followed(self, answer: httpx.Response) -> httpx.Response:
        return self.browser.get(urljoin(str(answer.url), answer.headers["location"]))


class _Forms(HTMLParser):
    """Reads the forms of a page: where each goes and what it already holds."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((told.get("action", ""), {}))
        elif self.found and tag in ("input", "button") and told.get("name"):
            # Of several buttons the first is pressed.
            self.found[-1][1].setdefault(told["name"], told.get("value", ""))


def _submit(browser: httpx.Client, page: httpx.Response, action: str, entered: Mapping[str, str]) -> httpx.Response:
    """Fills in the form whose action ends like this and sends it."""
    forms = _Forms()
    forms.feed(page.text)
    for goes_to, holds in forms.found:
        if goes_to.endswith(action):
            answer = browser.post(urljoin(str(page.url), goes_to), data={**holds, **entered})
            if answer.status_code not in (302, 303):
                raise NoAnswer(f"The form at {page.url} was answered with {answer.status_code}: {_said(answer)}")
            return answer
    raise NoAnswer(f"The page {page.url} ({page.status_code}) has no form for {action}: {_said(page)}")


def _said(page: httpx.Response) -> str:
    return " ".join(page.text.split())[:300]
