"""Accounts that came from a vendor's marketplace and are nobody's yet, and one-time tokens that were spent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from connectors.protocol import Grant
from hub.store.people import digest
from hub.store.tables import ArrivedCode, Installation, SpentToken, UnlinkedAccount, table_of
from hub.store.tx import Tx, insert_or
from hub.store.vault import Unopenable, Vault

_code, _account, _spent = (table_of(model) for model in (ArrivedCode, UnlinkedAccount, SpentToken))
_installation = table_of(Installation)

CODE_LIFE = timedelta(minutes=20)
KEPT = timedelta(days=7)  # an account that nobody links is forgotten after it
_MOST_OF_HOST, _MOST = 5, 500  # codes that wait: anybody may send some


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is known before it is a customer's."""

    connector: str
    account: str
    client_id: str

    @property
    def place(self) -> tuple[str, ...]:
        """Where its tokens are sealed for."""
        return ("unlinked", self.connector, self.account, self.client_id)


# -- codes


@dataclass(frozen=True, slots=True)
class Arrived:
    """A code whose turn it is; None as its code when our keys do not open it."""

    code_hash: str
    connector: str
    client_id: str
    host: str
    code: str | None = field(repr=False)
    ends_at: datetime


def take_code(tx: Tx, connector: str, client_id: str, host: str, code: str, now: datetime, vault: Vault) -> bool:
    """Keep a code until it is exchanged; the same one again is nothing new. False when too many wait already."""
    tx.execute(delete(_code).where(_code.c.ends_at <= now))
    waiting = select(func.count()).select_from(_code)
    of_host = tx.execute(waiting.where(_code.c.host == host)).scalar_one()
    if of_host >= _MOST_OF_HOST or tx.execute(waiting).scalar_one() >= _MOST:
        return False
    sealed = vault.seal(code, "arrived", connector, host, "code")
    values = {"connector": connector, "client_id": client_id, "host": host, "code": sealed}
    tx.execute(
        insert_or(tx, _code)
        .values(code_hash=digest(code), **values, due_at=now, ends_at=now + CODE_LIFE)
        .on_conflict_do_nothing()
    )
    return True


def next_code(tx: Tx, now: datetime, lease: timedelta, vault: Vault) -> Arrived | None:
    """Claim the code that waits longest; who does not settle it by the end of the lease leaves it to the next."""
    waits_longest = (
        select(_code.c.code_hash)
        .where(_code.c.due_at <= now, _code.c.ends_at > now)
        .order_by(_code.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = tx.execute(
        update(_code).where(_code.c.code_hash == waits_longest).values(due_at=now + lease).returning(_code)
    ).first()
    if row is None:
        return None
    try:
        code = vault.open(row.code, "arrived", row.connector, row.host, "code")
    except Unopenable:
        code = None
    return Arrived(row.code_hash, row.connector, row.client_id, row.host, code, row.ends_at)


def postpone_code(tx: Tx, code_hash: str, until: datetime) -> None:
    """Let a code wait: the vendor could not answer."""
    tx.execute(update(_code).where(_code.c.code_hash == code_hash).values(due_at=until))


def drop_code(tx: Tx, code_hash: str) -> None:
    """Forget a code that is exchanged or refused."""
    tx.execute(delete(_code).where(_code.c.code_hash == code_hash))


def has_code(tx: Tx, connector: str, host: str, now: datetime) -> bool:
    """Say whether a code of an account waits to be exchanged."""
    here = (_code.c.connector == connector, _code.c.host == host, _code.c.ends_at > now)
    return tx.execute(select(_code.c.code_hash).where(*here)).first() is not None


# -- accounts


def owner_of(tx: Tx, connector: str, account: str) -> tuple[int, int, str] | None:
    """Return whose an account is: (tenant, installation, its status); None while it is nobody's."""
    row = tx.execute(
        select(_installation.c.tenant_id, _installation.c.id, _installation.c.status).where(
            _installation.c.connector == connector, _installation.c.account == account
        )
    ).first()
    return (row.tenant_id, row.id, row.status) if row else None


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What is kept of an account that is nobody's: its tokens once it installed us, and who asked for it."""

    grant: Grant | None
    wanted_by: int | None
    wanted_person: int | None


def unlinked(tx: Tx, of: Account, now: datetime, vault: Vault) -> Unlinked | None:
    """Return what is kept of an account; None when nothing is, or our keys do not open it."""
    row = tx.execute(select(_account).where(*_this(of), _account.c.forget_at > now)).first()
    if row is None:
        return None
    if row.access_token is None:
        return Unlinked(None, row.wanted_by, row.wanted_person)
    try:
        access = vault.open(row.access_token, *of.place, "access_token")
        refresh = vault.open(row.refresh_token, *of.place, "refresh_token") if row.refresh_token else None
        secret = vault.open(row.hook_secret, *of.place, "hook_secret") if row.hook_secret else ""
    except Unopenable:
        return None
    grant = Grant(of.account, row.host, access, refresh, row.ends_at, secret)
    return Unlinked(grant, row.wanted_by, row.wanted_person)


def keep_grant(tx: Tx, of: Account, grant: Grant, now: datetime, vault: Vault) -> None:
    """Keep the tokens of an account until somebody links it."""
    refresh, secret = grant.refresh_token, grant.hook_secret
    values = {
        "host": grant.host,
        "access_token": vault.seal(grant.access_token, *of.place, "access_token"),
        "refresh_token": vault.seal(refresh, *of.place, "refresh_token") if refresh else None,
        "hook_secret": vault.seal(secret, *of.place, "hook_secret") if secret else None,
        "ends_at": grant.expires_at,
    }
    _keep(tx, of, values, now)


def want(tx: Tx, of: Account, host: str, tenant_id: int, person_id: int, now: datetime) -> None:
    """Note who asked for an account that has not installed us yet; the last one who asks gets it."""
    _keep(tx, of, {"host": host, "wanted_by": tenant_id, "wanted_person": person_id}, now)


def _keep(tx: Tx, of: Account, told: Mapping[str, Any], now: datetime) -> None:
    values = {**told, "forget_at": now + KEPT}
    key = {"connector": of.connector, "account": of.account, "client_id": of.client_id}
    tx.execute(
        insert_or(tx, _account).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=values)
    )


def forget_account(tx: Tx, of: Account) -> None:
    """Forget an account that is linked now, or removed us."""
    tx.execute(delete(_account).where(*_this(of)))


def forget_old(tx: Tx, now: datetime) -> None:
    """Forget accounts that nobody linked in time, with their tokens, codes that ended, and spent tokens that did."""
    tx.execute(delete(_account).where(_account.c.forget_at <= now))
    tx.execute(delete(_code).where(_code.c.ends_at <= now))
    tx.execute(delete(_spent).where(_spent.c.ends_at <= now))


def _this(of: Account) -> tuple[Any, ...]:
    return (
        _account.c.connector == of.connector,
        _account.c.account == of.account,
        _account.c.client_id == of.client_id,
    )


# -- one-time tokens


class TokenSpent(Exception):
    """A one-time token has had its effect already."""


def spend_token(tx: Tx, connector: str, token_id: str, ends_at: datetime) -> None:
    """Note that a token has its effect in this transaction; raises ``TokenSpent`` when it had one before."""
    row = tx.execute(
        insert_or(tx, _spent)
        .values(connector=connector, token_id=token_id, ends_at=ends_at)
        .on_conflict_do_nothing()
        .returning(_spent.c.token_id)
    ).first()
    if row is None:
        raise TokenSpent
