"""What the texts of a cell become: filled with the last enquiry of the kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.scenario import Scenario, Trigger
from connectors.templates import faults, fill
from connectors.wording import PLACEHOLDERS, values_of
from hub.sentences import told
from hub.store.past_enquiries import PastEnquiry, past_enquiries
from hub.store.tx import Tx
from hub.store.vault import Vault
from tracking_core.numbering_plan import NumberingPlan
from tracking_core.phone import masked

_SPANS = (1, 7, 30)  # days in which the last enquiry is looked for, one after the other


@dataclass(frozen=True, slots=True)
class Sample:
    """An enquiry and what each placeholder becomes with it; the person's number is masked."""

    enquiry: PastEnquiry
    values: Mapping[str, str]

    def of(self, text: str) -> str:
        """Return a text filled; empty where it is none, or wrong."""
        return "" if any(faults(text, PLACEHOLDERS)) else fill(text, self.values)


def sample_of(
    tx: Tx, tenant_id: int, scenario: Scenario, trigger: Trigger, now: datetime, vault: Vault, numbering: NumberingPlan
) -> Sample | None:
    """Return the last enquiry to which this happened, else the last of all; None where there is none."""
    for days in _SPANS:
        found = past_enquiries(tx, tenant_id, now - timedelta(days=days), now, vault, numbering)
        fitting = [one for one in found if any(what is _main(trigger) for what, _ in one.happened)]
        if fitting or (found and days == _SPANS[-1]):
            one = (fitting or found)[-1]
            return Sample(one, _values(one, scenario))
    return None


def _main(trigger: Trigger) -> Trigger:
    return Trigger.MISSED if trigger is Trigger.MISSED_AFTER_HOURS else trigger


def _values(one: PastEnquiry, scenario: Scenario) -> Mapping[str, str]:
    enquiry = replace(one.enquiry, reason=told(scenario.language, one.enquiry.reason))
    values = values_of(enquiry, scenario.language, scenario.timezone)
    return values | ({"caller": masked(enquiry.caller)} if enquiry.caller else {})
