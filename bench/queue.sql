-- The history of eight accounts, the same on both engines - a delivery each step of microseconds, delivered at its first
-- attempt one second later; each caller has been delivered so many times before.

INSERT INTO delivery (id, tenant_id, installation_id, position, order_key, enquiry, scenario_version, marker, plan, state,
                      due_at, attempt, spent, in_doubt, refs, why, sentence, created_at, settled_at)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :length)
SELECT 'past' || (1000000000 + i), 1, 1 + i % :lanes, :began + i * :step, 'caller-' || i % :callers, 'past:' || i, 1,
       'hub:past' || (1000000000 + i), :plan, 'delivered', :began + i * :step, 1, 0, false, '[]', '', '',
       :began + i * :step, :began + i * :step + 1000000
FROM counted;

INSERT INTO attempt (delivery_id, number, tenant_id, started_at, ended_at, status, why, detail)
WITH RECURSIVE counted(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM counted WHERE i < :length)
SELECT 'past' || (1000000000 + i), 1, 1, :began + i * :step, :began + i * :step + 1000000, 'delivered', '', ''
FROM counted;
