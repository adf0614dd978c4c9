"""A lease of the number that was called, as the tests of matching tell it."""

from datetime import UTC, datetime, timedelta

from tracking_core.match import LeaseSpan

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NUMBER, CALLER = "+74951112233", "+79161234567"


def lease(visitor: str, seen_minutes_ago: float, hold: float = 10, **facts) -> LeaseSpan:
    seen = AT - timedelta(minutes=seen_minutes_ago)
    return LeaseSpan(
        **{
            "number": NUMBER,
            "visitor": visitor,
            "visit_id": f"visit-{visitor}",
            "started_at": seen - timedelta(minutes=4),
            "last_seen": seen,
            "exclusive_until": seen + timedelta(minutes=hold),
            **facts,
        }
    )
