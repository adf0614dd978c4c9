"""Installing in a Bitrix24 portal: the admin presses Install, our page finishes it, and he links the portal.

As with the vendor: the portal's page posts a form with fresh tokens into the frame of our page; our page's script calls
`BX24.installFinish()`, upon which the portal loads the application anew; the page asks the hub with the ticket it came
with; and only who is logged in to the hub's console says whose portal it is.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from sandbox.demo.console import Connection, link, said, submit
from sandbox.demo.door import BROWSER, NoAnswer

APP = "/marketplace/app/"
_LOOK_S, _LOOKS = 0.05, 600  # between two looks of the admin at the settings, and how often he looks
_FRAMES = re.compile(r'<script type="application/json" id="frames">(.*?)</script>', re.DOTALL)
_GIVEN = re.compile(r'<script type="application/json" id="given">(.*?)</script>', re.DOTALL)


def install(portal_url: str, hub_url: str, owner: Mapping[str, str], wait: Callable[[float], None]) -> Connection:
    """Installs the app on a portal that does not have it, and links the portal to its owner's company.

    `owner` is what he enters to log in to the console. Returns once the hub has read the portal. Raises NoAnswer,
    naming the step, when a page is not what he would need to go on.
    """
    with httpx.Client(headers={"user-agent": BROWSER}, timeout=30) as browser:
        admin = _Admin(browser, portal_url, hub_url)
        submit(browser, browser.get(f"{portal_url}{APP}"), "/do/install", {})
        began = time.monotonic()
        installer = admin.framed()
        answer_ms = (time.monotonic() - began) * 1_000
        if not installer["is_new"]:
            raise NoAnswer("The hub's page did not ask the portal to finish the installation.")
        admin.finish()
        page = admin.framed()
        opened = admin.settings(page["ticket"])
        link(browser, opened["connect_url"], owner, "bitrix24")
        linked = admin.settings_once_read(admin.framed()["ticket"], wait)
    return Connection(200, answer_ms, _story(answer_ms, opened, linked))


def _story(answer_ms: float, opened: Mapping[str, Any], linked: Mapping[str, Any]) -> Sequence[str]:
    lacking = [one["what"] for one in linked["checks"] if not one["ok"]]
    return (
        f"The admin pressed Install: the portal opened the hub's page, it was there after {answer_ms:.0f} ms.",
        "The page told the portal that the installation is finished, and the portal loaded it anew.",
        f"The page said: {opened['sentence']}",
        "He pressed Connect, logged in to the console and linked the portal to his company.",
        f"The page of {linked['account']['name']} said: {linked['sentence']}",
        f"Checked: {len(linked['checks'])}. Worth knowing: {' '.join(lacking) or 'nothing.'}",
    )


@dataclass(slots=True)
class _Admin:
    """The portal's administrator at his browser, and the script of our page in it."""

    browser: httpx.Client
    portal_url: str
    hub_url: str
    _asked: "count[int]" = field(default_factory=lambda: count(1))

    def framed(self) -> dict[str, Any]:
        """Opens the application in the portal; returns what the page in its frame starts from."""
        shown = self.browser.get(f"{self.portal_url}{APP}")
        found = _FRAMES.search(shown.text)
        if found is None:
            raise NoAnswer(f"The portal shows no frame of the application: {said(shown)}")
        (frame,) = json.loads(found[1])
        page = self.browser.post(frame["url"], data=frame["fields"])
        given = _GIVEN.search(page.text)
        if page.status_code != 200 or given is None:
            raise NoAnswer(f"The hub's page in the portal was answered with {page.status_code}: {said(page)}")
        told: dict[str, Any] = json.loads(given[1])
        return told

    def finish(self) -> None:
        """What the portal does when the page calls `BX24.installFinish()`."""
        done = self.browser.post(f"{self.portal_url}/do/finish")
        if done.status_code != 303:
            raise NoAnswer(f"Finishing the installation was answered with {done.status_code}: {said(done)}")

    def settings(self, ticket: str) -> dict[str, Any]:
        """Returns what the page shows of the account; its script asks the hub with the page's own ticket."""
        badge = {"X-Auth-Token": ticket, "X-Once": str(next(self._asked))}
        answer = self.browser.get(f"{self.hub_url}/embed/bitrix24/state", params={"lang": "en"}, headers=badge)
        if answer.status_code != 200:
            raise NoAnswer(f"The page's question was answered with {answer.status_code}: {said(answer)}")
        told: dict[str, Any] = answer.json()
        return told

    def settings_once_read(self, ticket: str, wait: Callable[[float], None]) -> dict[str, Any]:
        """Returns them once the hub has read the portal it was linked to."""
        for _ in range(_LOOKS):
            told = self.settings(ticket)
            if told["standing"] == "connected" and all(one["ok"] for one in told["checks"][:3]):
                return told
            wait(_LOOK_S)
        raise NoAnswer(f"The hub did not read the portal it was linked to: {told['sentence']}")
