"""What a field becomes that may say something already."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.scenario import Mode, Write
from connectors.writing import JOINED_BY, becomes

MOST = 40


@pytest.mark.parametrize(
    ("mode", "now", "then"),
    [
        (Mode.ALWAYS, "", "yandex"),
        (Mode.ALWAYS, "google", "yandex"),
        (Mode.ALWAYS, "yandex", None),
        (Mode.IF_EMPTY, "", "yandex"),
        (Mode.IF_EMPTY, "google", None),
        (Mode.FIRST, "", "yandex"),
        (Mode.FIRST, "google", None),
        (Mode.APPEND, "", "yandex"),
        (Mode.APPEND, "google", "google; yandex"),
        (Mode.APPEND, "yandex; google", None),
        (Mode.APPEND, "google; direct; organic; referral; email", "direct; organic; referral; email; yandex"),
    ],
)
def test_a_field_is_written_as_it_is_asked(mode, now, then):
    assert becomes(Write("yandex", mode), now, MOST) == then


texts = st.text("abc; ", max_size=60)


@given(st.sampled_from(Mode), texts, texts)
def test_no_field_is_overfilled_and_none_is_written_for_nothing(mode, text, now):
    then = becomes(Write(text, mode), now[:MOST], MOST)
    assert then is None or (0 < len(then) <= MOST and then != now[:MOST])


@given(st.sampled_from(Mode), texts.filter(lambda text: JOINED_BY not in text), texts)
def test_a_second_try_changes_nothing(mode, text, now):
    then = becomes(Write(text, mode), now[:MOST], MOST)
    assert then is None or becomes(Write(text, mode), then, MOST) is None


@given(texts.filter(bool), texts.filter(bool))
def test_nothing_that_a_person_wrote_is_overwritten_where_that_is_not_asked(text, now):
    assert becomes(Write(text, Mode.IF_EMPTY), now, MOST) is None
