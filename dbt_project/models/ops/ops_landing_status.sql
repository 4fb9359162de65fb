-- Grain: one system x canonical entity. How much of each is here, how new it is, and how much stands in for a missing parent.
{%- set entities = [
    'can_sales_order', 'can_order_line', 'can_schedule_line', 'can_line_change', 'can_hold', 'can_reservation', 'can_release',
    'can_shipment', 'can_shipment_line', 'can_handling_unit', 'can_invoice', 'can_invoice_line', 'can_credit_line', 'can_return',
    'can_return_line', 'can_purchase_order', 'can_po_line', 'can_receipt', 'can_stock_movement', 'can_stock_balance', 'can_item',
    'can_item_cost', 'can_party', 'can_site', 'can_channel', 'can_legal_entity', 'can_event', 'can_correlation_edge',
] %}
{% for entity in entities %}
select
    source_system,
    '{{ entity[4:] }}' as entity,
    count(*) as row_count,
    count(case when is_inferred then 1 end) as inferred_rows,
    max(source_batch_id) as last_batch_id,
    min(known_from_utc) as first_known_utc,
    max(known_from_utc) as last_known_utc,
    {{ kpi_as_of() }} as as_of_utc,
from {{ ref(entity) }}
group by source_system
{{ 'union all' if not loop.last }}
{% endfor %}
