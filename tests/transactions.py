"""Which database transactions are open: the hook by which tests see that none is while a vendor answers."""

from typing import Any

from sqlalchemy import Connection, event

from hub.store.db import Db


class OpenTransactions:
    """Follows every transaction of an opened database; ``now`` holds a number for each one that is open."""

    def __init__(self, db: Db) -> None:
        self.ever = 0
        self._of: dict[int, int] = {}
        for engine in (db.engine, db._reader, db._grouped):
            event.listen(engine, "begin", self._begun)
            event.listen(engine, "commit", self._ended)
            event.listen(engine, "rollback", self._ended)

    @property
    def now(self) -> frozenset[int]:
        """The numbers of the transactions that are open at this moment; none is given twice."""
        return frozenset(self._of.values())

    def _begun(self, connection: Connection) -> None:
        self.ever += 1
        self._of[id(connection)] = self.ever

    def _ended(self, connection: Connection, *_: Any) -> None:
        self._of.pop(id(connection), None)
