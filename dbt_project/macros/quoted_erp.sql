{# The ERP a system quotes: declared as `erp`, else the first ERP connected, else a name of its own. #}
{% macro quoted_erp(entry, role) -%}
    {%- set erps = systems_of('erp') -%}
    {%- if role == 'erp' -%}{{ return(entry) }}{%- endif -%}
    {%- for erp in erps if erp['system'] == entry.get('erp') -%}{{ return(erp) }}{%- endfor -%}
    {{ return(erps[0] if erps else {'system': 'erp'}) }}
{%- endmacro %}
