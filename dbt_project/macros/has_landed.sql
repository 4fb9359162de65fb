{# A connected stream that has not landed yet has no relation; while parsing, nothing can be asked. #}
{% macro has_landed(system, stream) -%}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {{ return(adapter.get_relation(database=target.database, schema='raw_' ~ system, identifier=stream) is not none) }}
{%- endmacro %}
