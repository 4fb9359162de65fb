{#
    Rolls one base fact up to cells: every period kind for the company, and for each single dimension.

    base        relation or CTE, one row per fact, already limited to what is measured
    measures    {column name: aggregate expression over the base}; additive sums, counts or percentiles of rows (rule R11)
    dimensions  {dimension name: base column}
    period_date base column with the date that assigns a fact to its period
    keys        further columns to group by everywhere (none by default)
    dated       period kinds with a date; none for a snapshot, which has only its `total`

    Result: the keys, period_kind, period, dimension, dimension_value, the measures. A fact without a period date counts only
    in `total`; a fact without a value in a dimension has no cell in that dimension. The company's total exists on empty input.
    (sqlfluff's DuckDB has no grouping sets; the note to it is the one comment that reaches the SQL.)
#}
{% macro kpi_rollup(base, measures, dimensions, period_date='period_date', keys=[], dated=['day', 'week', 'month', 'year']) %}
    {%- set period %}case{% for kind in dated %} when period_kind = '{{ kind }}' then {{ kind }}_label{% endfor %} when true then 'total' end{% endset %}
    {%- set dimension_value %}case{% for name in dimensions %} when dimension = '{{ name }}' then by_{{ name }}{% endfor %} else '' end{% endset %}
    -- noqa: PRS
    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        period_kind,
        {{ period }} as period,
        dimension,
        {{ dimension_value }} as dimension_value,
        {{ measures.keys() | join(',\n        ') }},
    from (
        select
            {%- for key in keys %}
            fact.{{ key }},
            {%- endfor %}
            case{% for kind in dated %} when grouping(calendar.{{ kind }}_label) = 0 then '{{ kind }}'{% endfor %} when true then 'total' end as period_kind,
            {%- for kind in dated %}
            calendar.{{ kind }}_label,
            {%- endfor %}
            case{% for name, column in dimensions.items() %} when grouping(fact.{{ column }}) = 0 then '{{ name }}'{% endfor %} else '' end as dimension,
            {%- for name, column in dimensions.items() %}
            fact.{{ column }} as by_{{ name }},
            {%- endfor %}
            {%- for measure, expression in measures.items() %}
            {{ expression }} as {{ measure }},
            {%- endfor %}
        from {{ base }} as fact
        {%- if dated %}
        left join {{ ref('dim_date') }} as calendar
            on calendar.date_day = fact.{{ period_date }}
        {%- endif %}
        group by grouping sets (
            {%- for kind in dated + [none] %}
            {%- set kind_loop = loop %}
            {%- for column in [none] + dimensions.values() | list %}
            {%- set grouped = [] %}
            {%- for key in keys %}{% do grouped.append('fact.' ~ key) %}{% endfor %}
            {%- if kind %}{% do grouped.append('calendar.' ~ kind ~ '_label') %}{% endif %}
            {%- if column %}{% do grouped.append('fact.' ~ column) %}{% endif %}
            ({{ grouped | join(', ') }}){{ ',' if not (kind_loop.last and loop.last) }}
            {%- endfor %}
            {%- endfor %}
        )
    ) as rolled
    where {{ period }} is not null
        and {{ dimension_value }} is not null
{% endmacro %}
