-- grain: one purchase order line; ordered + over_received = open + received + cancelled
with lines as (
    select
        line.*,
        coalesce(item.quantity_per_outer, 1) as outer_qty,
        cast(line.ordered_outers * outer_qty as decimal(18, 4)) as ordered_qty,
        cast(coalesce(line.received_outers, 0) * outer_qty as decimal(18, 4)) as received_qty,
        greatest(ordered_qty - received_qty, 0) as missing_qty,
        coalesce(line.is_order_line_finalized, false) as is_finalized,
    from {{ ref('stg_erp__purchasing_purchase_order_lines') }} as line
    left join {{ ref('can_item') }} as item on item.item_key = line.key_prefix || line.stock_item_id
)

select
    lines.key_prefix || lines.purchase_order_line_id as po_line_key,
    lines.key_prefix || lines.purchase_order_id as purchase_order_key,
    lines.key_prefix || lines.stock_item_id as item_key,
    lines.ordered_qty,
    lines.received_qty,
    cast(case when lines.is_finalized then 0 else lines.missing_qty end as decimal(18, 4)) as open_qty,
    cast(case when lines.is_finalized then lines.missing_qty else 0 end as decimal(18, 4)) as cancelled_qty,
    cast(greatest(lines.received_qty - lines.ordered_qty, 0) as decimal(18, 4)) as over_received_qty,
    'outer' as uom,
    cast(lines.outer_qty as decimal(18, 6)) as base_qty_factor,
    cast(lines.expected_unit_price_per_outer as decimal(18, 4)) as unit_price,
    lines.last_receipt_date,
    lines.is_finalized,
    {{ provenance('lines', 'lines.purchase_order_line_id') }}
from lines
