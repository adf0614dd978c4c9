"""A server on loopback that answers as the test scripted it."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass(frozen=True)
class Heard:
    """One request as it arrived; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Scripted:
    """Answers with `statuses` in turn, then with 200; 0 closes the connection without an answer."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): told for name, told in self.headers.items()}
            script.heard.append(Heard(self.path, headers, body))
            status = script.statuses.pop(0) if script.statuses else 200
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST

        def log_message(self, *said: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *said: object) -> None:
            """A client that goes away is part of the test."""

    server = Quiet(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield script
    server.shutdown()
    server.server_close()
    thread.join()
