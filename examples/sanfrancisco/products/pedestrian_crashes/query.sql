-- Grain: one row per crash, as in crash_records, with its codes in words.
select
  case_id,
  crashed_on,
  case severity
    when '1' then 'Killed'
    when '2' then 'Severe injury'
    when '3' then 'Other visible injury'
    when '4' then 'Complaint of pain'
  end as severity,
  case hit_and_run when 'N' then false else true end as is_hit_and_run,
  case lighting
    when 'A' then 'Daylight'
    when 'B' then 'Dusk or dawn'
    when 'C' then 'Dark, street lights'
    when 'D' then 'Dark, no working street light'
    when 'E' then 'Dark, no working street light'
  end as lighting,
  case
    when pedestrian_action in ('B', 'C') then 'Crossing in a crosswalk'
    when pedestrian_action = 'D' then 'Crossing elsewhere'
    when pedestrian_action = 'E' then 'In the road, shoulder included'
    when pedestrian_action in ('F', 'G') then 'Not in the road'
  end as pedestrian_action,
  longitude,
  latitude
from crash_records
