"""A set-up file: refused with file, line and what is allowed; applied again it changes nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.errors import SetupInvalid
from hub.setup import apply
from hub.setup_file import read_setup
from hub.store import people, sites
from hub.store.db import Db
from hub.store.tables import TelephonyAccount, metadata, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault
from tests.hub.seed import NOW
from tests.hub.world import SCENARIO, SETUP

GOOD = SETUP.lstrip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "calls_to_deals.yaml").write_text(SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def refusal(folder: Path, text: str | bytes) -> str:
    """What is said of a set-up file that is not in order."""
    file = folder / "setup.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SetupInvalid) as caught:
        read_setup(file)
    told = str(caught.value)
    assert told.startswith(str(folder))
    return told.removeprefix(f"{file}:")


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


WRONG: Mapping[str, tuple[str, str]] = {
    "unknown_key": (changed("tenant:", "colour: red\ntenant:"), "1: colour: there is no such key; allowed: tenant, owner, sites, telephony, goals, staff, spam, scenarios"),
    "unknown_key_of_a_site": (changed("    hosts:", "    host: x\n    hosts:"), "5: sites.0.host: there is no such key; allowed: name, hosts, zone, currency, overflow_number, destination, destinations, hold_minutes,"),
    "unknown_key_of_a_pool": (changed("        numbers:", "        colour: red\n        numbers:"), "9: sites.0.pools.0.colour: there is no such key; allowed: name, group, overflow_number, numbers"),
    "unknown_key_of_the_owner": (changed("{email:", "{phone: 1, email:"), "2: owner.phone: there is no such key; allowed: email, password"),
    "missing_key": (changed("    hosts: [okna.example]\n", ""), "4: sites.0.hosts: Field required"),
    "bad_phone": (changed("+7 495 111-00-02", "+7 495 11"), "9: sites.0.pools.0.numbers.1: is not a phone number like +7 495 123-45-67"),
    "phone_without_quotes": (changed('"+7 495 100-00-00"', "74951000000"), "6: sites.0.overflow_number: Input should be a valid string"),
    "bad_zone": (changed("    hosts:", "    zone: Mars/Olympus\n    hosts:"), "5: sites.0.zone: is not a time zone like Europe/Moscow"),
    "zone_outside_its_folder": (changed("    hosts:", "    zone: ../../etc/passwd\n    hosts:"), "5: sites.0.zone: is not a time zone like Europe/Moscow"),
    "bad_currency": (changed("    hosts:", "    currency: roubles\n    hosts:"), "5: sites.0.currency: String should match pattern '^[A-Z]{3}$'"),
    "hold_of_nothing": (changed("    hosts:", "    hold_minutes: 0\n    hosts:"), "5: sites.0.hold_minutes: Input should be greater than or equal to 1"),
    "secret_missing": (changed(", vpbx_api_salt: SALT456", ""), "13: telephony.0: secrets of mango are exactly: vpbx_api_key, vpbx_api_salt"),
    "secret_of_another": (changed('{secret: "', '{vpbx_api_key: "'), "14: telephony.1: secrets of generic are exactly: secret"),
    "unknown_adapter": (changed("adapter: generic", "adapter: pigeon"), "14: telephony.1: adapter 'pigeon' is not known; allowed: "),
    "unknown_connector": (changed("  amocrm:", "  bpm:"), "16: 'bpm' is not a connector; allowed: amocrm"),
    "scenario_not_there": (changed("calls_to_deals.yaml", "nowhere.yaml"), "16: the scenario nowhere.yaml cannot be read"),
    "short_password": (changed("correct-horse-battery", "short"), "2: owner.password: String should have at least 12 characters"),
    "no_email": (changed("owner@okna.example", "owner"), "2: owner.email: String should match pattern"),
    "day_that_is_none": (changed("source: billboard", "starts_on: 2026-13-45, source: billboard"), " is not YAML the hub can read: month must be in 1..12"),
    "number_in_two_places": (changed('"+7 495 222-00-01"', '"+7 495 111-00-01"'), "1: the file: the number +74951110001 has two places"),
    "overflow_number_in_the_pool": (changed("+7 495 100-00-00", "+7 495 111-00-01"), "1: the file: the number +74951110001 has two places"),
    "two_accounts_of_one_name": (changed("name: branch", "name: office"), "1: the file: two telephony accounts are called office"),
    "mail_without_a_place_for_the_code": (changed("    hosts:", '    mail: {address: a@okna.example, reply: a@okna.example}\n    hosts:'), "5: sites.0.mail.reply: has {code} exactly once, before the @, like sales+{code}@firm.example"),
    "mail_with_the_code_in_the_domain": (changed("    hosts:", '    mail: {address: a@okna.example, reply: "a@{code}.example"}\n    hosts:'), "5: sites.0.mail.reply: has {code} exactly once, before the @"),
    "mail_with_two_codes": (changed("    hosts:", '    mail: {address: a@okna.example, reply: "{code}+{code}@okna.example"}\n    hosts:'), "5: sites.0.mail.reply: has {code} exactly once, before the @"),
    "mail_with_the_code_glued": (changed("    hosts:", '    mail: {address: a@okna.example, reply: "sales{code}@okna.example"}\n    hosts:'), "5: sites.0.mail.reply: parts {code} from letters and digits by a sign, like sales+{code}@firm.example"),
    "mail_that_is_no_address": (changed("    hosts:", '    mail: {address: okna.example, reply: "{code}@okna.example"}\n    hosts:'), "5: sites.0.mail.address: is not an e-mail address like sales@firm.example"),
    "own_that_is_no_domain": (changed("    hosts:", '    mail: {address: a@okna.example, reply: "{code}@okna.example", own: [okna]}\n    hosts:'), "5: sites.0.mail.own.0: is neither an e-mail address nor a domain like firm.example"),
    "unknown_key_of_mail": (changed("    hosts:", '    mail: {adress: a@okna.example}\n    hosts:'), "5: sites.0.mail.adress: there is no such key; allowed: address, reply, own"),
    "messengers_that_are_no_switch": (changed("    hosts:", '    messengers: 17\n    hosts:'), "5: sites.0.messengers: is true, false, or {text: what a first message says}"),
    "no_yaml": ("tenant: [", "1: expected the node content, but found '<stream end>'"),
    "tab": ("tenant:\n\t- x", "2: found character '\\t' that cannot start any token"),
    "control_character": ("tenant: \x01", "1: unacceptable character #x0001: special characters are not allowed"),
    "python_object": ("!!python/object:os.system {}", "1: could not determine a constructor"),
    "empty": ("", "1: the file: Input should be a valid dictionary"),
    "a_list": ("- 1", "1: the file: Input should be a valid dictionary"),
    "very_deep": ("[" * 5_000, " is not YAML the hub can read"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "read"), [("true", {}), ("{}", {}), ("{text: Hi}", {"text": "Hi"}), ("false", None), ("null", None)]
)
def test_messengers_are_switched_by_a_word_or_by_their_own_words(folder: Path, said: str, read: Any) -> None:
    file = folder / "setup.yaml"
    file.write_text(changed("    hosts:", f"    messengers: {said}\n    hosts:"), encoding="utf-8")
    asked = read_setup(file)[0].sites[0].messengers
    assert (asked.model_dump(exclude_none=True) if asked else None) == read


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_not_in_order_is_refused_with_its_line_and_what_is_allowed(folder: Path, name: str) -> None:
    text, told = WRONG[name]
    assert told in refusal(folder, text)


def test_a_file_that_is_not_utf8_is_refused(folder: Path) -> None:
    assert "cannot be read" in refusal(folder, b"tenant: \xff")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupInvalid, match=r"nowhere\.yaml: cannot be read"):
        read_setup(tmp_path / "nowhere.yaml")


def test_every_problem_is_told_at_once(folder: Path) -> None:
    told = refusal(folder, changed("tenant:", "colour: red\ntenant:").replace("+7 495 111-00-02", "12"))
    assert len(told.splitlines()) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("answred: {}", "allowed: name, language, timezone"),
        ("ended: {stranger: [deal]}", "allowed: blacklisted, staff, unknown, several_contacts"),
        ("ended: {unknown: [{deel: {}}]}", "allowed: deal, incoming, note, task, move"),
        ("ended: {unknown: [{deal: {stag: x}}]}", "allowed: name, pipeline, stage"),
        ("ended: {unknown: [note: x]}", "put `- deal` before it"),
        ("ended: {unknown: [deal, {note: 'from {nobody}'}]}", "nobody"),
    ],
    ids=["trigger", "caller", "action", "field_of_a_deal", "note_without_a_deal", "placeholder"],
)
def test_a_scenario_that_is_not_in_order_is_refused_with_its_own_file_and_line(
    folder: Path, line: str, told: str
) -> None:
    (folder / "calls_to_deals.yaml").write_text(f"name: x\n{line}\n", encoding="utf-8")
    file = folder / "setup.yaml"
    file.write_text(GOOD, encoding="utf-8")
    with pytest.raises(SetupInvalid) as caught:
        read_setup(file)
    assert f"{folder / 'calls_to_deals.yaml'}:2: " in str(caught.value)
    assert told in str(caught.value)


# -- applied


def everything(tx: Tx, vault: Vault) -> dict[str, list[Any]]:
    """Every row of every table, with what is sealed in the clear."""
    tables = metadata.sorted_tables  # what was written again stands at another place
    found = {table.name: sorted(map(tuple, tx.execute(select(table))), key=repr) for table in tables}
    account = table_of(TelephonyAccount)
    found["telephony_account"] = [
        (*row[:-1], vault.open(row.secrets, row.tenant_id, row.name, "secrets")) for row in tx.execute(select(account))
    ]
    return found


def written(store: Db, folder: Path, vault: Vault, text: str = GOOD, *, is_new: bool = False) -> Any:
    (folder / "setup.yaml").write_text(text, encoding="utf-8")
    return store.write_now(apply, *read_setup(folder / "setup.yaml"), NOW, vault, is_new)


def test_applying_makes_what_the_file_asks_for(store: Db, folder: Path, vault: Vault) -> None:
    applied = written(store, folder, vault)
    site = store.read_now(sites.site_door, applied.sites[0]["key"])
    assert site is not None
    assert (site.hosts, site.overflow_number) == (("okna.example",), "+74951000000")
    assert [told["adapter"] for told in applied.telephony] == ["mango", "generic"]


def test_applying_again_changes_nothing_and_prints_no_secret_twice(store: Db, folder: Path, vault: Vault) -> None:
    first = written(store, folder, vault)
    before = store.read_now(everything, vault)
    again = written(store, folder, vault)
    assert store.read_now(everything, vault) == before
    assert (again.sites, again.telephony) == (first.sites, first.telephony)
    assert (again.api_token, again.owner_password) == (None, None)


def test_a_changed_scenario_is_a_new_version_beside_the_old_one(store: Db, folder: Path, vault: Vault) -> None:
    written(store, folder, vault)
    (folder / "calls_to_deals.yaml").write_text("name: other\nended: {unknown: [deal]}\n", encoding="utf-8")
    written(store, folder, vault)
    versions = store.read_now(everything, vault)["scenario_version"]
    assert len(versions) == 2


def test_a_number_taken_out_of_the_file_keeps_its_history(store: Db, folder: Path, vault: Vault) -> None:
    written(store, folder, vault)
    written(store, folder, vault, changed(', "+7 495 111-00-03"', ""))
    assert len(store.read_now(everything, vault)["tracking_number"]) == 5


def test_a_password_that_was_not_given_is_made_and_told_once(store: Db, folder: Path, vault: Vault) -> None:
    text = changed(", password: correct-horse-battery", "")
    applied = written(store, folder, vault, text)
    assert len(applied.owner_password) >= 12
    assert store.read_now(people.check_password, applied.owner_email, applied.owner_password) is not None
    assert written(store, folder, vault, text).owner_password is None


# -- several companies of one hub


DOORS = "owner@dveri.example"
SECOND = GOOD.replace("owner@okna.example", DOORS).replace("Окна Москвы", "Двери Твери").replace("+7 495", "+7 812")


@pytest.fixture
def two(store: Db, folder: Path, vault: Vault) -> Db:
    """A hub of two companies."""
    written(store, folder, vault)
    written(store, folder, vault, SECOND, is_new=True)
    return store


def test_a_new_tenant_has_an_owner_a_site_and_doors_of_its_own(store: Db, folder: Path, vault: Vault) -> None:
    first = written(store, folder, vault)
    second = written(store, folder, vault, SECOND, is_new=True)
    assert store.read_now(people.tenant_of, DOORS) != store.read_now(people.tenants)[0]
    assert second.api_token
    assert second.sites[0]["key"] != first.sites[0]["key"]
    assert {told["path"] for told in second.telephony}.isdisjoint(told["path"] for told in first.telephony)


def test_a_file_is_applied_to_the_company_of_its_owner(two: Db, folder: Path, vault: Vault) -> None:
    before = two.read_now(everything, vault)
    written(two, folder, vault, SECOND)
    assert two.read_now(everything, vault) == before


@pytest.mark.parametrize(
    ("owner", "is_new", "why"),
    [("nobody@dveri.example", False, "is of none"), (DOORS, True, "is of a company of this hub already")],
    ids=["whose_is_unknown", "new_but_known"],
)
def test_a_file_that_could_be_meant_for_another_company_changes_nothing(
    two: Db, folder: Path, vault: Vault, owner: str, is_new: bool, why: str
) -> None:
    before = two.read_now(everything, vault)
    with pytest.raises(SetupInvalid, match=why):
        written(two, folder, vault, SECOND.replace(DOORS, owner), is_new=is_new)
    assert two.read_now(everything, vault) == before


def test_a_number_of_another_customer_is_refused_and_nothing_is_written(store: Db, folder: Path, vault: Vault) -> None:
    written(store, folder, vault)
    before = store.read_now(everything, vault)
    with pytest.raises(SetupInvalid, match="is another customer's"):
        written(store, folder, vault, GOOD.replace("owner@okna.example", DOORS), is_new=True)
    assert store.read_now(everything, vault) == before
