-- Grain: one shipment x clock whose two instants are known as of now, in seconds of calendar time.
-- An instant known to 900 s is exact; a pair with a wider one has bounds and no central value (rule R17).
{{ config(materialized='table', unique_key=['latency', 'shipment_key'], schema='intermediate') }}

{%- set clocks = {
    'order_to_ship': ['received', 'shipped', 'shipped_date'],
    'ship_to_delivery': ['shipped', 'delivered', 'delivered_date'],
    'order_to_delivery': ['received', 'delivered', 'delivered_date'],
    'ship_to_invoice': ['shipped', 'invoiced', 'invoiced_date'],
} %}

with shipments as (

    select * from {{ ref('int_shipment_clock') }}
    where is_in_scope

),

instants as (

    select
        shipment_key,
        site_code,
        customer_category,
        shipped_date,
        delivered_date,
        invoiced_date,
        {%- for instant in ['received', 'shipped', 'delivered', 'invoiced'] %}
        case when {{ instant }}_utc <= {{ kpi_as_of() }} then {{ instant }}_utc end as {{ instant }}_utc,
        {{ instant }}_utc_max <= {{ instant }}_utc_min + interval '900 seconds' as is_{{ instant }}_exact,
        {{ instant }}_utc_min,
        {{ instant }}_utc_max,
        {%- endfor %}
    from shipments

),

pairs as (
    {% for latency, (start, end, period_date) in clocks.items() %}
    select
        '{{ latency }}' as latency,
        shipment_key,
        site_code,
        customer_category,
        {{ period_date }} as period_date,
        {{ start }}_utc as start_utc,
        case when is_{{ start }}_exact then {{ start }}_utc else {{ start }}_utc_min end as start_utc_min,
        case when is_{{ start }}_exact then {{ start }}_utc else {{ start }}_utc_max end as start_utc_max,
        {{ end }}_utc as end_utc,
        case when is_{{ end }}_exact then {{ end }}_utc else {{ end }}_utc_min end as end_utc_min,
        case when is_{{ end }}_exact then {{ end }}_utc else {{ end }}_utc_max end as end_utc_max,
        is_{{ start }}_exact and is_{{ end }}_exact as is_exact,
    from instants
    where {{ start }}_utc is not null
        and {{ end }}_utc is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    latency,
    shipment_key,
    site_code,
    customer_category,
    period_date,
    is_exact,
    case when is_exact then {{ kpi_seconds_between('start_utc', 'end_utc') }} end as latency_s,
    {{ kpi_seconds_between('start_utc_max', 'end_utc_min') }} as latency_min_s,
    {{ kpi_seconds_between('start_utc_min', 'end_utc_max') }} as latency_max_s,
from pairs
