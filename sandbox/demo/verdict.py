"""The verdict on a company's day: its figures, and what must hold of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.demo.cast import Played
from sandbox.demo.company import Company
from sandbox.demo.gestures import GestureKind
from sandbox.demo.people import Consent
from sandbox.demo.plan import Day
from sandbox.demo.truth import (
    Lost,
    crm_revenue_minor,
    doubled_contacts,
    doubled_deals,
    forms_of_their_visitors,
    judge_matches,
    lost_calls,
    lost_forms,
    read_call,
    read_forms,
    unproven,
)

FORESEEN = 0.995  # of the deliveries that a trial of the rules foresees, at least
MOST = 0.9  # of all deliveries must be among them


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold at the end of the day; `sentence` says what is wrong when it does not."""

    name: str
    is_met: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one company: figures for machines, expectations for both; the story of its CRM and the ROI rows for people."""

    company: Company
    figures: Mapping[str, Any]
    expectations: Sequence[Expectation]
    rows: Sequence[Mapping[str, Any]]
    total: Mapping[str, Any]
    story: Sequence[str]

    @property
    def failures(self) -> Sequence[str]:
        """One sentence for each expectation that is not met."""
        return [f"{self.company.name}: {one.sentence}" for one in self.expectations if not one.is_met]

    def as_json(self) -> dict[str, Any]:
        """Returns what `--json` tells of the company."""
        met = {one.name: one.is_met for one in self.expectations}
        return {"company": self.company.name, "crm": self.company.crm.value, **self.figures, "expectations": met}


def judge(day: Day, played: Played) -> Verdict:
    """Compares a company's day with what it left behind."""
    told = {call.provider_call_id: call for call in map(read_call, played.hub_calls)}
    forms = read_forms(played.hub_enquiries)
    lost = (*lost_calls(day.calls, told, played.crm), *lost_forms(day.forms, forms, played.crm))
    figures = {
        **_of_enquiries(day, played, lost),
        **_of_matches(day, played),
        **_of_sales(played),
        **_of_trials(played),
        **_of_browsers(day, played),
        "install_answer_ms": round(played.connection.answer_ms, 1),
        "requests_crm": played.traffic.requests,
        "throttled": played.traffic.throttled,
        "refused_crm": played.traffic.refused,
        "failed_crm": played.traffic.failed,
        "refused": played.forged_refused,
        "seen_of_others": played.seen_of_others,
    }
    details = [f"{one.provider_call_id}: {one.why}" for one in lost]
    found = expect(day, played, figures, details)
    return Verdict(day.company, figures, found, played.report["rows"], played.report["total"], played.connection.story)


def _of_enquiries(day: Day, played: Played, lost: Sequence[Lost]) -> dict[str, Any]:
    forms = read_forms(played.hub_enquiries)
    return {
        "visits": played.hub_status.visits,
        "sources": day.sources,
        "calls": played.hub_status.calls,
        "forms": len(forms),
        "forms_right": forms_of_their_visitors(day.forms, played.browsers.tokens, forms, played.crm),
        "calls_lost": max(len(lost), unproven(day.calls, day.forms, played.crm)),
    }


def _of_matches(day: Day, played: Played) -> dict[str, Any]:
    told = {call.provider_call_id: call for call in map(read_call, played.hub_calls)}
    matching = judge_matches(day.calls, played.browsers.tokens, told)
    return {
        "matched": matching.right + matching.wrong,
        "matched_right": matching.right,
        "matched_wrong": matching.wrong,
        "unmatched": matching.unmatched,
        "unmatched_rightly": matching.unmatched_rightly,
        "by_reason": matching.by_reason,
        "named": played.accuracy["named"],
        "named_rightly": matching.named_rightly,
        "named_rightly_told": played.accuracy["expected"],
        "checked": played.accuracy["check"]["tested"],
        "checked_rightly": played.accuracy["check"]["right"],
    }


def _of_sales(played: Played) -> dict[str, Any]:
    total = played.report["total"]
    return {
        "contacts": played.crm.contacts,
        "contacts_duplicated": doubled_contacts(played.crm),
        "deals": len(played.crm.ours),
        "deals_duplicated": len(doubled_deals(played.crm)),
        "tasks": played.crm.tasks,
        "won": sum(deal.is_won for deal in played.crm.ours),
        "paid": sum(deal.paid > 0 for deal in played.crm.ours),
        "deal_moves": played.moves,
        "revenue_minor": total["revenue_minor"],
        "revenue_crm_minor": crm_revenue_minor(played.crm),
        "spend_minor": total["spend_minor"],
        "romi_percent": total["romi_percent"],
    }


