"""Error bodies of amoCRM (sheet sections 1.4, 5.3, 5.4) and the exception that carries one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.wire import Answer, json_answer

PROBLEM = "application/problem+json"
HTML_403 = (
    b"<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n"
    b"<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}
NOT_A_CHOICE = "The value you selected is not a valid choice."
UNAUTHORIZED = "Неверный логин или пароль"
EMPTY = "Request data can not be empty"


class Refusal(Exception):
    """Carries the error answer of a request out of wherever it was found."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def problem(status: int, detail: str, **more: object) -> Answer:
    """Returns the problem+json body of `status` (sheet 5.4)."""
    body = {
        "title": TITLES[status],
        "type": f"https://httpstatus.es/{status}",
        "status": status,
        "detail": detail,
        **more,
    }
    return json_answer(status, body, PROBLEM)


def refuse(status: int, detail: str) -> Refusal:
    """Returns a Refusal with a problem+json body, to be raised."""
    return Refusal(problem(status, detail))


def oauth_problem(status: int, hint: str) -> Answer:
    """Returns the token endpoint's error body (sheet 1.4)."""
    body = {
        "hint": hint,
        "title": "Некорректный запрос",
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
        "status": status,
        "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
    }
    return json_answer(status, body, PROBLEM)


def gateway_page(status: int, words: str) -> Answer:
    """Returns the HTML page a gateway in front of amoCRM gives."""
    told = f"{status} {words}"
    page = f"<html>\r\n<head><title>{told}</title></head>\r\n<body><h1>{told}</h1></body></html>\r\n"
    return Answer(status, page.encode(), "text/html")


def block_page() -> Answer:
    """Returns the 403 of a blocked account or address: HTML, not JSON (sheet 2)."""
    return Answer(403, HTML_403, "text/html")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One validation error; `path` is dotted and relative to its item."""

    code: str
    path: str
    detail: str = NOT_A_CHOICE


@dataclass(slots=True)
class Flaws:
    """Collects the flaws of one item while it is read."""

    found: list[Flaw] = field(default_factory=list)

    def type(self, path: str, wanted: str) -> None:
        """Notes a value of the wrong type."""
        self.found.append(Flaw("InvalidType", path, f"This value should be of type {wanted}."))

    def choice(self, path: str) -> None:
        """Notes a value that is not among the allowed ones."""
        self.found.append(Flaw("NotSupportedChoice", path))

    def missing(self, code: str, path: str) -> None:
        """Notes an absent mandatory key; `code` is a switch because its name is not documented."""
        self.found.append(Flaw(code, path, "This field is missing."))

    def other(self, code: str, path: str, detail: str) -> None:
        """Notes any other flaw."""
        self.found.append(Flaw(code, path, detail))


def validation_answer(flawed: Sequence[tuple[object, Sequence[Flaw]]]) -> Answer:
    """Returns the 400 of sheet 5.3 for pairs of request_id and flaws."""
    errors = [
        {
            "request_id": request_id,
            "errors": [{"code": flaw.code, "path": flaw.path, "detail": flaw.detail} for flaw in flaws],
        }
        for request_id, flaws in flawed
    ]
    body = {
        "validation-errors": errors,
        "title": TITLES[400],
        "type": "https://httpstatus.es/400",
        "status": 400,
        "detail": "Request validation failed",
    }
    return json_answer(400, body, PROBLEM)
