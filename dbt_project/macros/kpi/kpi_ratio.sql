{#
    numerator / denominator as double; null where the denominator is zero or null (rule R12).
    One macro for every division: engines give infinity, NaN or an error for x / 0, and differ in the type of decimal / decimal.
#}
{% macro kpi_ratio(numerator, denominator) -%}
    {{ return(adapter.dispatch('kpi_ratio')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__kpi_ratio(numerator, denominator) -%}
    case when {{ denominator }} <> 0 then cast({{ numerator }} as double) / cast({{ denominator }} as double) end
{%- endmacro %}
