-- grain: one receipt posting of goods from a supplier
with only_line as (
    select
        purchase_order_key,
        item_key,
        min(po_line_key) as po_line_key,
    from {{ ref('can_po_line') }}
    group by all
    having count(*) = 1
)

select
    movement.stock_movement_key as receipt_key,
    movement.purchase_order_key,
    only_line.po_line_key,
    coalesce(orders.supplier_party_key, movement.party_key) as supplier_party_key,
    movement.item_key,
    movement.site_key,
    movement.qty as received_qty,
    movement.moved_utc as received_utc,
    movement.moved_utc_min as received_utc_min,
    movement.moved_utc_max as received_utc_max,
    {{ provenance('movement', 'movement.source_key') }}
from {{ ref('can_stock_movement') }} as movement
left join {{ ref('can_purchase_order') }} as orders using (purchase_order_key)
left join only_line
    on only_line.purchase_order_key = movement.purchase_order_key and only_line.item_key = movement.item_key
where movement.purchase_order_key is not null
