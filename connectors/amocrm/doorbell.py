"""Webhooks as doorbells: one subscription of ours, adopted where it is, mended where amoCRM switched it off [4.1, 4.2].

Ours is known by the path of its address, which holds a secret of the installation: one that rings at an address the hub
had before is taken away. Nothing here is worth holding deliveries for: without webhooks changes are asked for.
"""

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from connectors.amocrm.api import Api, Json
from connectors.amocrm.mappings import HOOK_EVENTS
from connectors.amocrm.moderation_texts import is_inner
from connectors.amocrm.trouble import trouble
from connectors.errors import ConnectorError, PerhapsSent, Refused, Unreadable, verdict
from connectors.http import Answer
from connectors.protocol import Why
from connectors.telling import Ringing, Said

_OF_ACCOUNT = frozenset({Why.UNAUTHORIZED, Why.THROTTLED})  # whatever is asked next would meet it, too
_PLAN = frozenset({402, 403})  # what a plan without webhooks answers is not documented [10.6]
_FULL = 422


async def listen(api: Api, address: str, sandbox: str | None) -> Ringing:
    """Have webhooks ring at ``address`` and nowhere else of ours; raises ``InstallationError``.

    ``sandbox`` is where one plays amoCRM: it may reach what the open internet does not.
    """
    host = urlsplit(address).hostname or ""
    if is_inner(host) and not _side_by_side(host, sandbox):
        return Ringing(rings=False, said=(Said("hooks_no_way", {"host": host}),))
    try:
        ours = _ours(await api.hooks(), address)
    except Refused as error:
        _bear(error)
        return _not("hooks_no_admin" if error.status == 403 else "hooks_refused", error.status)
    except (PerhapsSent, Unreadable):
        return _not("hooks_refused", 0)
    except ConnectorError as error:
        raise trouble(error) from None
    try:
        for old in ours:
            if old.get("destination") != address:
                await api.unsubscribe(str(old["destination"]))
        return await _made_sure(api, address, next((one for one in ours if one.get("destination") == address), None))
    except (PerhapsSent, Unreadable):
        return _not("hooks_refused", 0)
    except ConnectorError as error:
        raise trouble(error) from None


async def leave(api: Api, address: str) -> None:
    """Take away every webhook of ours, at this address or one before; raises ``InstallationError``."""
    try:
        for one in _ours(await api.hooks(), address):
            await api.unsubscribe(str(one["destination"]))
    except Refused as error:
        if error.status == 403 and error.readable:  # without the right to see webhooks there are none of ours
            return
        raise trouble(error) from None
    except ConnectorError as error:
        raise trouble(error) from None


async def _made_sure(api: Api, address: str, known: Json | None) -> Ringing:
    was_off = bool(known and known.get("disabled"))
    if known and not was_off and set(HOOK_EVENTS) == {str(one) for one in known.get("settings") or ()}:
        return Ringing(rings=True)
    answer = await api.subscribe(address, HOOK_EVENTS)
    if answer.ok and was_off and _is_off(answer):
        # Whether subscribing again switches a webhook on is not documented: a new one is on [10.6].
        await api.unsubscribe(address)
        answer = await api.subscribe(address, HOOK_EVENTS)
    if not answer.ok:
        return _refused(answer)
    if _is_off(answer):
        host = urlsplit(address).hostname or ""
        return Ringing(rings=False, was_off=True, said=(Said("hooks_still_off", {"host": host}),))
    return Ringing(rings=True, was_off=was_off)


def _is_off(answer: Answer) -> bool:
    found = answer.json()
    return isinstance(found, dict) and bool(found.get("disabled"))


def _refused(answer: Answer) -> Ringing:
    error = answer.refused()
    _bear(error)
    if error.status in _PLAN:
        return _not("hooks_plan", error.status)
    return _not("hooks_full" if error.status == _FULL else "hooks_refused", error.status)


def _bear(error: Refused) -> None:
    """Raise ``InstallationError`` for a refusal that speaks of the account, not of webhooks."""
    is_block = error.status == 403 and not error.readable
    if is_block or verdict(error.status).why in _OF_ACCOUNT:
        raise trouble(error) from None


def _not(code: str, status: int) -> Ringing:
    return Ringing(rings=False, said=(Said(code, {"status": f"HTTP {status}" if status else "HTTP"}),))


def _ours(hooks: Sequence[Json], address: str) -> list[Json]:
    path = urlsplit(address).path
    return [one for one in hooks if path and urlsplit(str(one.get("destination") or "")).path == path]


def _side_by_side(host: str, sandbox: str | None) -> bool:
    """Say whether both are on this machine, as in a rehearsal."""
    return sandbox is not None and _is_here(host) and _is_here(urlsplit(sandbox).hostname or "")


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
