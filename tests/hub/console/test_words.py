"""Both languages say the same things, every text the pages ask for exists, and figures look as people write them."""

import re
import string
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

import pytest

from connectors.protocol import Can, Facts, Pipeline, Stage, Status, Why
from connectors.scenario import CallerState, ScenarioError, Trigger, read_scenario
from hub import report
from hub.delivery.retry import State
from hub.gaps import Gap
from hub.reconcile_crm import Unchecked
from hub.sentences import told
from hub.store import accuracy, enquiry_rows
from hub.store.ledger import Kind
from hub.store.ledger_chain import Flaw, What
from hub.web import words
from hub.web.console import period, report_page
from hub.web.console.formats import Formats
from hub.web.words import LANGUAGES, Words
from hub.web.words.said import hub_words
from tracking_core import enquiry as writing
from tracking_core import match as matching
from tracking_core import qualify
from tracking_core.calibration import Word
from tracking_core.call import Call, CallStatus, Direction
from tracking_core.call_event import CallEventKind
from tracking_core.channel import Channel
from tracking_core.enquiry import EnquiryKind
from tracking_core.habits import Interest
from tracking_core.match import LeaseSpan, MatchReason, Remembered, StaticNumber
from tracking_core.ties import TieKind

RU, EN = LANGUAGES["ru"], LANGUAGES["en"]
WEB = Path(words.__file__).parent.parent
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts() -> None:
    assert RU.keys() == EN.keys()


def test_a_text_takes_the_same_values_in_both_languages() -> None:
    assert [key for key in RU if placeholders(RU[key]) != placeholders(EN[key])] == []


def test_a_counting_text_has_three_forms_in_russian_and_two_in_english() -> None:
    for key in RU:
        if "|" in RU[key] or "|" in EN[key]:
            assert (len(RU[key].split("|")), len(EN[key].split("|"))) == (3, 2), key


def asked_for() -> Iterable[tuple[str, str]]:
    for path in (*WEB.glob("templates/*.html"), *WEB.glob("console/*.py")):
        text = path.read_text()
        for key in re.findall(r"""\b(?:t|words)(?:\.count)?\(\s*["']([\w.]+)["']\s*[,)]""", text):
            yield path.name, key
        for key in re.findall(r"""["']((?:error|login|report|why|outcome_why|nav)\.[a-z_.]+[a-z])["']""", text):
            if key not in ("error.title", "error.say") and not key.endswith(".html"):
                yield path.name, key


def test_every_text_that_a_page_asks_for_exists() -> None:
    asked = list(asked_for())
    assert len(asked) > 150
    assert [(place, key) for place, key in asked if key not in RU] == []


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("status", CallStatus),
        ("direction", Direction),
        ("kind", CallEventKind),
        ("channel", Channel),
        ("reason", MatchReason),
        ("person.same", TieKind),
        ("person.shared", TieKind),
        ("state", State),
        ("chip", State),
        ("why", [one for one in State if one is not State.READY]),
        ("deliveries.none", State),
        ("deliveries.none_say", State),
        ("outcome_why", Why),
        ("try", Status),
        ("can", Can),
        ("trigger", Trigger),
        ("caller_state", CallerState),
        ("enquiries.show", enquiry_rows.FILTERS),
        ("enquiries.clear", enquiry_rows.FILTERS),
        ("enquiry_kind", EnquiryKind),
        ("enquiry_head", EnquiryKind),
        ("period", period.PERIODS),
        ("report.column", report_page.COLUMNS),
        ("report.about", report_page.COLUMNS),
        ("report.model_name", report.MODELS),
        ("report.model_about", report.MODELS),
        ("accuracy.word", Word),
        ("accuracy.witness", accuracy.WITNESSES),
        ("accuracy.delay", [str(n) for n in range(len(accuracy.DELAYS) + 1)]),
        ("ledger_kind", Kind),
        ("gap", Gap),
        ("gap_do", Gap),
        ("not_checked", Unchecked),
        ("report.caveat", ["few_journeys", "put_together"]),
    ],
)
def test_every_value_has_words(family: str, values: Iterable[str | StrEnum]) -> None:
    assert [value for value in values if f"{family}.{value}" not in RU] == []


def test_a_value_without_words_stands_for_itself() -> None:
    assert Words("ru").of("channel", "carrier_pigeon") == "carrier_pigeon"


def test_the_states_that_the_store_speaks_of_are_the_queues() -> None:
    assert set(enquiry_rows.UNSETTLED) == set(State) - {State.DELIVERED, State.DROPPED}


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 кампания"), (2, "2 кампании"), (5, "5 кампаний"), (11, "11 кампаний"), (21, "21 кампания")]
)
def test_russian_counts(n: int, said: str) -> None:
    assert Words("ru").count("report.campaigns", n) == said


# -- sentences of the core


def lease(visitor: str, started: int, seen: int, exclusive: int, ended: int | None = None) -> LeaseSpan:
    def ago(minutes: int) -> datetime:
        return NOW - timedelta(minutes=minutes)

    return LeaseSpan(
        "+7", visitor, visitor, ago(started), ago(seen), ago(exclusive), None if ended is None else ago(ended)
    )


