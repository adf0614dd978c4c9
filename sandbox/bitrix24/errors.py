"""Error bodies of Bitrix24 (sheet sections 1.6, 3.5, 3.6) and the exception that carries one."""

from collections.abc import Mapping

from sandbox.wire import Answer, json_answer

JSON = "application/json; charset=utf-8"
CORE = "ERROR_CORE"


class Refusal(Exception):
    """Carries one refusal out of wherever it was found: HTTP status, code and text of the error body."""

    def __init__(self, status: int, code: object, text: str, more: Mapping[str, object] | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.status, self.code, self.text, self.more = status, code, text, dict(more or {})

    def body(self) -> dict[str, object]:
        """Returns the error body, which inside a batch stands without its status."""
        return {"error": self.code, "error_description": self.text, **self.more}

    def answer(self) -> Answer:
        """Returns the whole answer."""
        return json_answer(self.status, self.body(), JSON)


def core(text: str) -> Refusal:
    """Returns the generic refusal of a method: 400 ERROR_CORE."""
    return Refusal(400, CORE, text)


def missing(name: str) -> Refusal:
    """Returns the refusal of an absent required parameter: 400 with the code 100."""
    return Refusal(400, "100", f"Could not find value for parameter {{{name}}}")


def not_found(text: str = "Not found") -> Refusal:
    """Returns the old family's refusal of an unknown object: an empty code."""
    return Refusal(400, "", text)


def gateway_page(status: int, words: str) -> Answer:
    """Returns the HTML page of the gateway in front of a portal."""
    told = f"{status} {words}"
    page = f"<html>\r\n<head><title>{told}</title></head>\r\n<body><center><h1>{told}</h1></center></body></html>\r\n"
    return Answer(status, page.encode(), "text/html")
