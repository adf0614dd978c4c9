"""What is sealed opens where it was sealed, with a key of the ring, and nowhere else."""

import base64
import stat
import threading
from pathlib import Path

import pytest

from hub.errors import KeyRingInvalid
from hub.store.vault import Unopenable, Vault, new_key, read_ring, ring_in

OLD, NEW = b"o" * 32, b"n" * 32
VAULT = Vault({"k1": OLD})
PLACE = (1, 31, "access_token")


def b64(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.mark.parametrize("clear", ["secret", "", "Окна 🔥", "x" * 100_000], ids=["short", "empty", "unicode", "long"])
def test_what_is_sealed_opens_in_its_place(clear: str) -> None:
    assert VAULT.open(VAULT.seal(clear, *PLACE), *PLACE) == clear


def test_a_sealed_value_does_not_show_what_it_holds() -> None:
    assert b"canary" not in VAULT.seal("canary", *PLACE)


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert VAULT.seal("x", *PLACE) != VAULT.seal("x", *PLACE)


@pytest.mark.parametrize(
    "place",
    [(2, 31, "access_token"), (1, 32, "access_token"), (1, 31, "refresh_token"), (1, 31), (13, 1, "access_token")],
)
def test_a_value_moved_to_another_tenant_row_or_column_does_not_open(place: tuple[object, ...]) -> None:
    with pytest.raises(Unopenable):
        VAULT.open(VAULT.seal("x", *PLACE), *place)


def test_every_changed_byte_is_noticed() -> None:
    sealed = VAULT.seal("x", *PLACE)
    for index in range(len(sealed)):
        changed = bytearray(sealed)
        changed[index] ^= 1
        with pytest.raises(Unopenable):
            VAULT.open(bytes(changed), *PLACE)


@pytest.mark.parametrize("length", range(0, 90, 7))
def test_a_cut_value_is_noticed(length: int) -> None:
    with pytest.raises(Unopenable):
        VAULT.open(VAULT.seal("x", *PLACE)[:length], *PLACE)


def test_the_refusal_names_the_place_and_not_the_value() -> None:
    with pytest.raises(Unopenable, match=r"1\.31\.access_token") as caught:
        Vault({"k1": NEW}).open(VAULT.seal("canary", *PLACE), *PLACE)
    assert "canary" not in str(caught.value)


def test_a_new_first_key_seals_while_the_old_one_still_opens() -> None:
    rotated = Vault({"k2": NEW, "k1": OLD})
    assert rotated.open(VAULT.seal("x", *PLACE), *PLACE) == "x"
    with pytest.raises(Unopenable):
        VAULT.open(rotated.seal("x", *PLACE), *PLACE)


def test_a_fingerprint_stays_when_a_key_is_added_and_differs_by_tenant() -> None:
    same = VAULT.fingerprint("+79161234567", 1)
    assert Vault({"k2": NEW, "k1": OLD}).fingerprint("+79161234567", 1) == same
    assert VAULT.fingerprint("+79161234567", 2) != same
    assert "9161234567" not in same


def test_the_keys_are_not_shown() -> None:
    assert "oooo" not in repr(VAULT)


def test_a_ring_is_read_in_its_order() -> None:
    ring = read_ring(f" k2:{b64(NEW)} ,k1:{b64(OLD)},").ring
    assert list(ring.items()) == [("k2", NEW), ("k1", OLD)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("nonsense", "id:base64"),
        (":" + b64(NEW), "id:base64"),
        ("k1:" + b64(b"short"), "id:base64"),
        ("k1:" + b64(NEW)[:-4] + "!!!=", "id:base64"),
        ("k" * 33 + ":" + b64(NEW), "id:base64"),
        ("ключ:" + b64(NEW), "id:base64"),
        (f"k1:{b64(NEW)},k1:{b64(OLD)}", "twice"),
        ("k1:" + b64(b"\0" * 32), "sample key"),
    ],
    ids=["empty", "no_colon", "no_id", "short", "no_base64", "long_id", "id_not_ascii", "id_twice", "sample"],
)
def test_a_ring_that_cannot_be_used_is_refused_without_showing_it(text: str, sentence: str) -> None:
    with pytest.raises(KeyRingInvalid, match=sentence) as caught:
        read_ring(text)
    assert b64(NEW) not in str(caught.value)


def test_a_new_key_is_a_ring() -> None:
    assert read_ring(new_key()).ring != read_ring(new_key()).ring


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = ring_in(folder)
    assert ring_in(folder).ring == first.ring
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    rings: list[dict[str, bytes]] = []
    threads = [threading.Thread(target=lambda: rings.append(ring_in(tmp_path).ring)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rings) == 8
    assert all(ring == rings[0] for ring in rings)


def test_an_empty_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("\n")
    with pytest.raises(KeyRingInvalid, match=str(tmp_path / "keys")):
        ring_in(tmp_path)
