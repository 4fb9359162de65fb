{# The named variants of fill, each with the quantities that bound it from below and above (rule R17). #}
{% macro kpi_fill_variants() -%}
    {{ return({
        'first_event': ['first_event', 'first_event'],
        'first_pass': ['first_pass_certain', 'first_pass_possible'],
        'to_date': ['to_date', 'to_date'],
    }) }}
{%- endmacro %}

{# Every quantity the variants need, each once. #}
{% macro kpi_fill_bounds() -%}
    {{ return(['first_event', 'first_pass', 'first_pass_certain', 'first_pass_possible', 'to_date']) }}
{%- endmacro %}
