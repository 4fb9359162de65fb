-- a status that no code list maps is an exception for a person, not a guess
{{ config(severity='warn') }}
select status_raw, source_system, count(*) as orders,
from {{ ref('can_sales_order') }}
where status = 'unmapped'
group by all
