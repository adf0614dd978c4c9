"""Installations and grants, and the deals that read-back brings (T6)."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import delete, insert, or_, select, text, update

from connectors.changes import OLDER_BY
from connectors.protocol import DealChange, Facts, Grant, Pipeline, Stage
from connectors.scenario import Telephony
from connectors.telling import Said, known_by_host
from hub.store import erasures, ledger
from hub.store.ledger import Entry, Kind
from hub.store.moment import to_micros
from hub.store.tables import Deal, Delivery, Installation, OAuthState, table_of
from hub.store.tables import Grant as GrantRow
from hub.store.tx import Prepared, Tx, insert_or
from hub.store.vault import Vault

_installation, _grant, _state = table_of(Installation), table_of(GrantRow), table_of(OAuthState)
_deal, _delivery = table_of(Deal), table_of(Delivery)

ACTIVE, REAUTHORISE, REMOVED = "active", "reauthorise", "removed"


@dataclass(frozen=True, slots=True)
class Installed:
    """One connector connected to one account of one tenant."""

    id: int
    tenant_id: int
    connector: str
    account: str
    host: str
    status: str
    reason: str
    facts: Mapping[str, Any]
    facts_at: datetime | None
    fitted: Mapping[str, Any]
    cursor: str | None
    contacts_cursor: str | None
    contacts_known: bool
    looked_to: int | None
    hook_token: str


def _installed(row: Any) -> Installed:
    return Installed(**{name: getattr(row, name) for name in Installed.__slots__})


def installations(tx: Tx, tenant_id: int) -> list[Installed]:
    """Return the tenant's installations."""
    rows = tx.execute(select(_installation).where(_installation.c.tenant_id == tenant_id).order_by(_installation.c.id))
    return [_installed(row) for row in rows]


def installation(tx: Tx, tenant_id: int, installation_id: int) -> Installed:
    """Return one installation of the tenant."""
    here = (_installation.c.tenant_id == tenant_id, _installation.c.id == installation_id)
    return _installed(tx.execute(select(_installation).where(*here)).one())


def install(
    tx: Tx, tenant_id: int, connector: str, grant: Grant, now: datetime, vault: Vault, person_id: int | None = None
) -> int:
    """Write a new installation, or connect a known account again; an account of another tenant is refused.

    One that was known by its host alone is this one, and goes on under the vendor's id. ``person_id`` is who gave
    access. Raises ``AccountTaken``, ``AccountThere``.
    """
    known = _known(tx, tenant_id, connector, grant)
    if known and known.tenant_id != tenant_id:
        raise AccountTaken(f"The account {grant.account} is connected to another customer of this hub.")
    is_by_host = known is not None and grant.account == known_by_host(grant.host)
    account = known.account if is_by_host else grant.account
    values = {"host": grant.host, "account": account, "status": ACTIVE, "reason": "", "connected_at": now}
    if known:
        installation_id: int = known.id
        erasures.call_off(tx, tenant_id, installation_id, now)
        here = (_installation.c.tenant_id == tenant_id, _installation.c.id == known.id)
        # What it has is read anew before anything else, as of an account that nobody knows the ways of.
        unread = {"facts": {**known.facts, "traits": []} if known.facts else {}, "facts_at": None, "looked_to": None}
        tx.execute(update(_installation).where(*here).values(**values, **unread))
    else:
        new = {
            "tenant_id": tenant_id,
            "connector": connector,
            "facts": {},
            "contacts_known": False,
        }
        row = insert(_installation).values(**new, **values, hook_token=secrets.token_urlsafe(24))
        installation_id = tx.execute(row.returning(_installation.c.id)).scalar_one()
    save_grant(tx, tenant_id, installation_id, grant, vault)
    facts = {"connector": connector}
    by = ledger.person(person_id)
    ledger.write(tx, tenant_id, Entry(Kind.GRANT_GIVEN, now, installation_id=installation_id, who=by, facts=facts))
    return installation_id


def _known(tx: Tx, tenant_id: int, connector: str, grant: Grant) -> Any:
    """Return the account a grant is of, if there is one: by its id, or by its host where one of them has no other id.

    What another customer had at a host and left says nothing: the host may be somebody else's by now.
    """
    by_host = known_by_host(grant.host)
    columns = (_installation.c.id, _installation.c.tenant_id, _installation.c.account, _installation.c.facts)
    rows = tx.execute(
        select(*columns, _installation.c.status)
        .where(_installation.c.connector == connector)
        .where(or_(_installation.c.account.in_((grant.account, by_host)), _installation.c.host == grant.host))
        .order_by(_installation.c.id)
    ).all()
    same = [row for row in rows if row.account == grant.account]
    there = [row for row in rows if row.tenant_id == tenant_id or row.status != REMOVED]
    if grant.account != by_host:
        return next(iter([*same, *(row for row in there if row.account == by_host)]), None)
    there = [row for row in there if row.account != by_host]
    if any(row.tenant_id == tenant_id and row.status == ACTIVE for row in there):
        raise AccountThere(f"The account at {grant.host} is connected under the vendor's own id.")
    return next(iter([*same, *there]), None)