def _of_trials(played: Played) -> dict[str, Any]:
    return {
        "deliveries": sum(played.hub_status.deliveries.values()),
        "foreseen_of": played.foreseen.known,
        "foreseen": played.foreseen.same,
        "late_enquiries": played.foreseen_late.enquiries,
        "foreseen_late_of": played.foreseen_late.known,
        "foreseen_late": played.foreseen_late.same,
    }


def _of_browsers(day: Day, played: Played) -> dict[str, Any]:
    return {
        "overflow_visits": len(played.browsers.overflowed),
        "anonymous_visits": day.visits_with(Consent.ANONYMOUS),
        "opted_out_visits": day.visits_with(Consent.OFF),
        "taps": played.browsers.gestures[GestureKind.TAP],
        "copies": played.browsers.gestures[GestureKind.COPY],
        "pages_tested": len(played.browsers.tested),
        "numbers_wasted": played.browsers.wasted,
    }


def expect(day: Day, played: Played, figures: Mapping[str, Any], lost: Sequence[str]) -> Sequence[Expectation]:
    """Returns what must hold of a day's figures; `lost` names the lost calls and forms."""
    spent = sum(one.cost_minor for one in day.spend)
    named = f" ({'; '.join(lost[:5])})" if lost else ""
    return (
        Expectation("calls_lost", figures["calls_lost"] == 0, f"{figures['calls_lost']} enquiries are lost{named}."),
        Expectation(
            "deals_duplicated",
            figures["deals_duplicated"] == 0,
            f"{figures['deals_duplicated']} deals are there twice.",
        ),
        Expectation(
            "accuracy",
            abs(figures["named_rightly"] - figures["named_rightly_told"]) <= max(5, 0.1 * figures["named"]),
            f"The hub takes {figures['named_rightly_told']} of {figures['named']} calls for rightly matched,"
            f" in truth it is {figures['named_rightly']}.",
        ),
        Expectation(
            "revenue",
            figures["revenue_minor"] == figures["revenue_crm_minor"],
            f"The report's revenue is {figures['revenue_minor']}, but the CRM's deals brought"
            f" {figures['revenue_crm_minor']}.",
        ),
        Expectation(
            "spend",
            figures["spend_minor"] == spent,
            f"The report's spend is {figures['spend_minor']}, but {spent} was imported.",
        ),
        Expectation(
            "visits",
            figures["visits"] >= day.visits_told,
            f"The hub counts {figures['visits']} visits of {day.visits_told}.",
        ),
        Expectation(
            "numbers_wasted",
            played.browsers.wasted == 0,
            f"{played.browsers.wasted} numbers were given to robots, the office or people who did not agree.",
        ),
        Expectation(
            "calls",
            figures["calls"] == len(day.calls),
            f"The hub counts {figures['calls']} calls of {len(day.calls)}.",
        ),
        Expectation(
            "forms",
            figures["forms"] == figures["forms_right"] == len(day.forms),
            f"The hub counts {figures['forms']} forms of {len(day.forms)}, and gives {figures['forms_right']} of them"
            " to who wrote them.",
        ),
        Expectation(
            "foreseen",
            _foresees(figures["deliveries"], figures["foreseen_of"], figures["foreseen"])
            and _foresees(figures["late_enquiries"], figures["foreseen_late_of"], figures["foreseen_late"]),
            f"A trial of the rules foresees {figures['foreseen']} of {figures['foreseen_of']} deliveries, and"
            f" {figures['foreseen_late']} of {figures['foreseen_late_of']} of the day's last part; there are"
            f" {figures['deliveries']}.",
        ),
        Expectation(
            "throttled",
            figures["throttled"] == 0,
            f"The CRM asked the hub {figures['throttled']} times to be slower.",
        ),
        Expectation(
            "forged_refused",
            played.forged == played.forged_refused,
            f"{played.forged - played.forged_refused} forged call events were not refused.",
        ),
        Expectation(
            "walls",
            figures["seen_of_others"] == 0,
            f"Its owner was shown {figures['seen_of_others']} times what is another company's.",
        ),
    )


def _foresees(there: int, known: int, same: int) -> bool:
    return known >= MOST * there > 0 and same >= FORESEEN * known
