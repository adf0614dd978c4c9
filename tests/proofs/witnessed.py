"""The hub as it is, with a witness: who claims the lane, and with which fence each batch is settled, is written down.

Run as ``python -m tests.proofs.witnessed worker``. With PROOF_REREADS=1 its workers do not keep the fence of their
claim but take whatever stands in the lane's row when they write: the negative control of the pause proof.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, select

from hub.__main__ import main
from hub.delivery import lanes, purse, queue
from hub.delivery.lanes import Claim
from hub.store.tables import Lane, table_of
from hub.store.tx import Tx

_lane = table_of(Lane)
_claim, _settle = lanes.claim, queue.settle


def _write_down(**told: object) -> None:
    with open(os.environ["PROOF_WITNESS"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"pid": os.getpid(), **told}) + "\n")


def _claimed(tx: Tx, now: datetime, lease: timedelta) -> Claim | None:
    claim = _claim(tx, now, lease)
    if claim is not None:
        _write_down(claimed=claim.fence)
    return claim


def _settled(tx: Tx, claim: Claim, *told: Any) -> None:
    _settle(tx, claim, *told)
    here = (_lane.c.tenant_id == claim.tenant_id, _lane.c.installation_id == claim.installation_id)
    stands = tx.execute(select(_lane.c.fence).where(*here)).scalar_one()
    _write_down(settled_with=claim.fence, stands=stands)


def _anybodys(claim: Claim) -> Any:
    return and_(_lane.c.tenant_id == claim.tenant_id, _lane.c.installation_id == claim.installation_id)


if __name__ == "__main__":
    lanes.claim, queue.settle = _claimed, _settled
    if os.environ.get("PROOF_REREADS"):
        lanes.mine, lanes.kept = _anybodys, lambda _tx, _claim: 0
        purse.Purse.still_mine = lambda _purse: None  # type: ignore[method-assign]
    sys.argv[0] = "cthub"
    main()
