{#
    Fails with cells whose bounds do not contain the value, or whose share of a whole leaves [0, 1]. Margin and latency
    may be negative.
#}
{% test kpi_bounds_hold(model) %}
select *
from {{ model }}
where value_min > value
    or value > value_max
    or (
        (kpi_id like 'fill_rate_%' or kpi_id like '%_to_commit')
        and (value_min < 0 or value_max > 1)
    )
{% endtest %}
