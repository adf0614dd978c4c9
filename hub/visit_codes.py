"""The code of a visit, by the customer's own key: what a letter or a chat names it by."""

from collections.abc import Iterable

from hub.store import enquiries
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core import visit_code


def code_of(visit_id: int, tenant_id: int, vault: Vault) -> str:
    """Return the code of a visit."""
    return visit_code.code_of(visit_id, _key(tenant_id, vault))


def named(tx: Tx, tenant_id: int, codes: Iterable[str], vault: Vault) -> int | None:
    """Return the visit that the first true one of these codes names; None when there is none."""
    key = _key(tenant_id, vault)
    for code in codes:
        visit_id = visit_code.visit_of(code, key)
        if visit_id is not None:
            known = enquiries.his_visit(tx, tenant_id, None, None, visit_id)
            if known is not None:
                return known
    return None


def _key(tenant_id: int, vault: Vault) -> bytes:
    return vault.fingerprint("visit codes", tenant_id).encode()
