"""Installing from the marketplace: the admin presses Install, then links the account in the widget's settings.

As with the vendor: amoCRM's own server tells the hub once, waits three seconds and never repeats; the settings ask the
hub with a token that amoCRM signs; and only who is logged in to the hub's console says whose account it is.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.demo.console import Connection, followed, link, said, submit
from sandbox.demo.door import BROWSER, NoAnswer

_OPENS_S = 1.1  # until the admin has opened the settings; nobody is faster, and what is asked in one second is limited
_LOOK_S, _LOOKS = 0.05, 600  # between two looks of the admin at the settings, and how often he looks


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
    heard = f"the hub answered {answered} after {answer_ms:.0f} ms" if answered else "the hub did not answer in 3 s"
    also = ", and gave access in amoCRM, because no key had come" if consented else ""
    lacking = [one["what"] for one in linked["checks"] if not one["ok"]]
    return (
        f"The admin pressed Install: amoCRM told the hub once, {heard}.",
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
            raise NoAnswer(f"The widget's settings were answered with {answer.status_code}: {said(answer)}")
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
        agreed = link(self.browser, address, owner, "amocrm")
        if not agreed.headers["location"].startswith(self.crm_url):
            return False
        back = followed(self.browser, submit(self.browser, followed(self.browser, agreed), "/oauth", {}))
        if back.status_code != 303:
            raise NoAnswer(f"Giving access in amoCRM ended with {back.status_code}: {said(back)}")
        return True
