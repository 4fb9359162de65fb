{# The connected systems of a role, in order of precedence: the var `systems` (see systems.sql). #}
{% macro systems_of(role) -%}
    {{ return(var('systems').get(role, []) or []) }}
{%- endmacro %}
