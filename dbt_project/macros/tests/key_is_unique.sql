{# Fails with every key that occurs more than once. #}
{% test key_is_unique(model, columns) %}
select {{ columns | join(', ') }}, count(*) as occurrences,
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
