{#
    Rolls one base fact up to cells: every period kind for the company, and for each single dimension.

    base        relation or CTE, one row per fact, already limited to what is measured
    measures    {column name: aggregate expression over the base}; additive sums, counts or percentiles of rows (rule R11)
    dimensions  {dimension name: base column}
    period_date base column with the date that assigns a fact to its period
    keys        further columns to group by everywhere (none by default)
    periods     period kinds, `total` last

    Result: the keys, period_kind, period, dimension, dimension_value, the measures. A fact without a period date counts only
    in `total`; a fact without a value in a dimension has no cell in that dimension. The company's total exists on empty input.
#}
{% macro kpi_rollup(base, measures, dimensions, period_date='period_date', keys=[], periods=['day', 'week', 'month', 'year', 'total']) %}
    {%- set labels = {'day': 'day_label', 'week': 'week_label', 'month': 'month_label', 'year': 'year_label'} %}
    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        period_kind,
        case period_kind
            {%- for period in periods if period != 'total' %}
            when '{{ period }}' then {{ labels[period] }}
            {%- endfor %}
            else 'total'
        end as period,
        dimension,
        case dimension
            {%- for dimension, column in dimensions.items() %}
            when '{{ dimension }}' then dimension_{{ loop.index }}
            {%- endfor %}
            else ''
        end as dimension_value,
        {%- for measure in measures %}
        {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {%- for key in keys %}
            fact.{{ key }},
            {%- endfor %}
            case
                {%- for period in periods if period != 'total' %}
                when grouping(calendar.{{ labels[period] }}) = 0 then '{{ period }}'
                {%- endfor %}
                else 'total'
            end as period_kind,
            {%- for period in periods if period != 'total' %}
            calendar.{{ labels[period] }},
            {%- endfor %}
            case
                {%- for dimension, column in dimensions.items() %}
                when grouping(fact.{{ column }}) = 0 then '{{ dimension }}'
                {%- endfor %}
                else ''
            end as dimension,
            {%- for dimension, column in dimensions.items() %}
            fact.{{ column }} as dimension_{{ loop.index }},
            {%- endfor %}
            {%- for measure, expression in measures.items() %}
            {{ expression }} as {{ measure }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ base }} as fact
        left join {{ ref('dim_date') }} as calendar
            on calendar.date_day = fact.{{ period_date }}
        group by grouping sets (
            {%- for period in periods %}
            {%- set period_loop = loop %}
            {%- for column in [none] + dimensions.values() | list %}
            {%- set grouped = [] %}
            {%- for key in keys %}{% do grouped.append('fact.' ~ key) %}{% endfor %}
            {%- if period != 'total' %}{% do grouped.append('calendar.' ~ labels[period]) %}{% endif %}
            {%- if column %}{% do grouped.append('fact.' ~ column) %}{% endif %}
            ({{ grouped | join(', ') }}){{ ',' if not (period_loop.last and loop.last) }}
            {%- endfor %}
            {%- endfor %}
        )
    ) as rolled
    where case period_kind
            {%- for period in periods if period != 'total' %}
            when '{{ period }}' then {{ labels[period] }} is not null
            {%- endfor %}
            else true
        end
        and case dimension
            {%- for dimension, column in dimensions.items() %}
            when '{{ dimension }}' then dimension_{{ loop.index }} is not null
            {%- endfor %}
            else true
        end
{% endmacro %}
