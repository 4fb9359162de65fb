-- event types are a closed list (contracts/codes/event_types.csv)
select event_type, count(*) as occurrences,
from {{ ref('can_event') }}
where event_type not in (select event_type from {{ ref('codes_event_types') }})
group by all
