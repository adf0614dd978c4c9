"""A set-up file -> tenant, sites, numbers, placements, telephony and scenarios; applying it again changes nothing."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub import ties
from hub.errors import SetupInvalid
from hub.setup_file import SetupFile, TelephonyPart
from hub.setup_site import SitePart
from hub.store import judging, people, scenario_versions
from hub.store import setup as kept
from hub.store.tx import Tx
from hub.store.vault import Vault

_SITE_COLUMNS = {
    *("hosts", "zone", "currency", "overflow_number", "destination"),
    *("mode", "consent", "office", "forms", "repeat_calls"),
}


@dataclass(frozen=True, slots=True)
class Applied:
    """What a person needs after applying: where to log in, what to paste where."""

    tenant: str
    owner_email: str
    owner_password: str | None  # only when it was made now
    api_token: str | None  # likewise; 'cthub token' makes another
    sites: tuple[Mapping[str, str], ...]
    telephony: tuple[Mapping[str, str], ...]


def apply(
    tx: Tx, asked: SetupFile, texts: Mapping[str, str], now: datetime, vault: Vault, is_new: bool = False
) -> Applied:
    """Write what the file asks for; what is there already stays as it is. ``is_new`` makes one more tenant of it."""
    tenant_id, password, token = _whose(tx, asked.owner.email, is_new), None, None
    if tenant_id is None:
        password = asked.owner.password or secrets.token_urlsafe(12)
        tenant_id = people.new_owner(tx, asked.tenant, asked.owner.email, password, now)
        token = people.log_in(tx, tenant_id, people.owner(tx, tenant_id), now, kind="api")
    sites = [{"name": site.name, **_site(tx, tenant_id, site)} for site in asked.sites]
    paths = [
        {
            "name": told.name,
            "adapter": told.adapter,
            "path": f"/telephony/{_telephony(tx, tenant_id, told, vault)}",
        }
        for told in asked.telephony
    ]
    judging.save(tx, tenant_id, asked.model_dump(mode="json", include={"goals", "staff", "spam"}), vault)
    ties.leave_out(tx, tenant_id, {*asked.staff, *asked.spam}, now, vault)
    for connector, text in texts.items():
        scenario_versions.save(tx, tenant_id, connector, text, asked.owner.email, now)
    made = None if asked.owner.password else password
    return Applied(asked.tenant, asked.owner.email, made, token, tuple(sites), tuple(paths))


def _whose(tx: Tx, email: str, is_new: bool) -> int | None:
    """Return the tenant a file is of: its owner's, else the only one; None where one is to be made."""
    known, his = people.tenants(tx), people.tenant_of(tx, email)
    if is_new and his is not None:
        raise SetupInvalid(f"{email} is of a company of this hub already: a new one needs an owner of its own.")
    if is_new or not known:
        return None
    if his is None and len(known) > 1:
        raise SetupInvalid(
            f"This hub has {len(known)} companies, and {email} is of none: write the owner of the one that is meant,"
            " or make a new one with --new-tenant."
        )
    return known[0] if his is None else his


def _site(tx: Tx, tenant_id: int, asked: SitePart) -> Mapping[str, str]:
    columns = asked.model_dump(include=_SITE_COLUMNS)
    callback = asked.callback.model_dump(exclude_none=True) if asked.callback is not None else None
    mail = asked.mail.model_dump() if asked.mail is not None else None
    messengers = asked.messengers.model_dump(exclude_none=True) if asked.messengers is not None else None
    more = {"hold_s": asked.hold_minutes * 60, "callback": callback, "mail": mail, "messengers": messengers}
    site_id, key, mail_token = kept.save_site(tx, tenant_id, asked.name, {**columns, **more})
    kept.save_number(tx, tenant_id, asked.overflow_number, site_id)
    for pool in asked.pools:
        columns = {"group_name": pool.group, "overflow_number": pool.overflow_number or ""}
        columns |= {"destination": pool.destination}
        pool_id = kept.save_pool(tx, tenant_id, site_id, pool.name, columns)
        if pool.overflow_number:
            kept.save_number(tx, tenant_id, pool.overflow_number, site_id)
        for number in pool.numbers:
            kept.save_number(tx, tenant_id, number, site_id, pool_id=pool_id)
    for placement in asked.placements:
        columns = placement.model_dump(include={"source", "campaign", "starts_on", "ends_on"})
        columns |= {"cost_minor": placement.cost_minor, "destination": placement.destination}
        placement_id = kept.save_placement(tx, tenant_id, site_id, placement.name, columns)
        kept.save_number(tx, tenant_id, placement.number, site_id, placement_id=placement_id)
    kept.save_destinations(tx, tenant_id, site_id, asked.destinations)
    for target in asked.targets:
        columns = {"group_name": target.group, "selectors": target.selectors, "mask": target.mask}
        kept.save_target(tx, tenant_id, site_id, target.number, columns)
    kept.save_rules(tx, tenant_id, site_id, [rule.model_dump(exclude_none=True) for rule in asked.rules])
    return {"key": key, "mail": f"/mail/v1/{mail_token}" if asked.mail is not None else ""}


def _telephony(tx: Tx, tenant_id: int, asked: TelephonyPart, vault: Vault) -> str:
    sealed = vault.seal(json.dumps(asked.secrets), tenant_id, asked.name, "secrets")
    columns = asked.model_dump(include={"adapter", "zone", "recordings_from"})
    return kept.save_telephony(tx, tenant_id, asked.name, {**columns, "secrets": sealed})
