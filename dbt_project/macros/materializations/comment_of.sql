{# What a table or view remembers of how it was made; none when nothing. #}
{% macro comment_of(relation, kind) -%}
    {%- set found = run_query(
        "select comment from duckdb_" ~ kind ~ "s() where database_name = '" ~ relation.database ~ "' and schema_name = '"
        ~ relation.schema ~ "' and " ~ kind ~ "_name = '" ~ relation.identifier ~ "'"
    ) -%}
    {{ return(found.columns[0].values()[0]) }}
{%- endmacro %}
