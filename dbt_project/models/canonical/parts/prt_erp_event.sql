-- grain: one event an ERP asserts, with its time in UTC; dates without a time of day are whole days (T14)
{{ config(materialized='view') }}
with asserted as (
    select
        'received:' || orders.order_key as event_key, 'received' as event_type, 'order' as object_type,
        orders.order_key as object_key, orders.order_key, cast(orders.root_order_date as timestamp) as local_time,
        'day' as time_precision, cast(null as decimal(18,4)) as qty, cast(null as varchar) as reason,
        cast(null as varchar) as initiator, cast(null as varchar) as detail, cast(null as varchar) as item_number,
        orders.source_zone, orders.source_system, orders.order_number as source_key, orders.source_batch_id,
        orders.known_from_utc,
    from {{ ref('prt_order') }} as orders
    where orders.chain_depth = 0 and orders.oms_created_utc is null and orders.root_order_date is not null
    union all
    select
        'held:' || hold.key_prefix || hold.order_hold_id, 'held', 'order', hold.key_prefix || hold.order_id,
        hold.key_prefix || hold.order_id, hold.placed_when, 'us', null, hold.hold_kind, 'seller', null, null,
        hold.source_zone, hold.source_system, hold.order_hold_id, hold.source_batch_id, hold.known_from_utc,
    from {{ ref('stg_erp__sales_order_holds') }} as hold
    union all
    select
        'hold_released:' || hold.key_prefix || hold.order_hold_id, 'hold_released', 'order',
        hold.key_prefix || hold.order_id, hold.key_prefix || hold.order_id, hold.released_when, 'us', null,
        hold.hold_kind, 'seller', hold.released_by, null, hold.source_zone, hold.source_system, hold.order_hold_id,
        hold.source_batch_id, hold.known_from_utc,
    from {{ ref('stg_erp__sales_order_holds') }} as hold
    where hold.released_when is not null
    union all
    select
        'changed:' || change.key_prefix || change.order_line_change_id,
        case change.change_kind when 'cancel' then 'cancelled' when 'substitute' then 'substituted' else 'amended' end,
        'order_line', change.key_prefix || change.order_line_id, line.key_prefix || line.order_id,
        change.changed_when, 'us', change.new_quantity - change.old_quantity, change.reason, change.initiator,
        change.change_kind, cast(line.stock_item_id as varchar), change.source_zone, change.source_system,
        change.order_line_change_id, change.source_batch_id, change.known_from_utc,
    from {{ ref('stg_erp__sales_order_line_changes') }} as change
    left join {{ ref('stg_erp__sales_order_lines') }} as line using (source_system, order_line_id)
    union all
    select
        'reserved:' || reservation.key_prefix || reservation.reservation_id, 'reserved', 'order_line',
        reservation.key_prefix || reservation.order_line_id, line.key_prefix || line.order_id,
        reservation.reserved_when, 'us', reservation.quantity, null, 'system', reservation.kind,
        cast(line.stock_item_id as varchar), reservation.source_zone, reservation.source_system,
        reservation.reservation_id, reservation.source_batch_id, reservation.known_from_utc,
    from {{ ref('stg_erp__sales_reservations') }} as reservation
    left join {{ ref('stg_erp__sales_order_lines') }} as line using (source_system, order_line_id)
    union all
    select
        'deallocated:' || reservation.key_prefix || reservation.reservation_id, 'deallocated', 'order_line',
        reservation.key_prefix || reservation.order_line_id, line.key_prefix || line.order_id,
        reservation.released_when, 'us', -reservation.quantity, null, 'system', reservation.kind,
        cast(line.stock_item_id as varchar), reservation.source_zone, reservation.source_system,
        reservation.reservation_id, reservation.source_batch_id, reservation.known_from_utc,
    from {{ ref('stg_erp__sales_reservations') }} as reservation
    left join {{ ref('stg_erp__sales_order_lines') }} as line using (source_system, order_line_id)
    where reservation.released_when is not null
    union all
    select
        'invoiced:' || invoice.key_prefix || invoice.invoice_id,
        case when invoice.is_credit_note then 'credited' else 'invoiced' end, 'invoice',
        invoice.key_prefix || invoice.invoice_id, invoice.key_prefix || invoice.order_id,
        coalesce(invoice.created_when, cast(invoice.invoice_date as timestamp)),
        case when invoice.created_when is not null then 'us' else 'day' end, null, invoice.credit_note_reason,
        'seller', invoice.shipment_number, null, invoice.source_zone, invoice.source_system, invoice.invoice_id,
        invoice.source_batch_id, invoice.known_from_utc,
    from {{ ref('stg_erp__sales_invoices') }} as invoice
    union all
    select
        'authorized:' || goods_return.key_prefix || goods_return.return_id, 'authorized', 'return',
        goods_return.key_prefix || goods_return.return_id, goods_return.key_prefix || goods_return.order_id,
        goods_return.authorized_when, 'us', null, null, 'seller', null, null, goods_return.source_zone,
        goods_return.source_system, goods_return.return_id, goods_return.source_batch_id, goods_return.known_from_utc,
    from {{ ref('stg_erp__sales_returns') }} as goods_return
    union all
    select
        'return_received:' || goods_return.key_prefix || goods_return.return_id, 'return_received', 'return',
        goods_return.key_prefix || goods_return.return_id, goods_return.key_prefix || goods_return.order_id,
        goods_return.received_when, 'us', null, null, 'customer', null, null, goods_return.source_zone,
        goods_return.source_system, goods_return.return_id, goods_return.source_batch_id, goods_return.known_from_utc,
    from {{ ref('stg_erp__sales_returns') }} as goods_return
    where goods_return.received_when is not null
    union all
    select
        'po_sent:' || orders.key_prefix || orders.purchase_order_id, 'po_sent', 'purchase_order',
        orders.key_prefix || orders.purchase_order_id, null, cast(orders.order_date as timestamp), 'day', null, null,
        'seller', orders.supplier_reference, null, orders.source_zone, orders.source_system, orders.purchase_order_id,
        orders.source_batch_id, orders.known_from_utc,
    from {{ ref('stg_erp__purchasing_purchase_orders') }} as orders
    union all
    select
        'goods_received:' || movement.key_prefix || movement.stock_item_transaction_id, 'goods_received',
        'purchase_order', movement.key_prefix || movement.purchase_order_id, null, movement.transaction_occurred_when,
        'us', movement.quantity, null, 'supplier', null, cast(movement.stock_item_id as varchar),
        movement.source_zone, movement.source_system, movement.stock_item_transaction_id, movement.source_batch_id,
        movement.known_from_utc,
    from {{ ref('stg_erp__warehouse_stock_item_transactions') }} as movement
    where movement.purchase_order_id is not null
)

select
    asserted.*,
    case when asserted.time_precision = 'day' then cast(cast(asserted.local_time as date) as varchar)
        else cast(asserted.local_time as varchar) end as event_time_raw,
    {{ utc_columns('event_time', 'clock', 'asserted.local_time', 'asserted.time_precision') }}
    {{ time_confidence('clock', "'T10'", 'asserted.time_precision') }} as time_confidence,
    {{ time_flags('clock', "'T10'", 'asserted.time_precision') }} as time_flags,
    {{ time_rule('clock', "'T10'", 'asserted.time_precision') }} as time_rule,
    clock.tzdb_version,
from asserted
{{ join_local_time('clock', 'asserted.local_time', 'asserted.source_zone', 'asserted.time_precision') }}
