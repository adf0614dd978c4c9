"""Events as doorbells, and our tabs: bound to our addresses where they are not, taken away where those changed [6, 7].

The vendor forgets them with each version of the application, and sends none before the installation is finished [1.2,
1.4]: so they are looked at every day. Deletions are in no list: for those the portal is asked to keep a queue of its
own, which only an administrator may order [6.5].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from connectors.bitrix24 import tabs
from connectors.bitrix24.account import read
from connectors.bitrix24.api import Api, Fault, Json, Replies, replies
from connectors.bitrix24.encoding import command
from connectors.bitrix24.mappings import APP_EVENTS, CALL_ENDED, CARD_EVENTS, DELETIONS, INVOICE_EVENTS, LEAD_EVENTS
from connectors.bitrix24.trouble import of_account, trouble, words
from connectors.errors import ConnectorError, PerhapsSent, Unreadable
from connectors.telling import Ringing, Said

_NEEDED = frozenset(CARD_EVENTS)  # without these it does not ring; the others may be refused
_WANTED = (*CARD_EVENTS, *LEAD_EVENTS, *INVOICE_EVENTS, *APP_EVENTS, CALL_ENDED)


async def listen(api: Api, address: str, page: str, sandbox: str | None) -> Ringing:
    """Have events ring at ``address`` and cards show ``page``, and nothing else of ours; raises ``InstallationError``.

    ``sandbox`` is where one plays Bitrix24: it may reach what the open internet does not.
    """
    host = urlsplit(address).hostname or ""
    if _is_inner(host) and not (sandbox and _is_inner(urlsplit(sandbox).hostname or "")):
        return Ringing(rings=False, said=(Said("hooks_no_way", {"host": host}),))
    told = await read(api, {"app": command("app.info", {}), "events": command("event.get", {}), "tabs": tabs.bound()})
    if told.object("app").get("INSTALLED") is False:
        return Ringing(rings=False, said=(Said("not_finished"),))
    if "events" in told.faults:
        return _silent(told.faults["events"])
    commands = dict(_changes(told.rows("events", "events"), address))
    if page and "tabs" not in told.faults:
        commands |= dict(tabs.changes(told.rows("tabs", "tabs"), page))
    ringing = await _made_sure(api, commands)
    return _without_tab(ringing, told.faults.get("tabs") if page else None)


def _changes(bound: Sequence[Json], address: str) -> Iterator[tuple[str, str]]:
    """Yield the commands that make what is bound what should be."""
    online = {_event(one) for one in bound if one.get("handler") == address}
    queued = {_event(one) for one in bound if _is_queued(one)}
    for place, one in enumerate(_ours(bound, address)):
        if one.get("handler") != address:
            yield f"old{place}", _unbind(one)
    for name in _WANTED:
        if name not in online:
            yield f"bind{name}", command("event.bind", {"event": name, "handler": address})
    for name in DELETIONS:
        if name not in queued:
            yield f"queue{name}", command("event.bind", {"event": name, "event_type": "offline"})


def _event(bound: Json) -> str:
    return str(bound.get("event") or "").upper()


def _is_queued(bound: Json) -> bool:
    return str(bound.get("offline") or "0").lower() not in ("0", "false", "n")


async def _made_sure(api: Api, commands: Mapping[str, str]) -> Ringing:
    if not commands:
        return Ringing(rings=True)
    try:
        told = replies(await api.change(commands))
    except (PerhapsSent, Unreadable):
        return Ringing(rings=False, said=(Said("hooks_refused", {"words": "…"}),))
    except ConnectorError as error:
        raise trouble(error) from None
    refused = {key: fault for key, fault in told.faults.items() if not _is_bound(fault)}
    for fault in refused.values():
        stopped = of_account(fault, told)
        if stopped and stopped.hold:
            raise stopped
    lost = [fault for key, fault in refused.items() if key.removeprefix("bind") in _NEEDED]
    lost += [Fault("", "…") for name in _NEEDED if _is_lost(f"bind{name}", commands, told)]
    return _without_tab(_silent(lost[0]) if lost else Ringing(rings=True), tabs.refused(refused))


def _is_lost(key: str, commands: Mapping[str, str], told: Replies) -> bool:
    return key in commands and key not in told.results and key not in told.faults


def _is_bound(fault: Fault) -> bool:
    """Say whether a binding was refused because it is there; the words are not documented for events [6.1]."""
    return "already" in fault.text.lower()


def _silent(fault: Fault) -> Ringing:
    return Ringing(rings=False, said=(Said("hooks_refused", {"words": words(fault) or "…"}),))


def _without_tab(ringing: Ringing, fault: Fault | None) -> Ringing:
    """Return how the doorbell is, with why a card does not show our tab, where it does not."""
    said = (Said("tab_refused", {"words": words(fault) or "…"}),) if fault else ()
    return replace(ringing, said=(*ringing.said, *said))


async def leave(api: Api, address: str) -> None:
    """Take away every event of ours, at this address or one before, and our tabs; raises ``InstallationError``."""
    told = await read(api, {"events": command("event.get", {}), "tabs": tabs.bound()})
    bound = told.rows("events", "events")
    commands = {f"old{place}": _unbind(one) for place, one in enumerate(_ours(bound, address))}
    queued = {_event(one) for one in bound if _is_queued(one)}
    commands |= {
        f"queue{name}": command("event.unbind", {"event": name, "event_type": "offline"})
        for name in DELETIONS
        if name in queued
    }
    commands |= tabs.taken_away(told.rows("tabs", "tabs"))
    if commands:
        try:
            await api.change(commands)
        except ConnectorError as error:
            raise trouble(error) from None


def _unbind(bound: Json) -> str:
    asked = {"event": bound.get("event"), "handler": bound.get("handler"), "auth_type": bound.get("auth_type")}
    return command("event.unbind", asked)


def _ours(bound: Sequence[Json], address: str) -> list[Json]:
    path = urlsplit(address).path
    return [one for one in bound if path and urlsplit(str(one.get("handler") or "")).path == path]


def _is_inner(host: str) -> bool:
    try:
        found = ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".local", ".test", ".localhost", ".internal"))
    return not found.is_global
