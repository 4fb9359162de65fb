{#
    Seconds from one naive UTC timestamp to another as bigint, both cut to the second first; negative when the end comes first.
    Dispatched: date differences count boundaries in one engine and full units in another.
#}
{% macro kpi_seconds_between(start_utc, end_utc) -%}
    {{ return(adapter.dispatch('kpi_seconds_between')(start_utc, end_utc)) }}
{%- endmacro %}

{% macro duckdb__kpi_seconds_between(start_utc, end_utc) -%}
    (epoch_us({{ end_utc }}) // 1000000 - epoch_us({{ start_utc }}) // 1000000)
{%- endmacro %}

{% macro default__kpi_seconds_between(start_utc, end_utc) -%}
    cast(floor(extract(epoch from {{ end_utc }})) - floor(extract(epoch from {{ start_utc }})) as bigint)
{%- endmacro %}