def of_region(caller: str, visit: str) -> str:
    held = replace(lease("a", 10, 0, -10), region=visit)
    return matching.match("+7", "+79", NOW, [held], None, None, caller_region=caller).reason_words


def sentences_of_matching() -> list[str]:
    known = Remembered("a", "a", NOW - timedelta(days=2), 0.9)
    cases = [
        ([lease("a", 10, 0, -10)], None, None),
        ([lease("a", 30, 14, -10)], None, None),
        ([lease("a", 10, 1, -10), lease("b", 12, 1, -10)], None, None),
        ([lease("a", 300, 240, 200)], None, None),
        ([lease("a", 90, 20, 5)], None, None),
        ([lease("a", 90, 1, 0)], None, None),
        ([], None, None),
        ([], StaticNumber("+7", "1", "billboard"), None),
        ([], None, known),
    ]
    found = [matching.match("+7", "+79", NOW, *case).reason_words for case in cases]
    found += [of_region(caller, visit) for caller, visit in (("RU-MOW", "RU-MOW"), ("RU-MOW", "RU-TA"))]
    tapped = replace(lease("a", 10, 0, -10), taps=(NOW - timedelta(seconds=7),))
    earlier = [lease("a", 60, 50, 40, 30), replace(lease("b", 30, 20, 10), interest=Interest.CALLED, region="RU-TA")]
    found.append(matching.match("+7", "+79", NOW, [tapped], None, None).reason_words)
    by_nobody = matching.match("+7", "+79", NOW, [], None, None)
    found += [writing.corrected(by_nobody, visit, visit).reason_words for visit in ("1", None)]
    found.append(matching.match("+7", "+79", NOW, earlier, None, None, caller_region="RU-MOW").reason_words)
    return [*found, matching.match("+7", None, NOW, [], None, None, evidence=matching.Evidence("1")).reason_words]


def call(status: CallStatus, direction: Direction = Direction.INBOUND, talk_s: int = 40, ended: bool = True) -> Call:
    return Call(
        provider_call_id="1", direction=direction, did=None, caller="+7916", caller_anonymous=False, started_at=NOW,
        answered_at=None, ended_at=NOW if ended else None, settles_at=None, talk_s=talk_s, wait_s=0, status=status,
        operator=None, first_operator=None, rung=(), rung_since=None, recording_url=None, recording_id=None, visit_id=None,
        durations_differ=False,
    )  # fmt: skip


def sentences_of_writing() -> list[str]:
    known = Remembered("1", "1", NOW - timedelta(days=3), 1.0)
    matches = [
        writing.match("1", "1", None, NOW),
        writing.match(None, None, known, NOW),
        writing.match(None, None, None, NOW),
    ]
    writer, lists = writing.Writer("+7916"), frozenset({"+7916"})
    verdicts = [
        writing.qualify(EnquiryKind.FORM, NOW, writing.Writer(), qualify.Rules(), came_before=False),
        writing.qualify(EnquiryKind.FORM, NOW, writer, qualify.Rules(), came_before=False),
        writing.qualify(EnquiryKind.CHAT, NOW, writing.Writer(), qualify.Rules(), came_before=False),
        writing.qualify(EnquiryKind.FORM, NOW, writer, qualify.Rules(staff=lists), came_before=False),
        writing.qualify(EnquiryKind.FORM, NOW, writer, qualify.Rules(spam=lists), came_before=False),
        writing.qualify(EnquiryKind.FORM, NOW, writer, qualify.Rules(first_time_only=True), came_before=True),
    ]
    return [*(one.reason_words for one in matches), *(one.why for one in verdicts)]


def sentences_of_judging() -> list[str]:
    answered, missed, plain = call(CallStatus.ANSWERED), call(CallStatus.MISSED), qualify.Rules()
    back, made = qualify.Rules(called_back_within_s=60), [qualify.CallBack(NOW + timedelta(seconds=30), 50)]
    late = [qualify.CallBack(NOW + timedelta(seconds=90), 50)]
    verdicts = [
        qualify.qualify(answered, plain),
        qualify.qualify(call(CallStatus.ANSWERED, talk_s=3), plain),
        qualify.qualify(missed, plain),
        qualify.qualify(missed, back),
        qualify.qualify(missed, back, back=qualify.CallBacks(made)),
        qualify.qualify(missed, back, back=qualify.CallBacks(late)),
        qualify.qualify(missed, back, back=qualify.CallBacks(made, [qualify.Waiting("call", NOW, NOW)])),
        qualify.qualify(call(CallStatus.RINGING, ended=False), plain),
        qualify.qualify(call(CallStatus.ANSWERED, Direction.OUTBOUND), plain),
        qualify.qualify(call(CallStatus.ANSWERED, Direction.INTERNAL), plain),
        qualify.qualify(answered, qualify.Rules(staff=frozenset({"+7916"}))),
        qualify.qualify(answered, qualify.Rules(spam=frozenset({"+7916"}))),
        qualify.qualify(answered, qualify.Rules(first_time_only=True), called_before=True),
        qualify.qualify(replace(answered, wait_s=5), qualify.Rules(answered_within_s=0)),
        qualify.qualify(answered, qualify.Rules(kinds=frozenset({"form"}))),
        qualify.qualify(answered, qualify.Rules(hours=qualify.Hours(frozenset(), time(9), time(18), "UTC"))),
    ]
    return [verdict.why for verdict in verdicts]