class AccountTaken(Exception):
    """The CRM account belongs to another tenant of this hub."""


class AccountThere(Exception):
    """The CRM account is connected already, by a better way than the one at hand: it would be served twice."""


def save_grant(
    tx: Tx, tenant_id: int, installation_id: int, grant: Grant, vault: Vault, refreshed_at: datetime | None = None
) -> None:
    """Write the tokens of an installation, sealed, before anybody uses them; a refresh is told to the ledger.

    A refresh says nothing of the secret of hooks: it stays.
    """
    place = (tenant_id, installation_id)
    values: dict[str, Any] = {
        "access_token": vault.seal(grant.access_token, *place, "access_token"),
        "refresh_token": vault.seal(grant.refresh_token, *place, "refresh_token") if grant.refresh_token else None,
        "expires_at": grant.expires_at,
        "refreshing_until": None,
        "rests_until": None,
        "in_doubt": False,
    }
    if grant.hook_secret or refreshed_at is None:
        secret = grant.hook_secret
        values["hook_secret"] = vault.seal(secret, *place, "hook_secret") if secret else None
    tx.execute(
        insert_or(tx, _grant)
        .values(tenant_id=tenant_id, installation_id=installation_id, version=1, **values)
        .on_conflict_do_update(index_elements=["installation_id"], set_={**values, "version": _grant.c.version + 1})
    )
    here = (_installation.c.tenant_id == tenant_id, _installation.c.id == installation_id)
    tx.execute(update(_installation).where(*here).values(host=grant.host))
    if refreshed_at is not None:
        ledger.write(tx, tenant_id, Entry(Kind.GRANT_REFRESHED, refreshed_at, installation_id=installation_id))


def set_status(tx: Tx, tenant_id: int, installation_id: int, status: str, reason: str) -> None:
    """Write what state an installation is in and why, in words."""
    here = (_installation.c.tenant_id == tenant_id, _installation.c.id == installation_id)
    tx.execute(update(_installation).where(*here).values(status=status, reason=reason))


def save_facts(tx: Tx, tenant_id: int, installation_id: int, facts: Facts, now: datetime) -> None:
    """Keep what the account offers."""
    here = (_installation.c.tenant_id == tenant_id, _installation.c.id == installation_id)
    tx.execute(update(_installation).where(*here).values(facts=asdict(facts), facts_at=now))


def keep_fitted(tx: Tx, of: Installed, version: int) -> None:
    """Keep the facts that a version of the scenario fits, before they are replaced by those that it does not."""
    here = (_installation.c.tenant_id == of.tenant_id, _installation.c.id == of.id)
    tx.execute(update(_installation).where(*here).values(fitted={"version": version, "facts": of.facts}))


def facts_of(kept: Mapping[str, Any]) -> Facts | None:
    """Return the facts of an account as they were kept; None before the first reading."""
    if not kept:
        return None
    pipelines = tuple(
        Pipeline(row["id"], row["name"], tuple(Stage(**stage) for stage in row["stages"])) for row in kept["pipelines"]
    )
    warnings = tuple(Said(**one) for one in kept.get("warnings", ()))
    read = {"pipelines": pipelines, "warnings": warnings, "traits": tuple(kept.get("traits", ()))}
    ways = tuple(Telephony(one) for one in kept.get("telephony", (Telephony.NOTE,)))
    return Facts(**{**kept, **read, "telephony": ways})


def forget_access(tx: Tx, of: Installed, reason: str, vault: Vault) -> None:
    """Disconnect an account: its tokens are thrown away, what is known of it stays."""
    set_status(tx, of.tenant_id, of.id, REMOVED, reason)
    here = (_grant.c.tenant_id == of.tenant_id, _grant.c.installation_id == of.id)
    empty = vault.seal("", of.tenant_id, of.id, "access_token")
    nothing = {"access_token": empty, "refresh_token": None, "hook_secret": None}
    tx.execute(update(_grant).where(*here).values(**nothing, version=_grant.c.version + 1))


# -- authorisation in progress


def start_authorisation(
    tx: Tx, state_hash: str, tenant_id: int, login_hash: str, connector: str, expires_at: datetime
) -> None:
    """Remember a started authorisation by the hash of its state."""
    tx.execute(
        insert(_state).values(
            state_hash=state_hash,
            tenant_id=tenant_id,
            login_hash=login_hash,
            connector=connector,
            expires_at=expires_at,
        )
    )


