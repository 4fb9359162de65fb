-- Grain: one KPI. Its meaning, owner and thresholds, so that a dashboard can explain what it shows.
with catalogue as (

    select * from {{ ref('dim_kpi_catalogue') }}

)

select
    cast(kpi_id as varchar) as kpi_id,
    cast(family as varchar) as family,
    cast(version as integer) as version,
    cast(name as varchar) as kpi_name,
    cast(meaning as varchar) as meaning,
    cast(numerator as varchar) as numerator_meaning,
    cast(denominator as varchar) as denominator_meaning,
    cast(grain as varchar) as base_grain,
    cast(period_key as varchar) as period_key,
    cast(unit as varchar) as unit,
    cast(direction as varchar) as direction,
    cast(additivity as varchar) as additivity,
    cast(maturity as varchar) as maturity,
    cast(has_bounds as boolean) as has_bounds,
    cast(dimensions as varchar) as dimensions,
    cast(owner as varchar) as owner,
    cast(steward as varchar) as steward,
    cast(threshold_good as double) as threshold_good,
    cast(threshold_poor as double) as threshold_poor,
    cast(source_standard as varchar) as source_standard,
    cast(bi_format as varchar) as bi_format,
from catalogue
