-- Grain: one row per census tract of 2010 that has land.
with communities as (
  -- Grain: one row per tract of which any part is an Equity Priority Community.
  select '06075' || tract as geoid, bool_or(block_group is null) as is_whole
  from equity_priority_areas
  group by tract
)
select
  census_tracts.geoid,
  split_part(acs_residents.name, ',', 1) as label,
  acs_residents.residents,
  acs_residents.margin_of_error,
  census_tracts.population_2010,
  census_tracts.poverty,
  case
    when communities.geoid is null then 'none'
    when communities.is_whole then 'whole'
    else 'part'
  end as equity_priority,
  case
    when communities.geoid is null then 0
    when communities.is_whole then 1
  end as is_equity_priority,
  census_tracts.geometry
from census_tracts
left join acs_residents using (geoid)
left join communities using (geoid)
