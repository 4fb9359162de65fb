-- Grain: KPI x dimension cell, period total only: a snapshot as of now is not summed over time (rule R11).
{{ config(database=target.database, materialized='view') }}

with lines as (

    select * from {{ ref('int_shipped_not_invoiced') }}

),

rolled as (
    {{ kpi_rollup(
        'lines',
        {'open_amt': 'coalesce(sum(open_amt), 0)', 'open_lines': 'count(case when open_qty > 0 then 1 end)'},
        {'site': 'site_code', 'customer_category': 'customer_category', 'item_group': 'item_group'},
        dated=[],
    ) }}
)

{{ kpi_cells("'shipped_not_invoiced_amount'", 'open_amt') }}
union all
{{ kpi_cells("'shipped_not_invoiced_lines'", 'open_lines') }}
