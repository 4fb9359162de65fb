-- Grain: KPI x period x dimension cell. Latency percentiles and means, recomputed from the rows of int_latency (rule R11).
{{ config(database=target.database, materialized='view') }}

{%- set measures = {
    'exact_pairs': 'count(latency_s)',
    'total_s': 'coalesce(sum(latency_s), 0)',
} %}
{%- for bound in ['', '_min', '_max'] %}
{%- do measures.update({
    'p50' ~ bound: kpi_percentile('latency' ~ bound ~ '_s', 0.5),
    'p90' ~ bound: kpi_percentile('latency' ~ bound ~ '_s', 0.9),
    'mean' ~ bound: kpi_ratio('sum(latency' ~ bound ~ '_s)', 'count(latency' ~ bound ~ '_s)'),
}) %}
{%- endfor %}

with latencies as (

    select
        latency,
        site_code,
        customer_category,
        period_date,
        latency_s,
        latency_min_s,
        latency_max_s,
    from {{ ref('int_latency') }}

    union all

    -- an empty row per clock: the company's total exists when nothing has been measured
    select
        latency,
        null as site_code,
        null as customer_category,
        null as period_date,
        null as latency_s,
        null as latency_min_s,
        null as latency_max_s,
    from (values ('order_to_ship'), ('ship_to_delivery'), ('order_to_delivery'), ('ship_to_invoice')) as clocks (latency) -- noqa: AL05

),

rolled as (
    {{ kpi_rollup(
        'latencies',
        measures,
        {'site': 'site_code', 'customer_category': 'customer_category'},
        keys=['latency'],
    ) }}
)

{% for statistic in ['p50', 'p90', 'mean'] %}
{{ kpi_cells(
    "'latency_' || latency || '_" ~ statistic ~ "'",
    'total_s' if statistic == 'mean' else none,
    'exact_pairs',
    value=statistic,
    value_min='least(' ~ statistic ~ ', ' ~ statistic ~ '_min)',
    value_max='greatest(' ~ statistic ~ ', ' ~ statistic ~ '_max)',
) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
