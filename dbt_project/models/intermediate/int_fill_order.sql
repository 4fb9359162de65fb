-- Grain: one root order with at least one measured line. Complete when every remaining line is.
{{ config(schema='intermediate') }}

with lines as (

    select * from {{ ref('int_fill_line') }}
    where is_measured

)

select
    root_order_key,
    site_code,
    customer_category,
    first_commit_date,
    has_backorder,
    count(*) as measured_lines,
    -- a backorder means that the first event did not fill the order, whatever it shipped
    min(case when is_complete_first_event then 1 else 0 end) = 1 and not has_backorder as is_complete_first_event,
    {%- for variant in kpi_fill_bounds() if variant != 'first_event' %}
    min(case when is_complete_{{ variant }} then 1 else 0 end) = 1 as is_complete_{{ variant }},
    {%- endfor %}
from lines
group by
    root_order_key,
    site_code,
    customer_category,
    first_commit_date,
    has_backorder
