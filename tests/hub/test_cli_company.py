"""Which company of a hub a verb is for: the only one, or the one that is named."""

import pytest

from hub.store import people
from hub.store.db import Db
from tests.hub import world as worlds
from tests.hub.world import Cthub

BOTH = "Окна Москвы (owner@okna.example), Двери Твери (owner@dveri.example)"


@pytest.fixture
def one_company(bare_db: Db) -> Db:
    bare_db.write_now(people.new_owner, "Окна Москвы", "owner@okna.example", "correct-horse-battery", worlds.OPENING)
    return bare_db


@pytest.fixture
def two_companies(one_company: Db) -> Db:
    told = ("Двери Твери", "owner@dveri.example", "correct-horse-battery", worlds.OPENING)
    one_company.write_now(people.new_owner, *told)
    return one_company


def test_the_only_one_need_not_be_named(one_company: Db, cthub_next_day: Cthub) -> None:
    assert cthub_next_day("token").exit_code == 0


@pytest.mark.parametrize("named", ["Двери Твери", "двери твери", "owner@dveri.example"])
def test_one_of_several_is_named_as_people_know_it(two_companies: Db, cthub_next_day: Cthub, named: str) -> None:
    made = cthub_next_day("token", "--company", named)
    assert made.exit_code == 0, made.output
    who = two_companies.read_now(people.who, made.output.strip(), "api", worlds.OPENING)
    assert who is not None
    assert who.email == "owner@dveri.example"


@pytest.mark.parametrize(
    "verb",
    [
        ("token",), ("report", "roi"), ("accuracy",), ("pool", "plan"), ("habits",), ("ledger", "verify"),
        ("ledger", "show"), ("reconcile", "--no-crm"), ("reconcile", "--last"), ("deliveries", "replay", "--all-parked"),
    ],
)  # fmt: skip
def test_where_there_are_several_a_verb_asks_which(
    two_companies: Db, cthub_next_day: Cthub, verb: tuple[str, ...]
) -> None:
    refused = cthub_next_day(*verb)
    assert str(refused.exception) == f"This hub has 2 companies: say which with --company: {BOTH}."


def test_one_that_is_not_there_is_refused_with_those_that_are(two_companies: Db, cthub_next_day: Cthub) -> None:
    refused = cthub_next_day("token", "--company", "Кухни")
    assert str(refused.exception) == f"No company is called 'Кухни'; there are: {BOTH}."


def test_two_of_one_name_are_told_apart_by_their_owners(two_companies: Db, cthub_next_day: Cthub) -> None:
    told = ("Двери Твери", "second@dveri.example", "correct-horse-battery", worlds.OPENING)
    two_companies.write_now(people.new_owner, *told)
    refused = cthub_next_day("token", "--company", "Двери Твери")
    assert str(refused.exception).startswith("Several companies are called 'Двери Твери'; there are: ")
    assert cthub_next_day("token", "--company", "second@dveri.example").exit_code == 0
