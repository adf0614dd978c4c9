"""The walls between tenants: each owner asks for the others' enquiries, in the interface and in the console."""

from collections.abc import Sequence

import httpx

from sandbox.demo.console import log_in
from sandbox.demo.door import BROWSER, NoAnswer
from sandbox.demo.tenant import Tenant

_NOTHING_THERE = (400, 404)
_ASKED_FOR = 3  # enquiries of each of the others: the first ones and the last


def seen_of_others(tenants: Sequence[Tenant], hub_url: str) -> Sequence[int]:
    """Returns for each tenant how often he was shown what is another's; raises NoAnswer if he is not shown his own."""
    ids = [[one["id"] for one in tenant.enquiries()] for tenant in tenants]
    return [_seen(tenant, hub_url, ids[place], _others(ids, place)) for place, tenant in enumerate(tenants)]


def _others(ids: Sequence[Sequence[int]], place: int) -> Sequence[int]:
    rest = (theirs for other, theirs in enumerate(ids) if other != place)
    return [one for theirs in rest for one in (*theirs[: _ASKED_FOR - 1], *theirs[-1:])]


def _seen(tenant: Tenant, hub_url: str, own: Sequence[int], others: Sequence[int]) -> int:
    seen = len(set(own) & set(others))
    paths = [f"/api/v1/enquiries/{one}{more}" for one in others for more in ("", "/ledger")]
    asked = [_is_shown(path, tenant.api.get(path).status) for path in paths]
    with httpx.Client(base_url=hub_url, headers={"user-agent": BROWSER}, timeout=30) as browser:
        log_in(browser, f"{hub_url}/enquiries", tenant.keys.login)
        asked += [_is_shown(path, _status(browser, path)) for path in (f"/enquiries/{one}" for one in others)]
        shown = _status(browser, f"/enquiries/{own[-1]}") if own else 200
    if shown != 200:
        raise NoAnswer(f"{tenant.company.name} is not shown its own enquiry in the console: {shown}.")
    return seen + sum(asked)


def _status(browser: httpx.Client, path: str) -> int:
    return browser.get(path).status_code


def _is_shown(path: str, status: int) -> bool:
    """Whether something is there; another's must look like what never was."""
    if status >= 500:
        raise NoAnswer(f"GET {path} was answered with {status}.")
    return status not in _NOTHING_THERE
