"""A person's word about who it was goes before everything that was reckoned."""

from hub.store import corrections
from hub.store.tx import Tx
from tracking_core.enquiry import corrected
from tracking_core.match import Match


def settled(tx: Tx, tenant_id: int, enquiry_id: int, found: Match) -> Match:
    """Return what was found, or what a person said of this enquiry."""
    said = corrections.said(tx, tenant_id, enquiry_id)
    if said is None:
        return found
    visit, visitor = (str(one) if one is not None else None for one in (said.visit_id, said.visitor_id))
    return corrected(found, visit, visitor)
