"""Law 6: every statement on a tenant's table carries the tenant, but for a few doors that name one."""

import ast

from hub.store.tables import metadata
from tests.house.source import ROOT, shown, tree

TENANT_TABLES = {table.name for table in metadata.tables.values() if "tenant_id" in table.c}

# Statements that begin without a tenant, and why they may.
DOORS = {
    "hub/store/people.py": {
        "companies",  # asks which tenants there are
        "tenants",
        "tenant_of",  # the command line's, by e-mail
        "set_password",  # the command line's, by e-mail
        "check_password",  # finds the tenant by e-mail
        "log_in",  # clears expired sessions of everybody
        "who",  # finds the tenant by a session's secret
        "log_out",  # by a session's secret
        "site_door",
        "telephony_door",
        "hook_door",
    },
    "hub/store/inbox.py": {
        "take_due",
        "next_due",
    },  # the inbox's loop serves everybody, one tenant's call at a time
    "hub/store/crm.py": {
        "install",
        "_known",
        "finish_authorisation",
    },  # whose account is it? and: a state names its tenant
    "hub/store/market.py": {  # accounts that are nobody's yet: by the vendor's own keys
        "take_code",
        "next_code",
        "postpone_code",
        "drop_code",
        "has_code",
        "unlinked",
        "_keep",
        "forget_account",
        "forget_old",
        "spend_token",
    },
    "hub/store/recording_links.py": {"find"},  # whose recording is it? by the link's secret
    "hub/store/round_trips.py": {"save"},  # rows of any accounts, each made with its tenant (rows_of)
    "hub/store/grants.py": {"abandon"},  # turns of everybody, left by a process that ended
    "hub/store/doorbells.py": {"take", "next_due"},  # the loop looks after everybody's, one account at a time
    "hub/store/erasures.py": {"is_due"},  # the loop deletes for everybody, one account at a time
    "hub/store/setup.py": {
        "save_number",
        "_save",
    },  # whose number is it? and: the caller's names hold the tenant
    "hub/store/site_habits.py": {"due"},  # the loop that learns habits serves everybody, one site at a time
    "hub/store/visits.py": {"_NEW_VISIT"},  # every column of the table, the tenant's among them
    "hub/delivery/lanes.py": {"claim", "next_wake", "take_over"},  # lanes of everybody, one claimed at a time
}


def statements(function: ast.stmt) -> list[ast.Call]:
    """Return the calls in a function, or in an assignment, that begin a statement."""
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"select", "insert", "update", "delete", "insert_or"}
    ]


def carries_a_tenant(function: ast.AST) -> bool:
    """Say whether the tenant is named in a function, or a condition that holds it (``_mine``, ``_one``...) is used."""
    conditions = {"mine", "_one", "_waiting", "_this", "with_source", "here"}
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and node.attr == "tenant_id":
            return True
        if isinstance(node, ast.keyword | ast.arg) and node.arg == "tenant_id":
            return True
        if isinstance(node, ast.Constant) and node.value == "tenant_id":
            return True
        if isinstance(node, ast.Name) and node.id in conditions:
            return True
    return False


def offences() -> list[str]:
    found = []
    sql = [
        *sorted((ROOT / "hub/store").glob("*.py")),
        *(ROOT / f"hub/delivery/{name}.py" for name in ("queue", "taking", "settling", "lanes")),
    ]
    for path in sql:
        known = DOORS.get(str(path.relative_to(ROOT)), set())
        for node in tree(path).body:
            name = name_of(node)
            if name is not None and name not in known and statements(node) and not carries_a_tenant(node):
                found.append(f"{shown(path, node)} {name}")
    return found


def name_of(node: ast.stmt) -> str | None:
    """Return the name of a function, or of a statement that is said once for all; None for anything else."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def test_every_statement_carries_the_tenant() -> None:
    unguarded = {"count_refusal", "refusals"}  # the only table without one: counts of refused strangers
    assert [offence for offence in offences() if offence.split()[-1] not in unguarded] == []


def test_the_rule_catches_a_statement_without_a_tenant() -> None:
    careless = ast.parse("def deals(tx):\n    return tx.execute(select(_deal).where(_deal.c.id == 1))")
    assert statements(careless.body[0])  # type: ignore[arg-type]
    assert not carries_a_tenant(careless)


def test_the_rule_catches_a_careless_statement_that_is_said_once() -> None:
    careless = ast.parse("_DEALS = select(_deal).where(_deal.c.id == value('id'))").body[0]
    assert name_of(careless) == "_DEALS"
    assert statements(careless) and not carries_a_tenant(careless)


def test_every_table_but_the_counted_refusals_and_what_is_nobodys_yet_belongs_to_a_tenant() -> None:
    nobodys = {"arrived_code", "unlinked_account", "spent_token"}
    assert set(metadata.tables) - TENANT_TABLES == {"tenant", "refusal", *nobodys}
