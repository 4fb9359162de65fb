{# Folder of the contracts, beside this project; CROSSDOCK_CONTRACTS overrides it for a copied project. #}
{% macro contracts_dir() -%}
    {{ env_var('CROSSDOCK_CONTRACTS', adapter.config.project_root ~ '/../contracts') }}
{%- endmacro %}
