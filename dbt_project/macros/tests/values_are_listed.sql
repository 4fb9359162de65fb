{# Fails with every value outside its column's closed list. #}
{% test values_are_listed(model, lists) %}
{%- for column, allowed in lists.items() %}
select '{{ column }}' as column_name, cast({{ column }} as varchar) as value, count(*) as occurrences,
from {{ model }}
where {{ column }} not in ({% for value in allowed %}'{{ value }}'{% if not loop.last %}, {% endif %}{% endfor %})
group by {{ column }}
{% if not loop.last %}union all{% endif %}
{%- endfor %}
{% endtest %}
