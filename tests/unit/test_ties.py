"""Visitors are one person by what ties them, and by nothing else: neither by order nor by what is undone."""

from collections.abc import Collection, Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from tracking_core import ties
from tracking_core.ties import MOST_KEYS, MOST_TOGETHER, MOST_VISITORS, Key, TieKind

Tie = tuple[int, Key]


def key(name: int | str, kind: TieKind = TieKind.PHONE) -> Key:
    return Key(kind, str(name))


def people(told: Iterable[Tie]) -> Mapping[int, int | None]:
    """Who is who when these ties hold, by the reading of both sides that the store does too."""
    known = list(told)

    def keys_of(visitor: int) -> Collection[Key]:
        return {one for who, one in known if who == visitor}

    def known_by(one: Key) -> Collection[int]:
        return {who for who, had in known if had == one}

    return ties.people([who for who, _ in known], keys_of, known_by)


def groups(told: Iterable[Tie]) -> set[int]:
    return {person for person in people(told).values() if person is not None}


KEYS = st.builds(key, st.integers(0, 6), st.sampled_from([TieKind.PHONE, TieKind.EMAIL]))
TIES = st.lists(st.tuples(st.integers(1, 14), KEYS), max_size=60, unique=True)


# -- who is one person


def test_a_phone_and_a_desktop_with_one_number_are_one_person() -> None:
    assert people([(7, key("ivan")), (3, key("ivan"))]) == {7: 3, 3: 3}


def test_who_shares_nothing_is_nobody_else() -> None:
    assert people([(1, key("ivan")), (2, key("anna"))]) == {1: None, 2: None}


def test_a_phone_is_not_an_email_of_the_same_fingerprint() -> None:
    assert people([(1, key("x")), (2, key("x", TieKind.EMAIL))]) == {1: None, 2: None}


def test_two_who_share_nothing_are_one_by_a_third() -> None:
    told = [(1, key("a")), (2, key("a")), (2, key("b", TieKind.EMAIL)), (3, key("b", TieKind.EMAIL))]
    assert people(told) == {1: 1, 2: 1, 3: 1}


# -- who is not


def test_a_key_of_many_visitors_joins_nobody() -> None:
    office = [(visitor, key("office")) for visitor in range(1, MOST_VISITORS + 2)]
    assert groups(office[:-1]) == {1}
    assert groups(office) == set()


def test_a_browser_that_many_phones_came_from_joins_nobody() -> None:
    manager = [(1, key(name)) for name in range(MOST_KEYS + 1)]
    clients = [(2 + name, key(name)) for name in range(MOST_KEYS + 1)]
    assert groups(manager[:-1] + clients) == {1}
    assert groups(manager + clients) == set()


def test_keys_of_different_kinds_do_not_make_a_browser_shared() -> None:
    own = [(1, key(name, kind)) for kind in TieKind for name in range(MOST_KEYS)]
    assert groups([*own, (2, key(0))]) == {1}


def test_a_chain_beyond_all_reason_is_nobody() -> None:
    chain = [(n, key(n)) for n in range(1, MOST_TOGETHER + 1)] + [(n + 1, key(n)) for n in range(1, MOST_TOGETHER + 1)]
    assert groups(chain[:MOST_TOGETHER] + chain[MOST_TOGETHER:-1]) == {1}
    assert groups(chain) == set()


# -- laws


@given(told=TIES, order=st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(told: list[Tie], order: object) -> None:
    shuffled = list(told)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert people(shuffled) == people(told)


@given(told=TIES, more=st.tuples(st.integers(1, 14), KEYS))
def test_a_fact_more_or_less_changes_only_the_people_of_its_visitor_and_its_key(told: list[Tie], more: Tie) -> None:
    """The store looks at nobody else when a fact comes or goes."""
    before, after = people(told), people([*told, more])
    beside = {more[0], *(who for who, one in told if one == more[1])}
    near = {state.get(who) for state in (before, after) for who in beside} - {None}
    far = [who for who in before if who not in beside and before[who] not in near and after[who] not in near]
    assert [who for who in far if before[who] != after[who]] == []


@given(told=TIES)
def test_whoever_is_one_person_says_so_of_each_other(told: list[Tie]) -> None:
    def keys_of(visitor: int) -> Collection[Key]:
        return {one for who, one in told if who == visitor}

    def known_by(one: Key) -> Collection[int]:
        return {who for who, had in told if had == one}

    for visitor, _ in told:
        together = ties.one_person(visitor, keys_of, known_by)
        assert all(ties.one_person(other, keys_of, known_by) == together for other in together)


@given(told=TIES)
def test_a_person_is_named_by_his_first_visitor(told: list[Tie]) -> None:
    by_person: dict[int, list[int]] = {}
    for visitor, person in people(told).items():
        if person is not None:
            by_person.setdefault(person, []).append(visitor)
    assert all(person == min(visitors) and len(visitors) > 1 for person, visitors in by_person.items())
