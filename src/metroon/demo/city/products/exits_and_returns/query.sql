-- Grain: one row per stay that has ended.
WITH edge AS (
  -- Who left in the last 180 days of the data may still come back in time.
  SELECT max(entered_on) AS newest FROM shelter_stays
),
back AS (
  SELECT s.stay_id, min(later.entered_on) AS back_on
  FROM shelter_stays AS s
  JOIN shelter_stays AS later
    ON later.client_id = s.client_id AND later.stay_id <> s.stay_id AND later.entered_on >= s.left_on
  GROUP BY s.stay_id
)
SELECT
  s.stay_id,
  s.client_id,
  s.program_type,
  s.race,
  s.language,
  s.left_on,
  CASE
    WHEN s.left_on > edge.newest - INTERVAL 180 DAY THEN NULL
    ELSE coalesce(back.back_on <= s.left_on + INTERVAL 180 DAY, FALSE)
  END AS is_back,
  s.last_neighborhood,
  s.last_district
FROM shelter_stays AS s
CROSS JOIN edge
LEFT JOIN back ON back.stay_id = s.stay_id
WHERE s.left_on IS NOT NULL
