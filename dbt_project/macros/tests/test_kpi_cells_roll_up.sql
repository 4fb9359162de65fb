{#
    Fails with every KPI and dimension value whose days, weeks, months or years do not add up to the total, and with every
    period in which the parts of a dimension exceed the company. Snapshots have a total only; percentiles have no numerator.
#}
{% test kpi_cells_roll_up(model) %}
with cells as (

    select
        kpi_id,
        period_kind,
        period,
        dimension,
        dimension_value,
        coalesce(numerator, 0) as numerator,
        coalesce(denominator, 0) as denominator
    from {{ model }}
    where kpi_id not like 'shipped_not_invoiced_%'

),

by_kind as (

    select
        kpi_id,
        dimension,
        dimension_value,
        period_kind,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from cells
    group by
        kpi_id,
        dimension,
        dimension_value,
        period_kind

),

by_dimension as (

    select
        kpi_id,
        period,
        dimension,
        sum(denominator) as denominator
    from cells
    group by
        kpi_id,
        period,
        dimension

)

select
    totals.kpi_id,
    parts.period_kind || ' <> total' as fault,
    totals.dimension || ' ' || totals.dimension_value as place
from by_kind as totals
inner join by_kind as parts
    on parts.kpi_id = totals.kpi_id
    and parts.dimension = totals.dimension
    and parts.dimension_value = totals.dimension_value
where totals.period_kind = 'total'
    and parts.period_kind <> 'total'
    -- a period whose sales net to zero has no margin cell, so the profits of the others need not add up
    and (parts.denominator <> totals.denominator or (parts.numerator <> totals.numerator and totals.kpi_id <> 'gross_margin_rate'))

union all

select
    company.kpi_id,
    parts.dimension || ' exceeds the company' as fault,
    company.period as place
from by_dimension as company
inner join by_dimension as parts
    on parts.kpi_id = company.kpi_id
    and parts.period = company.period
where company.dimension = ''
    and parts.dimension <> ''
    and company.kpi_id not like 'gross_margin_%'
    and parts.denominator > company.denominator
{% endtest %}
