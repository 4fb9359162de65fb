{#
    The rows of one KPI, in the columns of `kpi_cell`, from a roll-up (see kpi_rollup).

    kpi_id       SQL expression (a literal in quotes, or built from a key of the roll-up)
    numerator    SQL expression, or none for a percentile
    denominator  SQL expression, or none for an amount or a count
    value, value_min, value_max  SQL expressions; by default the ratio (rule R12), or the numerator where there is no denominator
    where        further condition

    A cell whose denominator is zero is left out, except in `total`, where it stays with a null value.
#}
{% macro kpi_cells(kpi_id, numerator, denominator=none, value=none, value_min=none, value_max=none, rollup='rolled', where=none) %}
    {%- if value is none and denominator is none %}{% set value = 'cast(' ~ numerator ~ ' as double)' %}{% endif %}
    {%- set value = value or kpi_ratio(numerator, denominator) %}
    select
        {{ kpi_id }} as kpi_id,
        period_kind,
        period,
        dimension,
        dimension_value,
        cast({{ numerator or 'null' }} as decimal(38, 6)) as numerator,
        cast({{ denominator or 'null' }} as decimal(38, 6)) as denominator,
        {{ value }} as value,
        {{ value_min or value }} as value_min,
        {{ value_max or value }} as value_max,
        {{ kpi_as_of() }} as as_of_utc,
    from {{ rollup }}
    where true
        {%- if denominator %}
        and (period_kind = 'total' or {{ denominator }} <> 0)
        {%- endif %}
        {%- if where %}
        and {{ where }}
        {%- endif %}
{% endmacro %}
