-- Grain: one row per neighborhood and age band of the product injuries.
WITH known AS (
  SELECT r.group_name, sum(r.residents) / sum(n.residents) AS city_share
  FROM residents AS r
  JOIN neighborhoods AS n ON n.neighborhood = r.neighborhood
  WHERE r.dimension = 'age band' AND r.residents IS NOT NULL
  GROUP BY r.group_name
)
SELECT
  r.neighborhood,
  CASE WHEN r.group_name IN ('65-74', '75 and over') THEN '65 and over' ELSE r.group_name END AS age_band,
  sum(coalesce(r.residents, CAST(round(n.residents * k.city_share) AS BIGINT))) AS residents,
  bool_or(r.residents IS NULL) AS is_estimated
FROM residents AS r
JOIN neighborhoods AS n ON n.neighborhood = r.neighborhood
JOIN known AS k ON k.group_name = r.group_name
WHERE r.dimension = 'age band'
GROUP BY 1, 2
