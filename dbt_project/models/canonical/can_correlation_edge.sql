-- grain: one typed link between two records, with the rung of the match ladder that made it
-- releases that only stand in for a missing warehouse system link nothing
{%- set edges = [
    ('oms_order-erp_order', 'oms_order', "key_prefix || oms_order_number", 'can_sales_order', 'order_key', 'null',
        "'explicit_id'", 'prt_oms_order', 'is_in_erp'),
    ('oms_line-erp_line', 'oms_line', "key_prefix || oms_order_number || '/' || line_number", 'can_order_line',
        'order_line_key', 'ordered_qty', "'explicit_id'", 'prt_oms_line', 'is_in_erp'),
    ('order-backorder', 'can_sales_order', 'parent_order_key', 'can_sales_order', 'order_key', 'null',
        "'explicit_id'", 'can_sales_order', 'parent_order_key is not null'),
    ('line-backorder_child', 'can_order_line', 'parent_order_line_key', 'can_order_line', 'order_line_key',
        'ordered_original_qty', "'explicit_id'", 'can_order_line', 'parent_order_line_key is not null'),
    ('line-substitute', 'can_order_line', 'substitutes_order_line_key', 'can_order_line', 'order_line_key',
        'ordered_original_qty', "'explicit_id'", 'can_order_line', 'substitutes_order_line_key is not null'),
    ('line-release', 'can_order_line', 'order_line_key', 'can_release', 'release_line_key', 'released_qty',
        "'explicit_id'", 'can_release', 'true'),
    ('line-shipment_line', 'can_order_line', 'order_line_key', 'can_shipment_line', 'shipment_line_key',
        'shipped_qty', "'explicit_id'", 'can_shipment_line', 'true'),
    ('shipment-handling_unit', 'can_shipment', 'shipment_key', 'can_handling_unit', 'handling_unit_key', 'null',
        "'document'", 'can_handling_unit', 'true'),
    ('shipment-tracking', 'can_shipment', 'shipment_key', 'tracking', 'key_prefix || doc_key', 'null', 'rung',
        'prt_tracking', 'shipment_key is not null'),
    ('shipment-invoice', 'can_shipment', 'shipment_key', 'can_invoice', 'invoice_key', 'null', "'explicit_id'",
        'can_invoice', 'shipment_key is not null'),
    ('line-invoice_line', 'can_order_line', 'order_line_key', 'can_invoice_line', 'line_key', 'qty', 'rung',
        'prt_invoice_line', 'order_line_key is not null and not is_credit'),
    ('invoice-credit', 'can_invoice', 'credited_invoice_key', 'can_invoice', 'invoice_key', 'null',
        "'explicit_id'", 'can_invoice', 'credited_invoice_key is not null'),
    ('po_line-receipt', 'can_po_line', 'po_line_key', 'can_receipt', 'receipt_key', 'received_qty',
        "'composite'", 'can_receipt', 'po_line_key is not null'),
    ('line-return_line', 'can_order_line', 'order_line_key', 'can_return_line', 'return_line_key',
        'authorized_qty', "'explicit_id'", 'can_return_line', 'order_line_key is not null'),
] %}
with edges as (
    {%- for edge_type, from_type, from_key, to_type, to_key, qty, rung, model, condition in edges
        if systems_of('wms') or model != 'can_release' %}
    select
        '{{ edge_type }}' as edge_type,
        '{{ from_type }}' as from_type,
        {{ from_key }} as from_key,
        '{{ to_type }}' as to_type,
        {{ to_key }} as to_key,
        cast({{ qty }} as decimal(18, 4)) as qty,
        {{ rung }} as rung, -- noqa: AL09
        source_system,
        source_batch_id,
        known_from_utc,
    from {{ ref(model) }}
    where {{ condition }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- if systems_of('wms') %}
    union all
    -- the warehouse order named by a shipment, through the line both are about
    select
        'release-shipment_line' as edge_type,
        'can_release' as from_type,
        release.release_line_key as from_key,
        'can_shipment_line' as to_type,
        line.shipment_line_key as to_key,
        line.shipped_qty as qty,
        'document' as rung,
        line.source_system,
        line.source_batch_id,
        line.known_from_utc,
    from {{ ref('can_shipment_line') }} as line
    inner join {{ ref('can_release') }} as release
        on release.release_key = line.release_key and release.order_line_key = line.order_line_key
    {%- endif %}
)

select
    edge_type || ':' || from_key || '>' || to_key as edge_key,
    edge_type,
    from_type,
    from_key,
    to_type,
    to_key,
    qty,
    rung,
    cast(case rung when 'explicit_id' then 100 when 'normalized' then 95 when 'document' then 90 else 75 end as integer)
        as confidence,
    source_system,
    edge_type || ':' || to_key as source_key,
    source_batch_id,
    known_from_utc,
    false as is_inferred,
    '1.0.0' as contract_version,
from edges
