"""Tenants, the people who log in, and their sessions; also the doors: public keys that name a tenant."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from sqlalchemy import delete, func, insert, select, update

from hub.store import crm, ledger
from hub.store.calls import Account, count_refusal
from hub.store.ledger import Entry, Kind
from hub.store.tables import Installation, Login, Person, TelephonyAccount, Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault

_tenant, _person, _login = table_of(Tenant), table_of(Person), table_of(Login)
_account, _installation = table_of(TelephonyAccount), table_of(Installation)
_hasher = PasswordHasher()

SESSION = timedelta(hours=12)
API_TOKEN = timedelta(days=365)


@cache
def _nobody() -> str:
    """Return a hash that is verified for an unknown address, so that the answer takes as long."""
    return _hasher.hash("nobody")


def digest(secret: str) -> str:
    """Return the form of a session secret, state or API token that is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Who:
    """The person behind a request."""

    tenant_id: int
    person_id: int
    email: str
    language: str
    csrf: str
    login_hash: str


def companies(tx: Tx) -> list[tuple[int, str, str]]:
    """Return id and name of each tenant with the e-mail of its first person, the first tenant first."""
    first = select(func.min(_person.c.id)).group_by(_person.c.tenant_id)
    joined = _tenant.outerjoin(_person, (_person.c.tenant_id == _tenant.c.id) & _person.c.id.in_(first))
    asked = select(_tenant.c.id, _tenant.c.name, _person.c.email).select_from(joined).order_by(_tenant.c.id)
    return [(row.id, row.name, row.email or "") for row in tx.execute(asked)]


def tenants(tx: Tx) -> list[int]:
    """Return the tenants of this hub, the first one first."""
    return list(tx.execute(select(_tenant.c.id).order_by(_tenant.c.id)).scalars())


def tenant_of(tx: Tx, email: str) -> int | None:
    """Return the tenant of who logs in with this e-mail."""
    return tx.execute(select(_person.c.tenant_id).where(_person.c.email == email)).scalar()


def new_owner(tx: Tx, tenant_name: str, email: str, password: str, now: datetime) -> int:
    """Make a tenant and its owner; return the tenant."""
    tenant_id: int = tx.execute(
        insert(_tenant).values(name=tenant_name, created_at=now).returning(_tenant.c.id)
    ).scalar_one()
    tx.execute(
        insert(_person).values(
            tenant_id=tenant_id,
            email=email,
            password_hash=_hasher.hash(password),
            language="ru",
            created_at=now,
        )
    )
    return tenant_id


def set_password(tx: Tx, email: str, password: str, now: datetime) -> bool:
    """Set a person's password and end his sessions; False when there is no such person."""
    row = tx.execute(
        update(_person)
        .where(_person.c.email == email)
        .values(password_hash=_hasher.hash(password))
        .returning(_person.c.id, _person.c.tenant_id)
    ).first()
    if row:
        tx.execute(delete(_login).where(_login.c.person_id == row.id, _login.c.kind == "console"))
        ledger.write(tx, row.tenant_id, Entry(Kind.PASSWORD_SET, now, facts={"person": row.id}))
    return row is not None


def check_password(tx: Tx, email: str, password: str) -> tuple[int, int] | None:
    """Return (tenant, person) when the password is right."""
    row = tx.execute(
        select(_person.c.id, _person.c.tenant_id, _person.c.password_hash).where(_person.c.email == email)
    ).first()
    try:
        _hasher.verify(row.password_hash if row else _nobody(), password)
    except Argon2Error:
        return None
    return (row.tenant_id, row.id) if row else None


def log_in(tx: Tx, tenant_id: int, person_id: int, now: datetime, kind: str = "console") -> str:
    """Begin a session or make an API token; return its secret, which is stored only as a hash."""
    secret = secrets.token_urlsafe(32)
    tx.execute(delete(_login).where(_login.c.expires_at <= now))
    tx.execute(
        insert(_login).values(
            secret_hash=digest(secret),
            tenant_id=tenant_id,
            person_id=person_id,
            kind=kind,
            csrf=secrets.token_urlsafe(24),
            created_at=now,
            expires_at=now + (SESSION if kind == "console" else API_TOKEN),
        )
    )
    entry = Entry(Kind.LOGGED_IN, now, who=ledger.person(person_id))
    if kind != "console":
        entry = Entry(Kind.TOKEN_MADE, now, facts={"person": person_id})
    ledger.write(tx, tenant_id, entry)
    return secret


def refuse(tx: Tx, email: str, is_noted: bool, now: datetime) -> None:
    """Count a refused password; of a person who is here it is an entry of the ledger, too, when ``is_noted``."""
    count_refusal(tx, "login", "wrong_password", now)
    # Whom it is about is asked in any case, so that the answer takes as long for an unknown address.
    row = tx.execute(select(_person.c.id, _person.c.tenant_id).where(_person.c.email == email)).first()
    if row and is_noted:
        ledger.write(tx, row.tenant_id, Entry(Kind.LOGIN_REFUSED, now, facts={"person": row.id}))


def who(tx: Tx, secret: str, kind: str, now: datetime) -> Who | None:
    """Return the person of a live session or token."""
    row = tx.execute(
        select(_login.c.tenant_id, _login.c.person_id, _person.c.email, _person.c.language, _login.c.csrf)
        .join(_person, (_person.c.id == _login.c.person_id) & (_person.c.tenant_id == _login.c.tenant_id))
        .where(_login.c.secret_hash == digest(secret), _login.c.kind == kind, _login.c.expires_at > now)
    ).first()
    return Who(**row._asdict(), login_hash=digest(secret)) if row else None


def log_out(tx: Tx, secret: str) -> None:
    """End a session."""
    tx.execute(delete(_login).where(_login.c.secret_hash == digest(secret)))


def set_language(tx: Tx, tenant_id: int, person_id: int, language: str) -> None:
    """Remember in which language a person reads the console."""
    here = (_person.c.tenant_id == tenant_id, _person.c.id == person_id)
    tx.execute(update(_person).where(*here).values(language=language))


def owner(tx: Tx, tenant_id: int) -> int:
    """Return the first person of a tenant."""
    here = _person.c.tenant_id == tenant_id
    first = select(_person.c.id).where(here).order_by(_person.c.id).limit(1)
    return int(tx.execute(first).scalar_one())


# -- doors: an unguessable public key names the tenant; these are the only statements that do not begin with one


def _is_unspeakable(key: str) -> bool:
    """Say whether a key cannot be asked for at all: PostgreSQL takes neither NUL nor half a surrogate pair."""
    return not key.isprintable()


def telephony_door(tx: Tx, token: str, vault: Vault) -> Account | None:
    """Find a telephony account by the token in its path."""
    if _is_unspeakable(token):
        return None
    row = tx.execute(select(_account).where(_account.c.token == token)).first()
    if row is None:
        return None
    secrets_ = json.loads(vault.open(row.secrets, row.tenant_id, row.name, "secrets"))
    return Account(row.id, row.tenant_id, row.adapter, row.zone, secrets_)


def hook_door(tx: Tx, token: str) -> tuple[int, int, str] | None:
    """Find an installation by the token in its webhook path: (tenant, installation, connector).

    One that removed us is not found: a vendor that goes on ringing gives it up after enough refusals.
    """
    if _is_unspeakable(token):
        return None
    columns = (_installation.c.tenant_id, _installation.c.id, _installation.c.connector)
    is_here = (_installation.c.hook_token == token, _installation.c.status != crm.REMOVED)
    row = tx.execute(select(*columns).where(*is_here)).first()
    return (row.tenant_id, row.id, row.connector) if row else None