def finish_authorisation(tx: Tx, state_hash: str, login_hash: str, connector: str, now: datetime) -> int | None:
    """Spend a state once; return its tenant, or None when it is unknown, old, used or another browser's."""
    tx.execute(delete(_state).where(_state.c.expires_at <= now))
    row = tx.execute(
        delete(_state)
        .where(
            _state.c.state_hash == state_hash,
            _state.c.login_hash == login_hash,
            _state.c.connector == connector,
        )
        .returning(_state.c.tenant_id)
    ).first()
    return row.tenant_id if row else None


# -- read-back: rows and cursor in one transaction


def save_cursor(tx: Tx, of: Installed, cursor: str) -> None:
    """Move the read-back cursor; called in the transaction that saved the rows before it."""
    here = (_installation.c.tenant_id == of.tenant_id, _installation.c.id == of.id)
    tx.execute(update(_installation).where(*here).values(cursor=cursor))


def save_looked(tx: Tx, of: Installed, looked_to: int | None) -> None:
    """Move the place where the next look for deals that are gone begins; called with what the last one found."""
    here = (_installation.c.tenant_id == of.tenant_id, _installation.c.id == of.id)
    tx.execute(update(_installation).where(*here).values(looked_to=looked_to))


@dataclass(frozen=True, slots=True)
class KeptDeal:
    """A deal as saved: our id, and the enquiry it came from when our marker is on it."""

    id: int
    enquiry_id: int | None


def kept_deal(tx: Tx, of: Installed, external_id: str) -> KeptDeal:
    """Return a deal that was saved, by the CRM's id."""
    here = (_deal.c.tenant_id == of.tenant_id, _deal.c.installation_id == of.id, _deal.c.external_id == external_id)
    row = tx.execute(select(_deal.c.id, _deal.c.enquiry_id).where(*here)).one()
    return KeptDeal(row.id, row.enquiry_id)


_DEAL_COLUMNS = (
    "url", "pipeline", "stage", "outcome", "amount_minor", "currency", "created_at", "updated_at", "closed_at",
    "deleted", "responsible", "author", "told",
)  # fmt: skip
_GIVEN = ", ".join(f":{name}" for name in _DEAL_COLUMNS)
_TAKEN = ", ".join(f"{name} = excluded.{name}" for name in _DEAL_COLUMNS)
# The first marker stays: neither an edit in the CRM that empties the field nor a later enquiry that the CRM merged into
# the deal undoes where it came from. A delivery is found by its id, which the marker holds, however long the history.
_OLDER_BY = OLDER_BY // timedelta(microseconds=1)
_SAVE_DEAL = Prepared(
    text(f"""
INSERT INTO deal (tenant_id, installation_id, external_id, {", ".join(_DEAL_COLUMNS)}, marker, enquiry_id)
VALUES (:tenant_id, :installation_id, :external_id, {_GIVEN}, CAST(:marker AS varchar), (
    SELECT delivery.enquiry_id FROM delivery
    WHERE delivery.tenant_id = :tenant_id AND delivery.installation_id = :installation_id
      AND delivery.id = CAST(:delivery_id AS varchar) AND delivery.marker = CAST(:marker AS varchar)
      AND delivery.position <= CAST(:created_at AS bigint) + {_OLDER_BY}
))
ON CONFLICT (installation_id, external_id) DO UPDATE SET {_TAKEN},
    marker = coalesce(deal.marker, excluded.marker), enquiry_id = coalesce(deal.enquiry_id, excluded.enquiry_id)
WHERE deal.updated_at <= excluded.updated_at RETURNING id, enquiry_id
""")  # noqa: S608 - put together of our own words alone
)


def news(tx: Tx, of: Installed, deals: Sequence[DealChange]) -> list[DealChange]:
    """Return those of some deals that are not just as they were when they were saved last: most are read twice."""
    here = (_deal.c.tenant_id == of.tenant_id, _deal.c.installation_id == of.id)
    asked = select(_deal.c.external_id, _deal.c.told).where(*here, _deal.c.external_id.in_([one.id for one in deals]))
    known = {row.external_id: row.told for row in tx.execute(asked)}
    return [one for one in deals if known.get(one.id) != _digest(one)]


def save_deal(tx: Tx, of: Installed, change: DealChange) -> KeptDeal | None:
    """Write a deal as the CRM has it now; None when we hold a newer state of it."""
    values: dict[str, Any] = {name: getattr(change, name) for name in _DEAL_COLUMNS if name != "told"}
    moments = {name: told and to_micros(told) for name, told in values.items() if name.endswith("_at")}
    place = {"tenant_id": of.tenant_id, "installation_id": of.id, "external_id": change.id}
    marker = {"marker": change.marker, "delivery_id": (change.marker or "").removeprefix("hub:")}
    found = tx.run(_SAVE_DEAL, {**values, **moments, **place, **marker, "told": _digest(change)})
    return KeptDeal(*found[0]) if found else None


def _digest(change: DealChange) -> str:
    """Return what is the same for two changes only if everything they say is."""
    return blake2b(repr(change).encode(), digest_size=16).hexdigest()
