"""Installations, grants and scenario versions, and the deals and payments that read-back brings (T6)."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from connectors.protocol import DealChange, Facts, Grant, PaymentChange, Pipeline, Stage
from hub.store import ledger
from hub.store.ledger import Entry, Kind
from hub.store.tables import Deal, Delivery, Installation, OAuthState, Payment, ScenarioVersion, table_of
from hub.store.tables import Grant as GrantRow
from hub.store.tx import Tx, insert_or
from hub.store.vault import Vault

_installation, _grant, _state = table_of(Installation), table_of(GrantRow), table_of(OAuthState)
_scenario, _deal, _payment, _delivery = (table_of(model) for model in (ScenarioVersion, Deal, Payment, Delivery))

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
    cursor: str | None
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

    ``person_id`` is who gave access.
    """
    known = tx.execute(
        select(_installation.c.id, _installation.c.tenant_id).where(
            _installation.c.connector == connector, _installation.c.account == grant.account
        )
    ).first()
    if known and known.tenant_id != tenant_id:
        raise AccountTaken(f"The account {grant.account} is connected to another customer of this hub.")
    values = {"host": grant.host, "status": ACTIVE, "reason": "", "connected_at": now}
    if known:
        installation_id: int = known.id
        here = (_installation.c.tenant_id == tenant_id, _installation.c.id == known.id)
        tx.execute(update(_installation).where(*here).values(**values))
    else:
        new = {"tenant_id": tenant_id, "connector": connector, "account": grant.account, "facts": {}}
        row = insert(_installation).values(**new, **values, hook_token=secrets.token_urlsafe(24))
        installation_id = tx.execute(row.returning(_installation.c.id)).scalar_one()
    save_grant(tx, tenant_id, installation_id, grant, vault)
    facts = {"connector": connector}
    by = ledger.person(person_id)
    ledger.write(tx, tenant_id, Entry(Kind.GRANT_GIVEN, now, installation_id=installation_id, who=by, facts=facts))
    return installation_id


class AccountTaken(Exception):
    """The CRM account belongs to another tenant of this hub."""


def save_grant(
    tx: Tx, tenant_id: int, installation_id: int, grant: Grant, vault: Vault, refreshed_at: datetime | None = None
) -> None:
    """Write the tokens of an installation, sealed, before anybody uses them; a refresh is told to the ledger."""
    place = (tenant_id, installation_id)
    values = {
        "access_token": vault.seal(grant.access_token, *place, "access_token"),
        "refresh_token": vault.seal(grant.refresh_token, *place, "refresh_token") if grant.refresh_token else None,
        "expires_at": grant.expires_at,
        "refreshing_until": None,
        "rests_until": None,
        "in_doubt": False,
    }
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


def facts_of(kept: Mapping[str, Any]) -> Facts | None:
    """Return the facts of an account as they were kept; None before the first reading."""
    if not kept:
        return None
    pipelines = tuple(
        Pipeline(row["id"], row["name"], tuple(Stage(**stage) for stage in row["stages"])) for row in kept["pipelines"]
    )
    told = {name: tuple(kept.get(name, ())) for name in ("warnings", "traits")}
    return Facts(**{**kept, "pipelines": pipelines, **told})


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


# -- scenarios


@dataclass(frozen=True, slots=True)
class SavedScenario:
    """One saved version of the rules for a connector."""

    version: int
    text: str
    author: str


def save_scenario(tx: Tx, tenant_id: int, connector: str, text: str, author: str, now: datetime) -> int:
    """Save a new version; the same text again makes none. Return the version that runs."""
    current = live_scenario(tx, tenant_id, connector)
    if current and current.text == text:
        return current.version
    version = current.version + 1 if current else 1
    new = {"tenant_id": tenant_id, "connector": connector, "version": version, "text": text}
    tx.execute(insert(_scenario).values(**new, author=author, created_at=now))
    return version


def live_scenario(tx: Tx, tenant_id: int, connector: str) -> SavedScenario | None:
    """Return the newest version of the rules for a connector."""
    row = tx.execute(
        select(_scenario.c.version, _scenario.c.text, _scenario.c.author)
        .where(_scenario.c.tenant_id == tenant_id, _scenario.c.connector == connector)
        .order_by(_scenario.c.version.desc())
        .limit(1)
    ).first()
    return SavedScenario(*row) if row else None


# -- read-back: rows and cursor in one transaction


def save_cursor(tx: Tx, of: Installed, cursor: str) -> None:
    """Move the read-back cursor; called in the transaction that saved the rows before it."""
    here = (_installation.c.tenant_id == of.tenant_id, _installation.c.id == of.id)
    tx.execute(update(_installation).where(*here).values(cursor=cursor))


@dataclass(frozen=True, slots=True)
class KeptDeal:
    """A deal as saved: our id, and the enquiry it came from when our marker is on it."""

    id: int
    enquiry_id: int | None


def save_deal(tx: Tx, of: Installed, change: DealChange) -> KeptDeal | None:
    """Write a deal as the CRM has it now; None when we hold a newer state of it."""
    values = {name: getattr(change, name) for name in _DEAL_COLUMNS}
    values["enquiry_id"] = _enquiry_of(tx, of, change)
    # The marker stays once seen: an edit in the CRM that empties the field does not undo where the deal came from.
    kept = {**values, "marker": func.coalesce(change.marker, _deal.c.marker)}
    kept["enquiry_id"] = func.coalesce(values["enquiry_id"], _deal.c.enquiry_id)
    row = tx.execute(
        insert_or(tx, _deal)
        .values(tenant_id=of.tenant_id, installation_id=of.id, external_id=change.id, **values)
        .on_conflict_do_update(
            index_elements=["installation_id", "external_id"],
            set_=kept,
            where=_deal.c.updated_at <= change.updated_at,
        )
        .returning(_deal.c.id, _deal.c.enquiry_id)
    ).first()
    return KeptDeal(row.id, row.enquiry_id) if row else None


_DEAL_COLUMNS = (
    "url", "pipeline", "stage", "outcome", "amount_minor", "currency", "created_at", "updated_at", "closed_at",
    "marker", "deleted",
)  # fmt: skip


def _enquiry_of(tx: Tx, of: Installed, change: DealChange) -> int | None:
    if change.marker is None:
        return None
    return tx.execute(
        select(_delivery.c.enquiry_id).where(
            _delivery.c.tenant_id == of.tenant_id,
            _delivery.c.installation_id == of.id,
            _delivery.c.id == change.marker.removeprefix("hub:"),  # by which it is found, however long the history
            _delivery.c.marker == change.marker,
        )
    ).scalar()


def save_payment(tx: Tx, of: Installed, change: PaymentChange) -> None:
    """Write a payment as the CRM has it now."""
    values = {
        "deal_external_id": change.deal,
        "amount_minor": change.amount_minor,
        "currency": change.currency,
    }
    values["paid_at"] = change.paid_at
    tx.execute(
        insert_or(tx, _payment)
        .values(tenant_id=of.tenant_id, installation_id=of.id, external_id=change.id, **values)
        .on_conflict_do_update(index_elements=["installation_id", "external_id"], set_=values)
    )
