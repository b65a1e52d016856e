-- Grain: one row per street defect that inspectors saw.
SELECT
  s.defect_id,
  s.seen_on,
  s.neighborhood,
  s.defect,
  r.request_id IS NOT NULL AS is_reported,
  date_diff('day', CAST(r.opened_at AS DATE), s.seen_on) AS days_known,
  s.longitude,
  s.latitude
FROM street_survey AS s
LEFT JOIN requests_311 AS r ON r.request_id = s.request_id
