{# numerator / denominator as double; NULL, never infinity, when the denominator is zero or unknown (R12). #}
{% macro safe_ratio(numerator, denominator) -%}
    (cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0))
{%- endmacro %}

{# Whole and fractional seconds between two instants; date_diff would count boundaries instead. #}
{% macro seconds_between(start, finish) -%}
    ((epoch_us({{ finish }}) - epoch_us({{ start }})) / 1000000.0)
{%- endmacro %}