def sentences_of_rules() -> list[str]:
    stages = (Stage("1", "Новая", "open"), Stage("2", "Новая", "open"))
    facts = Facts("31", "Ромашка", "RUB", (Pipeline("5", "Продажи", stages),), {"7": "Пётр"}, {})
    said = []
    for place in ("pipeline: Сервис", "pipeline: Продажа", "stage: Звонок", "stage: Новая", "responsible: Иван"):
        with pytest.raises(ScenarioError) as caught:
            read_scenario(
                f"name: А\n{place}\nanswered: {{unknown: [{{deal: {{name: Б}}}}]}}", "scenario version 3", facts
            )
        said += caught.value.problems
    return said


def sentences_of_the_ledger() -> list[str]:
    return [Flaw(3, what).sentence for what in What]


@pytest.mark.parametrize(
    "sentence",
    [
        *sentences_of_matching(),
        *sentences_of_writing(),
        *sentences_of_judging(),
        *sentences_of_rules(),
        *sentences_of_the_ledger(),
    ],
)
def test_every_sentence_of_the_core_has_russian_words(sentence: str) -> None:
    russian = told("ru", sentence).replace("billboard", "")
    assert not re.search("[A-Za-z]", russian), russian


def test_a_sentence_we_have_no_words_for_stays_as_it_is() -> None:
    assert told("ru", "Something new.") == "Something new."


# -- figures


@pytest.mark.parametrize(
    ("language", "currency", "minor", "said"),
    [
        ("ru", "RUB", 123_456_700, "1 234 567,00 ₽"),
        ("ru", "RUB", -105, "−1,05 ₽"),
        ("ru", "RUB", 0, "0,00 ₽"),
        ("ru", "BYN", 150, "1,50 BYN"),
        ("ru", "RUB", None, "—"),
        ("en", "RUB", 123_456_700, "₽1,234,567.00"),
        ("en", "USD", -105, "−$1.05"),
        ("en", "BYN", 150, "BYN 1.50"),
        ("en", "USD", None, "—"),
    ],
)
def test_money_looks_as_people_write_it(language: str, currency: str, minor: int | None, said: str) -> None:
    assert Formats(Words(language), "UTC", currency).money(minor).replace("\u00a0", " ") == said


def test_money_never_breaks_over_lines() -> None:
    assert " " not in Formats(Words("ru"), "UTC", "RUB").money(123_456_700)


@pytest.mark.parametrize(
    ("language", "share", "said"),
    [("ru", 0.256, "26 %"), ("en", 0.256, "26%"), ("ru", None, "—"), ("ru", -0.001, "0 %")],
)
def test_shares(language: str, share: float | None, said: str) -> None:
    assert Formats(Words(language), "UTC", "RUB").percent(share).replace("\u00a0", " ") == said


def test_a_gain_has_its_sign() -> None:
    formats = Formats(Words("en"), "UTC", "RUB")
    assert [formats.signed_percent(share) for share in (1.5, 0.0, -0.4)] == ["+150%", "0%", "−40%"]


def test_moments_are_in_the_zone_of_the_site() -> None:
    late = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    assert Formats(Words("ru"), "Europe/Moscow", "RUB").moment(late) == "21.11.2026, 01:30"
    assert Formats(Words("en"), "Europe/Moscow", "RUB").moment(late) == "21 Nov 2026, 01:30"


def test_a_moment_of_another_day_says_its_day() -> None:
    formats = Formats(Words("ru"), "UTC", "RUB")
    assert formats.when(NOW, NOW) == "сегодня в 12:00"
    assert formats.when(NOW, NOW + timedelta(days=1)) == "20.11.2026, 12:00"
    assert formats.beside(NOW, NOW + timedelta(days=1)) == "20.11.2026, 12:00"


@pytest.mark.parametrize(
    ("seconds", "said"), [(9, "9 с"), (125, "2 мин 05 с"), (3_720, "1 ч 02 мин"), (-4, "0 с"), (None, "—")]
)
def test_durations(seconds: int | None, said: str) -> None:
    assert Formats(Words("ru"), "UTC", "RUB").duration(seconds).replace("\u00a0", " ") == said


# -- what the hub itself says by codes


def test_both_languages_have_the_hubs_own_sentences_with_the_same_values() -> None:
    russian, english = hub_words["ru"], hub_words["en"]
    assert russian.keys() == english.keys()
    both = {
        code: [placeholders(f"{one.what} {one.to_do}") for one in (russian[code], english[code])] for code in russian
    }
    assert [code for code, (first, second) in both.items() if first != second] == []


def test_what_the_hub_says_has_words_and_no_words_are_left_over() -> None:
    said = {code for path in WEB.parent.rglob("*.py") for code in re.findall(r'Said\("(hub\.\w+)"', path.read_text())}
    assert said == hub_words["ru"].keys()
