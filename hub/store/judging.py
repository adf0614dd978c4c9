"""The customer's rules of what counts, sealed: staff and spam are people's phones."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from hub.store.tables import Tenant, table_of
from hub.store.tx import Tx
from hub.store.vault import Vault

_tenant = table_of(Tenant)


def save(tx: Tx, tenant_id: int, rules: Mapping[str, Any], vault: Vault) -> None:
    """Write the rules in place of those before; what was judged by those stays until it is looked at again."""
    text = json.dumps(rules, ensure_ascii=False, sort_keys=True)
    if text != rules_of(tx, tenant_id, vault):
        sealed = vault.seal(text, tenant_id, "rules")
        tx.execute(update(_tenant).where(_tenant.c.id == tenant_id).values(rules=sealed))


def rules_of(tx: Tx, tenant_id: int, vault: Vault) -> str:
    """Return the rules as JSON text; an empty object when there are none."""
    sealed = tx.execute(select(_tenant.c.rules).where(_tenant.c.id == tenant_id)).scalar()
    return vault.open(sealed, tenant_id, "rules") if sealed else "{}"
