select
    'orders_total' as kpi_id, 'total' as period_kind, 'total' as period, '' as dimension, '' as dimension_value,
    sum(qty)::decimal(38, 6) as numerator, count(*)::decimal(38, 6) as denominator,
    (sum(qty) / count(*))::double as value, (sum(qty) / count(*))::double as value_min,
    (sum(qty) / count(*))::double as value_max, timestamp '{{ var("as_of") }}' as as_of_utc
from {{ ref('can_order') }}
