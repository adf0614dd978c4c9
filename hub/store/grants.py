"""The tokens of an installation, and who may renew them.

Whoever wants a new pair first takes the grant's turn (``begin``), so that among all processes one asks the vendor. The
grant's ``version`` grows with each pair: what was asked for an older one is neither kept nor judged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, false, or_, select, true, update

from connectors.protocol import Grant
from connectors.telling import NO_END
from hub.store import crm, ledger
from hub.store.crm import Installed
from hub.store.ledger import Entry, Kind
from hub.store.tables import Grant as GrantRow
from hub.store.tables import Installation, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault

_grant, _installation = table_of(GrantRow), table_of(Installation)

_FOR_GOOD = timedelta(days=36_500)  # a person who connects the account ends it


@dataclass(frozen=True, slots=True)
class Kept:
    """The tokens of an installation as they are saved, and what is known of their renewal."""

    grant: Grant
    version: int
    refreshing_until: datetime | None
    rests_until: datetime | None
    refused: str  # why a person must connect again; empty while nobody has to


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to ask the vendor for a new pair, until its lease runs out."""

    version: int
    until: datetime
    in_doubt: bool  # an earlier renewal may have spent the refresh token: its answer was lost


def _this(of: Installed) -> Any:
    return and_(_grant.c.tenant_id == of.tenant_id, _grant.c.installation_id == of.id)


def load(tx: Tx, of: Installed, vault: Vault) -> Kept:
    """Return the tokens of an installation."""
    its = and_(_installation.c.tenant_id == _grant.c.tenant_id, _installation.c.id == _grant.c.installation_id)
    row = tx.execute(
        select(_grant, _installation.c.host, _installation.c.status, _installation.c.reason)
        .select_from(_grant.join(_installation, its))
        .where(_this(of))
    ).one()
    place = (of.tenant_id, of.id)
    grant = Grant(
        account=of.account,
        host=row.host,
        access_token=vault.open(row.access_token, *place, "access_token"),
        refresh_token=vault.open(row.refresh_token, *place, "refresh_token") if row.refresh_token else None,
        expires_at=row.expires_at,
        hook_secret=vault.open(row.hook_secret, *place, "hook_secret") if row.hook_secret else "",
    )
    refused = row.reason if row.status != crm.ACTIVE else ""
    return Kept(grant, row.version, row.refreshing_until, row.rests_until, refused)


def end_of(tx: Tx, of: Installed) -> datetime | None:
    """Return when the access ends for good; None while something renews it, and where nobody knows an end."""
    ends = (_grant.c.refresh_token.is_(None), _grant.c.expires_at < NO_END)
    row = tx.execute(select(_grant.c.expires_at).where(_this(of), *ends)).first()
    return row.expires_at if row else None


def expire(tx: Tx, of: Installed, access_token: str, now: datetime, vault: Vault) -> None:
    """Note that an access token was refused, so that the next use renews it first; a newer one is left alone."""
    kept = load(tx, of, vault)
    if kept.grant.access_token == access_token:
        tx.execute(update(_grant).where(_this(of), _grant.c.version == kept.version).values(expires_at=now))


# -- idle -> refreshing


def begin(tx: Tx, of: Installed, version: int, now: datetime, until: datetime) -> Turn | None:
    """Take the turn to renew this version; None when somebody else has it, or the grant is not what was read before.

    It may have been renewed, refused, or found to need rest meanwhile. A turn whose lease ran out was left by a process
    that ended: whether the vendor took its request is not known.
    """
    left, rests = _grant.c.refreshing_until, _grant.c.rests_until
    row = tx.execute(
        update(_grant)
        .where(_this(of), _grant.c.version == version)
        .where(or_(left.is_(None), left <= now), or_(rests.is_(None), rests <= now))
        .values(refreshing_until=until, in_doubt=case((left.is_not(None), true()), else_=_grant.c.in_doubt))
        .returning(_grant.c.in_doubt)
    ).first()
    return Turn(version, until, row.in_doubt) if row else None


def abandon(tx: Tx, now: datetime) -> None:
    """End every turn: only for a process that is known to be the only one (it holds the SQLite file's lock)."""
    tx.execute(update(_grant).where(_grant.c.refreshing_until > now).values(refreshing_until=now))


# -- refreshing -> idle


def keep(tx: Tx, of: Installed, turn: Turn, fresh: Grant, vault: Vault, now: datetime) -> bool:
    """Save the new pair; False when a newer one was saved meanwhile and this one is not wanted any more.

    It is saved even after the turn's lease ran out: a pair that the vendor gave is never thrown away.
    """
    version = tx.execute(select(_grant.c.version).where(_this(of)).with_for_update()).scalar_one()
    if version != turn.version:
        return False
    crm.save_grant(tx, of.tenant_id, of.id, fresh, vault, now)
    return True


def failed(tx: Tx, of: Installed, turn: Turn, rests_until: datetime, *, perhaps: bool) -> None:
    """Give the turn back without a new pair; ``perhaps`` the vendor has spent the refresh token all the same."""
    tx.execute(
        update(_grant)
        .where(_this(of), _grant.c.version == turn.version, _grant.c.refreshing_until == turn.until)
        .values(
            refreshing_until=None,
            rests_until=rests_until,
            in_doubt=or_(_grant.c.in_doubt, true() if perhaps else false()),
        )
    )


def refused(tx: Tx, of: Installed, version: int, reason: str, now: datetime) -> bool:
    """Ask for a person because the vendor refused this version; False when a newer one was saved meanwhile."""
    row = tx.execute(
        update(_grant)
        .where(_this(of), _grant.c.version == version)
        .values(refreshing_until=None, rests_until=now + _FOR_GOOD)
        .returning(_grant.c.version)
    ).first()
    if row is not None:
        crm.set_status(tx, of.tenant_id, of.id, crm.REAUTHORISE, reason)
        ledger.write(tx, of.tenant_id, Entry(Kind.GRANT_REVOKED, now, installation_id=of.id))
    return row is not None
