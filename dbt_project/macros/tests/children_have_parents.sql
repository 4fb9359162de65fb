{# Fails with every reference to a row that does not exist. NULL is no reference. One query for all references of a model:
   parents is a list of {column, key}, models the referenced models in the same order. #}
{% test children_have_parents(model, parents, models) %}
{%- for parent in parents %}
select '{{ parent['column'] }}' as reference, cast(child.{{ parent['column'] }} as varchar) as missing_key, count(*) as children,
from {{ model }} as child
anti join {{ models[loop.index0] }} as parent on parent.{{ parent['key'] }} = child.{{ parent['column'] }}
where child.{{ parent['column'] }} is not null
group by child.{{ parent['column'] }}
{% if not loop.last %}union all{% endif %}
{%- endfor %}
{% endtest %}
