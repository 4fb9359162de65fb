-- Grain: KPI x period x dimension cell. Delivery to the first commit, from int_delivery.
{{ config(database=target.database, materialized='view') }}

{%- set measures = {'shipments': 'count(shipment_key)'} %}
{%- for flag in ['is_delivered', 'is_on_time', 'is_on_time_certain', 'is_on_time_possible'] %}
{%- do measures.update({flag[3:]: 'count(case when ' ~ flag ~ ' then 1 end)'}) %}
{%- endfor %}

with due as (

    select * from {{ ref('int_delivery') }}
    where is_delivery_due

),

rolled as (
    {{ kpi_rollup(
        'due',
        measures,
        {'site': 'site_code', 'customer_category': 'customer_category'},
        period_date='first_commit_date',
    ) }}
)

{{ kpi_cells(
    "'on_time_delivery_to_commit'", 'on_time', 'shipments',
    value_min=kpi_ratio('on_time_certain', 'shipments'), value_max=kpi_ratio('on_time_possible', 'shipments'),
) }}
union all
{{ kpi_cells(
    "'delivery_late_to_commit'", '(delivered - on_time)', 'shipments',
    value_min=kpi_ratio('(delivered - on_time_possible)', 'shipments'),
    value_max=kpi_ratio('(delivered - on_time_certain)', 'shipments'),
) }}
union all
{{ kpi_cells("'delivery_open_to_commit'", '(shipments - delivered)', 'shipments') }}
union all
{{ kpi_cells("'delivery_completed_to_commit'", 'delivered', 'shipments') }}
