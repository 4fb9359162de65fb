{#
    Continuous, linear percentile of the non-null values of a bigint expression, as double (rule R11: from rows, never from
    percentiles). Dispatched, since engines spell it differently; approximate functions are not allowed here.
#}
{% macro kpi_percentile(expression, fraction) -%}
    {{ return(adapter.dispatch('kpi_percentile')(expression, fraction)) }}
{%- endmacro %}

{% macro default__kpi_percentile(expression, fraction) -%}
    percentile_cont({{ fraction }}) within group (order by {{ expression }})
{%- endmacro %}

{% macro duckdb__kpi_percentile(expression, fraction) -%}
    quantile_cont({{ expression }}, {{ fraction }})
{%- endmacro %}
