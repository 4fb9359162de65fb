-- Grain: KPI x period x dimension cell. Fill rates by unit, line and value from int_fill_line, by order from int_fill_order.
{{ config(database=target.database, materialized='view') }}

{%- set line_measures = {
    'ordered_qty': 'coalesce(sum(effective_qty), 0)',
    'line_count': 'count(root_order_line_key)',
    'ordered_amt': 'coalesce(sum(effective_qty * coalesce(unit_price, 0)), 0)',
} %}
{%- set order_measures = {'order_count': 'count(root_order_key)'} %}
{%- for variant in kpi_fill_bounds() %}
{%- do line_measures.update({
    'filled_qty_' ~ variant: 'coalesce(sum(filled_' ~ variant ~ '_qty), 0)',
    'filled_lines_' ~ variant: 'count(case when is_complete_' ~ variant ~ ' then 1 end)',
    'filled_amt_' ~ variant: 'coalesce(sum(filled_' ~ variant ~ '_qty * coalesce(unit_price, 0)), 0)',
}) %}
{%- do order_measures.update({'filled_orders_' ~ variant: 'count(case when is_complete_' ~ variant ~ ' then 1 end)'}) %}
{%- endfor %}

with lines as (

    select * from {{ ref('int_fill_line') }}
    where is_measured

),

orders as (

    select * from {{ ref('int_fill_order') }}

),

rolled_lines as (
    {{ kpi_rollup(
        'lines',
        line_measures,
        {'site': 'site_code', 'customer_category': 'customer_category', 'item_group': 'item_group'},
        period_date='first_commit_date',
    ) }}
),

rolled_orders as (
    {{ kpi_rollup(
        'orders',
        order_measures,
        {'site': 'site_code', 'customer_category': 'customer_category'},
        period_date='first_commit_date',
    ) }}
)

{% for basis, filled, total, rollup in [
    ('unit', 'filled_qty', 'ordered_qty', 'rolled_lines'),
    ('line', 'filled_lines', 'line_count', 'rolled_lines'),
    ('value', 'filled_amt', 'ordered_amt', 'rolled_lines'),
    ('order', 'filled_orders', 'order_count', 'rolled_orders'),
] %}
{%- for variant, (lower, upper) in kpi_fill_variants().items() %}
{{ kpi_cells(
    "'fill_rate_" ~ basis ~ '_' ~ variant ~ "_strict'",
    filled ~ '_' ~ variant,
    total,
    value_min=kpi_ratio(filled ~ '_' ~ lower, total),
    value_max=kpi_ratio(filled ~ '_' ~ upper, total),
    rollup=rollup,
) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{{ 'union all' if not loop.last }}
{%- endfor %}
