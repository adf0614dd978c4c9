-- The history of one pool, the same on both engines - a visit each step of microseconds, on the numbers in turn, each seen
-- for four minutes; one in so many touched the number after a minute, one in so many called five minutes after it began.

INSERT INTO tracking_number (id, tenant_id, e164, site_id, pool_id, free_at, idle_since, is_called, rests, regions)
WITH RECURSIVE counted(i) AS (SELECT CAST(0 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i + 1 < :numbers)
SELECT 1 + i, 1, '+7495' || (1000000 + i), 1, 1, 0, 0, false, false, '{}' FROM counted;

INSERT INTO visitor (id, tenant_id, site_id, token, first_seen_at)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :leases)
SELECT i, 1, 1, 'visitor-' || i, :began + i * :step FROM counted;

INSERT INTO visit (id, tenant_id, site_id, visitor_id, number_id, started_at, last_seen_at, channel, source, medium,
                   campaign, content, term, click_ids, referrer_host, landing)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :leases)
SELECT i, 1, 1, i, 1 + i % :numbers, :began + i * :step, :began + i * :step + 240000000, 'paid_search', 'yandex', 'cpc',
       'c', '', '', '[]', '', '/'
FROM counted;

INSERT INTO page_event (tenant_id, visit_id, number_id, kind, at)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :leases / :taps)
SELECT 1, i * :taps, 1 + i * :taps % :numbers, CASE WHEN i % 2 = 0 THEN 'tel_tap' ELSE 'copy' END,
       :began + i * :taps * :step + 60000000
FROM counted;

INSERT INTO lease (id, tenant_id, number_id, visitor_id, started_at, ended_at)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :leases)
SELECT i, 1, 1 + i % :numbers, i, :began + i * :step,
       CASE WHEN i + :numbers <= :leases THEN :began + (i + :numbers) * :step END
FROM counted;

INSERT INTO enquiry (id, tenant_id, kind, key, site_id, at, phone_key, phone_masked, heard, first_time, qualified,
                     qualified_why, corrected_in_crm)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :leases / :ones)
SELECT i, 1, 'call', '1:' || i, 1, :began + i * :ones * :step + 300000000, 'caller-' || i % :callers, '', '', true, true,
       '', ''
FROM counted;

INSERT INTO call (enquiry_id, tenant_id, account_id, provider_call_id, direction, dialled, talk_s, wait_s,
                  durations_differ, status)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :leases / :ones)
SELECT i, 1, 1, '' || i, 'inbound', '+7495' || (1000000 + i * :ones % :numbers), 60, 5, false, 'answered' FROM counted;

INSERT INTO match (id, tenant_id, enquiry_id, visit_id, confidence, reason, words, candidates, made_at)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :leases / :ones)
SELECT i, 1, i, i * :ones, 0.95, 'exclusive_lease', '', '[]', :began FROM counted;
