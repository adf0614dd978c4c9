"""A door in front of a server that a test shuts and opens: to whoever comes through it, the server goes away."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from sqlalchemy.engine import make_url

_PIECE = 65_536


class Proxy:
    """Passes on what comes to a port of loopback, while it is open."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._through: set[socket.socket] = set()
        self._listen()

    def shut(self) -> None:
        """Cut every connection, in the middle of whatever is said, and refuse new ones."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in list(self._through):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        """Let everybody through again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listen()

    def _listen(self) -> None:
        threading.Thread(target=self._take, args=(self._listener,), daemon=True).start()

    def _take(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it was shut
            while True:
                here, _ = listener.accept()
                there = socket.create_connection(self._server)
                self._through |= {here, there}
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, told: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := told.recv(_PIECE):
                to.sendall(piece)
        for end in (told, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        told.close()
        self._through.discard(told)


@contextlib.contextmanager
def before(url: str) -> Iterator[tuple[Proxy, str]]:
    """Put a proxy before a PostgreSQL; yield it, and the URL that leads through it."""
    parsed = make_url(url)
    proxy = Proxy(parsed.host or "127.0.0.1", parsed.port or 5432)
    try:
        yield proxy, parsed.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    finally:
        proxy.shut()
