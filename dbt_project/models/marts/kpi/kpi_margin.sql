-- Grain: KPI x period x dimension cell. Gross margin, from int_margin; the rate is null where net sales are not positive.
{{ config(database=target.database, materialized='view') }}

with lines as (

    select * from {{ ref('int_margin') }}

),

rolled as (
    {{ kpi_rollup(
        'lines',
        {'profit_amt': 'coalesce(sum(gross_profit_amt), 0)', 'sales_amt': 'coalesce(sum(net_amt), 0)'},
        {'site': 'site_code', 'customer_category': 'customer_category', 'item_group': 'item_group'},
        period_date='posting_date',
    ) }}
)

{{ kpi_cells(
    "'gross_margin_rate'", 'profit_amt', 'sales_amt',
    value='case when sales_amt > 0 then ' ~ kpi_ratio('profit_amt', 'sales_amt') ~ ' end',
) }}
union all
{{ kpi_cells("'gross_margin_amount'", 'profit_amt') }}
