"""The world outside repeats what the hub did not take, and stops at a refusal."""

from typing import Any

import pytest

from sandbox.demo.door import Door, Letter, NoAnswer


@pytest.mark.parametrize("trouble", [503, 0])
def test_a_request_is_repeated_until_it_is_answered(scripted: Any, trouble: int) -> None:
    scripted.statuses += [trouble, trouble, 204]
    with Door(scripted.url, pause=lambda seconds: None) as door:
        answer = door.send("POST", "/dni/v1/hb", Letter(b"{}"))

        assert (answer.status, door.repeats, len(scripted.heard)) == (204, 2, 3)


def test_a_server_that_does_not_listen_is_waited_for(scripted: Any) -> None:
    pauses: list[float] = []

    def come_back(seconds: float) -> None:
        pauses.append(seconds)
        door._connection.port = int(scripted.url.rpartition(":")[2])

    with Door("http://127.0.0.1:1", pause=come_back) as door:
        answer = door.get("/health")

    assert (answer.status, len(pauses)) == (200, 1)


def test_a_refusal_is_not_repeated(scripted: Any) -> None:
    scripted.statuses.append(404)
    with Door(scripted.url) as door:
        assert (door.get("/nowhere").status, len(scripted.heard)) == (404, 1)


def test_an_unexpected_answer_is_quoted(scripted: Any) -> None:
    scripted.statuses.append(409)
    with Door(scripted.url) as door, pytest.raises(NoAnswer) as refused:
        door.get("/api/v1/calls", {"after": 0}).expect(200)

    assert str(refused.value) == "GET /api/v1/calls was answered with 409: {}"


def test_a_token_goes_with_each_request(scripted: Any) -> None:
    with Door(scripted.url, token="secret") as door:
        door.get("/api/v1/status")

    assert scripted.heard[0].headers["authorization"] == "Bearer secret"
