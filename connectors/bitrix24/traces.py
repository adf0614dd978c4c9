"""The source of a new card in the portal's own analytics, Sales Intelligence (sheet section 4.9).

Nobody can ask which traces there are, and a second one counts the visit twice. So a trace is written right after its
card, by the attempt that made the card, and is never sent again once it may have arrived.
"""

import json

from connectors.bitrix24.api import Fault, Json
from connectors.bitrix24.cards import whole
from connectors.bitrix24.mappings import CONTACT, DEAL, LEAD, TRACE
from connectors.bitrix24.parts import Owner
from connectors.bitrix24.sending import Part
from connectors.bitrix24.trouble import words
from connectors.bitrix24.work import TRACE_STEP, Work
from connectors.telling import Said

_TYPES = {DEAL: "DEAL", LEAD: "LEAD", CONTACT: "CONTACT"}


def parts(work: Work, on: Owner) -> list[Part]:
    """Return what writes the trace of a new card and its contact; nothing where it is not asked for, or is there."""
    if not work.tags or TRACE_STEP in work.done:
        return []
    cards = {on.entity: on.id, **({CONTACT: on.contact} if on.contact else {})}
    entities = [{"TYPE": _TYPES[entity], "ID": id_} for entity, id_ in cards.items()]
    trace = json.dumps({"tags": {"list": work.tags}}, ensure_ascii=False)  # all of a trace that is documented
    asked: Json = {"TRACE": trace, "ENTITIES": entities}
    return [Part(work, TRACE_STEP, "trace", TRACE, asked, _took, _is_spared)]


def _took(part: Part, found: object) -> bool:
    id_ = whole(found)
    if id_:
        part.work.finish(TRACE_STEP, "trace", str(id_))
    return bool(id_)


def _is_spared(part: Part, fault: Fault) -> bool:
    """The source stands on the card whether the portal's analytics have it or not."""
    part.work.remarks.append(Said("no_trace", {"words": words(fault)}))
    part.work.done.add(TRACE_STEP)
    return True
