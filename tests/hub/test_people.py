"""Who may come in: passwords, sessions and tokens, of which only hashes are kept; and the doors that name a tenant."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from hub.store import people, setup, sites
from hub.store.db import Db
from hub.store.tables import Login, Person, Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.seed import NOW, customer

_login, _person, _tenant = table_of(Login), table_of(Person), table_of(Tenant)
EMAIL, PASSWORD = "owner@okna.example", "correct-horse-battery"


@pytest.fixture
def tenant_id(store: Db) -> int:
    return store.write_now(people.new_owner, "Окна", EMAIL, PASSWORD, NOW)


def logged_in(store: Db, tenant_id: int, kind: str = "console") -> str:
    person_id = store.read_now(people.owner, tenant_id)
    return store.write_now(people.log_in, tenant_id, person_id, NOW, kind)


def test_the_right_password_opens(store: Db, tenant_id: int) -> None:
    assert store.read_now(people.check_password, EMAIL, PASSWORD) == (
        tenant_id,
        store.read_now(people.owner, tenant_id),
    )


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong"),
        (EMAIL, ""),
        (EMAIL, PASSWORD + " "),
        ("nobody@okna.example", PASSWORD),
        ("nobody@okna.example", "nobody"),
        ("", ""),
    ],
)
def test_nothing_else_does(store: Db, tenant_id: int, email: str, password: str) -> None:
    assert store.read_now(people.check_password, email, password) is None


def test_a_password_is_kept_as_a_slow_hash(store: Db, tenant_id: int) -> None:
    kept = store.read_now(lambda tx: tx.execute(select(_person.c.password_hash)).scalar_one())
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


@pytest.mark.parametrize("kind", ["console", "api"])
def test_a_session_is_kept_as_a_hash(store: Db, tenant_id: int, kind: str) -> None:
    secret = logged_in(store, tenant_id, kind)
    row = store.read_now(lambda tx: tx.execute(select(_login)).one())
    assert secret not in map(str, row)
    assert row.secret_hash == people.digest(secret)


def test_a_live_session_says_who_it_is(store: Db, tenant_id: int) -> None:
    who = store.read_now(people.who, logged_in(store, tenant_id), "console", NOW)
    assert who is not None
    assert (who.tenant_id, who.email) == (tenant_id, EMAIL)


@pytest.mark.parametrize(("kind", "life"), [("console", people.SESSION), ("api", people.API_TOKEN)])
def test_a_session_ends_when_its_time_is_over(store: Db, tenant_id: int, kind: str, life: timedelta) -> None:
    secret = logged_in(store, tenant_id, kind)
    assert store.read_now(people.who, secret, kind, NOW + life - timedelta(seconds=1)) is not None
    assert store.read_now(people.who, secret, kind, NOW + life) is None


@pytest.mark.parametrize(("made", "used"), [("api", "console"), ("console", "api")])
def test_a_token_is_no_session_and_a_session_no_token(store: Db, tenant_id: int, made: str, used: str) -> None:
    assert store.read_now(people.who, logged_in(store, tenant_id, made), used, NOW) is None


@pytest.mark.parametrize("secret", ["", "x", "\x00", "ключ"])
def test_a_made_up_secret_is_nobody(store: Db, tenant_id: int, secret: str) -> None:
    assert store.read_now(people.who, secret, "console", NOW) is None


def test_the_hash_of_a_secret_is_not_a_secret(store: Db, tenant_id: int) -> None:
    stolen = people.digest(logged_in(store, tenant_id))
    assert store.read_now(people.who, stolen, "console", NOW) is None


def test_logging_out_ends_one_session(store: Db, tenant_id: int) -> None:
    first, second = logged_in(store, tenant_id), logged_in(store, tenant_id)
    store.write_now(people.log_out, first)
    assert store.read_now(people.who, first, "console", NOW) is None
    assert store.read_now(people.who, second, "console", NOW) is not None


def test_a_new_password_ends_every_session_but_no_token(store: Db, tenant_id: int) -> None:
    session, token = logged_in(store, tenant_id), logged_in(store, tenant_id, "api")
    assert store.write_now(people.set_password, EMAIL, "another-long-password", NOW)
    assert store.read_now(people.who, session, "console", NOW) is None
    assert store.read_now(people.who, token, "api", NOW) is not None
    assert store.read_now(people.check_password, EMAIL, PASSWORD) is None


def test_a_password_of_nobody_is_not_set(store: Db, tenant_id: int) -> None:
    assert not store.write_now(people.set_password, "nobody@okna.example", "another-long-password", NOW)


def test_expired_sessions_are_cleared_when_somebody_logs_in(store: Db, tenant_id: int) -> None:
    logged_in(store, tenant_id)
    person_id = store.read_now(people.owner, tenant_id)
    store.write_now(people.log_in, tenant_id, person_id, NOW + people.SESSION)
    assert len(store.read_now(lambda tx: tx.execute(select(_login)).all())) == 1


# -- doors


def two_customers(tx: Tx, vault: Vault) -> tuple[str, str, str]:
    tenant_id, _ = customer(tx, vault)
    tx.execute(insert(_tenant).values(name="Двери", created_at=NOW))
    about = {
        "hosts": ["okna.example"],
        "zone": "UTC",
        "currency": "RUB",
        "overflow_number": "+74951000000",
        "hold_s": 60,
    }
    _, key, _ = setup.save_site(tx, tenant_id, "okna", about)
    told = {
        "adapter": "generic",
        "zone": "UTC",
        "secrets": vault.seal('{"secret": "s"}', tenant_id, "office", "secrets"),
    }
    token = setup.save_telephony(tx, tenant_id, "office", told)
    hook = tx.execute(select(people._installation.c.hook_token)).scalar_one()
    return key, token, hook


def test_each_door_opens_with_its_own_key(store: Db, vault: Vault) -> None:
    key, token, hook = store.write_now(two_customers, vault)
    site, account, door = (
        store.read_now(sites.site_door, key),
        store.read_now(people.telephony_door, token, vault),
        store.read_now(people.hook_door, hook),
    )
    assert site is not None and account is not None and door is not None
    assert site.tenant_id == account.tenant_id == door[0]
    assert account.secrets == {"secret": "s"}


@pytest.mark.parametrize("key", ["", "nobody", "\x00", "a\x00", "\ud800", "x" * 5_000])
def test_no_door_opens_with_any_other(store: Db, vault: Vault, key: str) -> None:
    store.write_now(two_customers, vault)
    assert store.read_now(sites.site_door, key) is None
    assert store.read_now(people.telephony_door, key, vault) is None
    assert store.read_now(people.hook_door, key) is None
