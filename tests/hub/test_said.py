"""What is said of deliveries and holds is kept as codes, and told in the language of who reads it."""

import pytest

from connectors.amocrm import connector
from connectors.telling import Said
from hub.store.said import pack, unpack
from hub.web import telling


def test_what_is_kept_is_read_as_it_was_said() -> None:
    said = (Said("deal_refused"), Said("stage_gone", {"id": "45100002"}))
    assert unpack(pack(*said)) == said
    assert pack() == ""
    assert unpack("") == ()


def test_a_hold_names_its_kind_before_what_was_said() -> None:
    assert unpack(f"forbidden: {pack(Said('blocked'))}") == (Said("blocked"),)


@pytest.mark.parametrize(
    "plain", ["The stage was deleted.", "[broken", "[1]", '["code"]', "{}", "HTTP 400 [status_id]"]
)
def test_a_text_that_is_no_code_is_what_it_says(plain: str) -> None:
    assert unpack(plain) == (Said(plain),)
    assert telling.told(connector, plain, "ru") == plain


def test_a_sentence_is_in_the_readers_language_with_what_to_do_last() -> None:
    kept = pack(Said("deal_refused"), Said("stage_gone", {"id": "7"}))
    russian, english = telling.told(connector, kept, "ru"), telling.plainly(connector, kept)
    assert russian.startswith("amoCRM не создала сделку. В воронке нет этапа, который назван в сценарии (номер 7)")
    assert english.startswith("amoCRM refused the deal. The stage that the scenario names (number 7) does not exist")
    assert english.endswith("press “Send again”.")


def test_the_hubs_own_sentences_and_those_all_connectors_share_name_the_crm() -> None:
    assert telling.told(connector, pack(Said("hub.dark")), "en").startswith("amoCRM took nothing for three days.")
    assert telling.told(None, pack(Said("slow_down")), "en").startswith("CRM asks for fewer requests")


def test_a_connectors_own_words_go_before_those_that_all_share() -> None:
    assert telling.sentence(connector, Said("unpaid"), "ru") == connector.words["ru"]["unpaid"]


def test_a_value_that_was_not_kept_leaves_a_question_mark() -> None:
    assert "(number ?)" in telling.plainly(connector, pack(Said("stage_gone")))
