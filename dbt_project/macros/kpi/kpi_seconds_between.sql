{#
    Whole seconds from one naive UTC timestamp to another as bigint, truncated towards zero; negative when the end comes first.
    Dispatched: date differences count boundaries in one engine and full units in another.
#}
{% macro kpi_seconds_between(start_utc, end_utc) -%}
    {{ return(adapter.dispatch('kpi_seconds_between')(start_utc, end_utc)) }}
{%- endmacro %}

{% macro duckdb__kpi_seconds_between(start_utc, end_utc) -%}
    ((epoch_us({{ end_utc }}) - epoch_us({{ start_utc }})) // 1000000)
{%- endmacro %}

{% macro default__kpi_seconds_between(start_utc, end_utc) -%}
    cast(trunc(extract(epoch from ({{ end_utc }} - {{ start_utc }}))) as bigint)
{%- endmacro %}
