"""Which database transactions are open: the hook by which tests see that none is while a vendor answers."""

import threading
from typing import Any

from sqlalchemy import Connection, event

from hub.store.db import Db


class OpenTransactions:
    """Follows every transaction of an opened database."""

    def __init__(self, db: Db) -> None:
        self.ever = 0
        self._threads: dict[int, int] = {}  # connection -> the thread that began
        for engine in (db.engine, db._reader, db._grouped):
            event.listen(engine, "begin", self._begun)
            event.listen(engine, "commit", self._ended)
            event.listen(engine, "rollback", self._ended)

    @property
    def now(self) -> int:
        """How many are open at this moment."""
        return len(self._threads)

    @property
    def here(self) -> int:
        """How many the calling thread has open: it is where a request under a transaction would have to be sent from."""
        return list(self._threads.values()).count(threading.get_ident())

    def _begun(self, connection: Connection) -> None:
        self.ever += 1
        self._threads[id(connection)] = threading.get_ident()

    def _ended(self, connection: Connection, *_: Any) -> None:
        self._threads.pop(id(connection), None)
