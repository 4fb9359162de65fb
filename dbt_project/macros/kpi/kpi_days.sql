{# One row per calendar day, column date_day, both ends included. Dispatched: engines generate series differently. #}
{% macro kpi_days(first_day, last_day) -%}
    {{ return(adapter.dispatch('kpi_days')(first_day, last_day)) }}
{%- endmacro %}

{% macro duckdb__kpi_days(first_day, last_day) -%}
    select cast(day_start as date) as date_day,
    from generate_series(timestamp '{{ first_day }}', timestamp '{{ last_day }}', interval 1 day) as series(day_start)
{%- endmacro %}

{% macro default__kpi_days(first_day, last_day) -%}
    select cast(day_start as date) as date_day,
    from generate_series(cast('{{ first_day }}' as timestamp), cast('{{ last_day }}' as timestamp), interval '1 day') as series(day_start)
{%- endmacro %}
