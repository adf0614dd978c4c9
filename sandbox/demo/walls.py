"""The walls between tenants: each owner asks for the others' enquiries, in the interface and in the console."""

import re
from collections.abc import Sequence

import httpx

from sandbox.demo.console import log_in
from sandbox.demo.door import BROWSER, NoAnswer
from sandbox.demo.tenant import Tenant

_NOTHING_THERE = (400, 404)
_LINKS = re.compile(r'href="/enquiries/(\d+)')
_ASKED_FOR = 3  # of the others' enquiries, the first and the last ones


def seen_of_others(tenants: Sequence[Tenant], hub_url: str) -> Sequence[int]:
    """Returns for each tenant how often he was shown what is another's; raises NoAnswer if he is not shown his own."""
    ids = [[one["id"] for one in tenant.enquiries()] for tenant in tenants]
    return [_seen(tenant, hub_url, ids[place], _others(ids, place)) for place, tenant in enumerate(tenants)]


def _others(ids: Sequence[Sequence[int]], place: int) -> Sequence[int]:
    rest = (theirs for other, theirs in enumerate(ids) if other != place)
    return [one for theirs in rest for one in theirs]


def _seen(tenant: Tenant, hub_url: str, own: Sequence[int], others: Sequence[int]) -> int:
    some = (*others[:_ASKED_FOR], *others[-_ASKED_FOR:])
    paths = [f"/api/v1/enquiries/{one}{more}" for one in some for more in ("", "/ledger")]
    by_interface = [_is_shown(path, tenant.api.get(path).status) for path in paths]
    listed = set(own) & set(others)
    with httpx.Client(base_url=hub_url, headers={"user-agent": BROWSER}, timeout=30) as browser:
        page = log_in(browser, f"{hub_url}/enquiries", tenant.keys.login)
        linked = {int(one) for one in _LINKS.findall(page.text)}
        if own and not linked & set(own):
            raise NoAnswer(f"The console does not list what is {tenant.company.name}'s own ({page.status_code}).")
        paths = [f"/enquiries/{one}" for one in some]
        in_console = [_is_shown(path, browser.get(path).status_code) for path in paths]
    return len(listed) + len(linked & set(others)) + sum(by_interface) + sum(in_console)


def _is_shown(path: str, status: int) -> bool:
    """Whether something is there; another's must look like what never was."""
    if status >= 500:
        raise NoAnswer(f"GET {path} was answered with {status}.")
    return status not in _NOTHING_THERE
