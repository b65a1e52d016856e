-- Grain: one row per person hurt in a crash.
SELECT
  v.victim_id,
  v.crash_id,
  c.occurred_on,
  CASE c.mode WHEN 'Ped' THEN 'Pedestrian' ELSE c.mode END AS mode,
  v.role,
  CASE
    WHEN v.age < 18 THEN '0-17'
    WHEN v.age < 25 THEN '18-24'
    WHEN v.age < 45 THEN '25-44'
    WHEN v.age < 65 THEN '45-64'
    WHEN v.age >= 65 THEN '65 and over'
  END AS age_band,
  v.race,
  v.injury IN ('K', 'A') AS is_killed_or_severe,
  c.longitude,
  c.latitude
FROM crash_victims AS v
JOIN crashes AS c ON c.crash_id = v.crash_id
