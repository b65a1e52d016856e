-- Grain: one row per request.
WITH edge AS (
  -- What was opened in the last 10 days of the data may still be closed in time.
  SELECT max(opened_at) AS newest FROM requests_311
)
SELECT
  r.request_id,
  r.opened_at,
  CASE WHEN r.closed_at >= r.opened_at THEN r.closed_at END AS closed_at,
  coalesce(r.closed_at < r.opened_at, FALSE) AS is_wrong_clock,
  CASE r.category WHEN 'ILLEGAL DUMPING' THEN 'Illegal dumping' ELSE r.category END AS category,
  r.language,
  r.channel,
  CASE WHEN r.closed_at >= r.opened_at THEN date_diff('minute', r.opened_at, r.closed_at) / 1440.0 END AS days_open,
  CASE
    WHEN r.closed_at < r.opened_at THEN NULL
    WHEN r.closed_at <= r.opened_at + INTERVAL 10 DAY THEN TRUE
    WHEN r.closed_at IS NULL AND r.opened_at > edge.newest - INTERVAL 10 DAY THEN NULL
    ELSE FALSE
  END AS is_within_promise,
  r.longitude,
  r.latitude
FROM requests_311 AS r
CROSS JOIN edge
