"""A visit's code: short, read in any hand, and not to be made up."""

import pytest

from tracking_core.visit_code import code_of, codes_in, visit_of

KEY, OTHER = b"1" * 32, b"2" * 32
IDS = [1, 17, 2**20 - 1, 2**20, 10**12, 2**40 - 1]


@pytest.mark.parametrize("visit_id", IDS)
def test_a_code_names_its_visit(visit_id: int) -> None:
    assert visit_of(code_of(visit_id, KEY), KEY) == visit_id


def test_a_code_has_10_to_14_characters_without_look_alikes() -> None:
    codes = [code_of(visit_id, KEY) for visit_id in IDS]
    assert [len(code) for code in codes] == [10, 10, 10, 11, 14, 14]
    assert set("ilou") & set("".join(codes)) == set()


def test_a_code_is_read_as_people_write_it() -> None:
    code = code_of(2**20 + 33, KEY)  # holds 0 and 1
    assert visit_of(code.upper().replace("0", "O").replace("1", "L"), KEY) == 2**20 + 33


def test_a_code_by_another_key_names_nobody() -> None:
    assert visit_of(code_of(17, OTHER), KEY) is None


def test_a_code_for_the_next_visit_cannot_be_made_from_ones_own() -> None:
    code = code_of(17, KEY)
    assert visit_of("000j" + code[4:], KEY) is None
    assert visit_of("0" + code, KEY) is None  # nor the same visit's in another spelling


@pytest.mark.parametrize("text", ["", "short", "0" * 10, "u" * 10, "0" * 15, "№№№№№№№№№№", "000h-hy05yp"])
def test_what_is_no_code_names_nobody(text: str) -> None:
    assert visit_of(text, KEY) is None


def test_codes_are_found_among_words() -> None:
    first, second = code_of(17, KEY), code_of(2**40 - 1, KEY)
    text = f"Здравствуйте! (№ {first.upper()}) sales+{second}@okna.example {second}9 {first[1:]}"
    assert list(codes_in(text)) == [first, second]
