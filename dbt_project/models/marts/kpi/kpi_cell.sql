-- Grain: one KPI x period x dimension value. Value and bounds are ratios of sums or percentiles of rows, never averages of cells.
{% for family in ['fill_rate', 'delivery', 'latency', 'margin', 'billing'] %}
select
    kpi_id,
    period_kind,
    period,
    dimension,
    dimension_value,
    numerator,
    denominator,
    value,
    value_min,
    value_max,
    as_of_utc,
from {{ ref('kpi_' ~ family) }}
{{ 'union all' if not loop.last }}
{% endfor %}
