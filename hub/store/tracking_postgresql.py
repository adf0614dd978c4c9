"""The two commonest page views as one statement each, for PostgreSQL, where every round trip counts.

They say what ``tracking.open_visit`` says; a view they do not cover returns no row and takes that way. Measured in
``make bench NAME=dni``: one statement in autocommit instead of five to seven round trips in a transaction.
"""

from sqlalchemy import text

from hub.store.db import Prepared

# A known visitor who still holds his number, in a visit that goes on beyond doubt.
RETURNING = Prepared(
    text("""
WITH known AS (
    SELECT visitor.id AS visitor_id, latest.id AS visit_id
    FROM visitor
    CROSS JOIN LATERAL (
        SELECT * FROM visit WHERE visit.visitor_id = visitor.id AND visit.tenant_id = :tenant_id
        ORDER BY id DESC LIMIT 1
    ) AS latest
    WHERE visitor.tenant_id = :tenant_id AND visitor.site_id = :site_id AND visitor.token = :token
      AND latest.last_seen_at >= :idle_since
      AND (:is_untagged OR (
            latest.source = :source AND latest.medium = :medium AND latest.campaign = :campaign
        AND latest.content = :content AND latest.term = :term AND latest.click_ids = :click_ids))
), kept AS (
    UPDATE tracking_number SET free_at = :until FROM known
    WHERE tracking_number.tenant_id = :tenant_id AND tracking_number.pool_id = :pool_id
      AND tracking_number.visitor_id = known.visitor_id
    RETURNING tracking_number.id, tracking_number.e164
), seen AS (
    UPDATE visit SET last_seen_at = :now, number_id = kept.id FROM known, kept
    WHERE visit.tenant_id = :tenant_id AND visit.id = known.visit_id
    RETURNING visit.id
)
SELECT seen.id, kept.e164 FROM seen, kept
""")
)

# A browser never seen before: visitor, number, lease and visit. The lease is written after the last one on its number
# has ended (counting "ended" makes it so); without a free number the visit has none.
NEW = Prepared(
    text("""
WITH arrived AS (
    INSERT INTO visitor (tenant_id, site_id, token, first_seen_at) VALUES (:tenant_id, :site_id, :token, :now)
    RETURNING id
), longest_idle AS (
    SELECT id FROM tracking_number WHERE tenant_id = :tenant_id AND pool_id = :pool_id AND free_at <= :now
    ORDER BY free_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE tracking_number SET visitor_id = arrived.id, free_at = :until FROM arrived, longest_idle
    WHERE tracking_number.tenant_id = :tenant_id AND tracking_number.id = longest_idle.id
    RETURNING tracking_number.id, tracking_number.e164
), ended AS (
    UPDATE lease SET ended_at = :now FROM taken
    WHERE lease.tenant_id = :tenant_id AND lease.number_id = taken.id AND lease.ended_at IS NULL
    RETURNING lease.id
), leased AS (
    INSERT INTO lease (tenant_id, number_id, visitor_id, started_at)
    SELECT :tenant_id, taken.id, arrived.id, :now
    FROM taken, arrived, (SELECT count(*) FROM ended) AS after_the_last
), opened AS (
    INSERT INTO visit (tenant_id, site_id, visitor_id, number_id, started_at, last_seen_at, channel, source, medium,
                       campaign, content, term, click_ids, referrer_host, landing)
    SELECT :tenant_id, :site_id, arrived.id, taken.id, :now, :now, :channel, :source, :medium,
           :campaign, :content, :term, :click_ids, :referrer_host, :landing
    FROM arrived LEFT JOIN taken ON true
    RETURNING visit.id
)
SELECT opened.id, taken.e164 FROM opened LEFT JOIN taken ON true
""")
)
