-- every instant lies inside its interval, and a time that could not be read says so
select event_key, event_time_raw, event_time_utc, event_time_utc_min, event_time_utc_max, time_rule,
from {{ ref('can_event') }}
where (event_time_utc is null and time_rule <> 'T0')
    or event_time_utc < event_time_utc_min
    or event_time_utc >= event_time_utc_max
    or (time_confidence = 0 and event_time_utc is not null)
