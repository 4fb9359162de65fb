-- grain: one event an ERP asserts, with its time in UTC; dates without a time of day are whole days (T14)
{{ config(materialized='view') }}
with asserted as (
    select
        'received:' || orders.order_key as event_key,
        'received' as event_type,
        'order' as object_type,
        orders.order_key as object_key,
        orders.order_key,
        cast(orders.root_order_date as timestamp) as local_time,
        'day' as time_precision,
        cast(null as decimal(18, 4)) as qty,
        cast(null as varchar) as reason,
        cast(null as varchar) as initiator,
        cast(null as varchar) as detail,
        cast(null as varchar) as item_number,
        orders.source_zone,
        orders.source_system,
        orders.order_number as source_key,
        orders.source_batch_id,
        orders.known_from_utc,
    from {{ ref('prt_order') }} as orders
    where orders.chain_depth = 0 and orders.oms_created_utc is null and orders.root_order_date is not null
    union all
    select
        'held:' || hold.key_prefix || hold.order_hold_id as event_key,
        'held' as event_type,
        'order' as object_type,
        hold.key_prefix || hold.order_id as object_key,
        hold.key_prefix || hold.order_id as order_key,
        hold.placed_when as local_time,
        'us' as time_precision,
        null as qty,
        hold.hold_kind as reason,
        'seller' as initiator,
        null as detail,
        null as item_number,
        hold.source_zone,
        hold.source_system,
        hold.order_hold_id as source_key,
        hold.source_batch_id,
        hold.known_from_utc,
    from {{ ref('stg_erp__sales_order_holds') }} as hold
    union all
    select
        'hold_released:' || hold.key_prefix || hold.order_hold_id as event_key,
        'hold_released' as event_type,
        'order' as object_type,
        hold.key_prefix || hold.order_id as object_key,
        hold.key_prefix || hold.order_id as order_key,
        hold.released_when as local_time,
        'us' as time_precision,
        null as qty,
        hold.hold_kind as reason,
        'seller' as initiator,
        hold.released_by as detail,
        null as item_number,
        hold.source_zone,
        hold.source_system,
        hold.order_hold_id as source_key,
        hold.source_batch_id,
        hold.known_from_utc,
    from {{ ref('stg_erp__sales_order_holds') }} as hold
    where hold.released_when is not null
    union all
    select
        'changed:' || change.key_prefix || change.order_line_change_id as event_key,
        case change.change_kind when 'cancel' then 'cancelled' when 'substitute' then 'substituted' else 'amended' end as event_type,
        'order_line' as object_type,
        change.key_prefix || change.order_line_id as object_key,
        line.key_prefix || line.order_id as order_key,
        change.changed_when as local_time,
        'us' as time_precision,
        change.new_quantity - change.old_quantity as qty,
        change.reason,
        change.initiator,
        change.change_kind as detail,
        cast(line.stock_item_id as varchar) as item_number,
        change.source_zone,
        change.source_system,
        change.order_line_change_id as source_key,
        change.source_batch_id,
        change.known_from_utc,
    from {{ ref('stg_erp__sales_order_line_changes') }} as change
    left join {{ ref('stg_erp__sales_order_lines') }} as line using (source_system, order_line_id)
    union all
    select
        'reserved:' || reservation.key_prefix || reservation.reservation_id as event_key,
        'reserved' as event_type,
        'order_line' as object_type,
        reservation.key_prefix || reservation.order_line_id as object_key,
        line.key_prefix || line.order_id as order_key,
        reservation.reserved_when as local_time,
        'us' as time_precision,
        reservation.quantity as qty,
        null as reason,
        'system' as initiator,
        reservation.kind as detail,
        cast(line.stock_item_id as varchar) as item_number,
        reservation.source_zone,
        reservation.source_system,
        reservation.reservation_id as source_key,
        reservation.source_batch_id,
        reservation.known_from_utc,
    from {{ ref('stg_erp__sales_reservations') }} as reservation
    left join {{ ref('stg_erp__sales_order_lines') }} as line using (source_system, order_line_id)
    union all
    select
        'deallocated:' || reservation.key_prefix || reservation.reservation_id as event_key,
        'deallocated' as event_type,
        'order_line' as object_type,
        reservation.key_prefix || reservation.order_line_id as object_key,
        line.key_prefix || line.order_id as order_key,
        reservation.released_when as local_time,
        'us' as time_precision,
        -reservation.quantity as qty,
        null as reason,
        'system' as initiator,
        reservation.kind as detail,
        cast(line.stock_item_id as varchar) as item_number,
        reservation.source_zone,
        reservation.source_system,
        reservation.reservation_id as source_key,
        reservation.source_batch_id,
        reservation.known_from_utc,
    from {{ ref('stg_erp__sales_reservations') }} as reservation
    left join {{ ref('stg_erp__sales_order_lines') }} as line using (source_system, order_line_id)
    where reservation.released_when is not null
    union all
    select
        'invoiced:' || invoice.key_prefix || invoice.invoice_id as event_key,
        case when invoice.is_credit_note then 'credited' else 'invoiced' end as event_type,
        'invoice' as object_type,
        invoice.key_prefix || invoice.invoice_id as object_key,
        invoice.key_prefix || invoice.order_id as order_key,
        coalesce(invoice.created_when, cast(invoice.invoice_date as timestamp)) as local_time,
        case when invoice.created_when is not null then 'us' else 'day' end as time_precision,
        null as qty,
        invoice.credit_note_reason as reason,
        'seller' as initiator,
        invoice.shipment_number as detail,
        null as item_number,
        invoice.source_zone,
        invoice.source_system,
        invoice.invoice_id as source_key,
        invoice.source_batch_id,
        invoice.known_from_utc,
    from {{ ref('stg_erp__sales_invoices') }} as invoice
    union all
    select
        'authorized:' || goods_return.key_prefix || goods_return.return_id as event_key,
        'authorized' as event_type,
        'return' as object_type,
        goods_return.key_prefix || goods_return.return_id as object_key,
        goods_return.key_prefix || goods_return.order_id as order_key,
        goods_return.authorized_when as local_time,
        'us' as time_precision,
        null as qty,
        null as reason,
        'seller' as initiator,
        null as detail,
        null as item_number,
        goods_return.source_zone,
        goods_return.source_system,
        goods_return.return_id as source_key,
        goods_return.source_batch_id,
        goods_return.known_from_utc,
    from {{ ref('stg_erp__sales_returns') }} as goods_return
    union all
    select
        'return_received:' || goods_return.key_prefix || goods_return.return_id as event_key,
        'return_received' as event_type,
        'return' as object_type,
        goods_return.key_prefix || goods_return.return_id as object_key,
        goods_return.key_prefix || goods_return.order_id as order_key,
        goods_return.received_when as local_time,
        'us' as time_precision,
        null as qty,
        null as reason,
        'customer' as initiator,
        null as detail,
        null as item_number,
        goods_return.source_zone,
        goods_return.source_system,
        goods_return.return_id as source_key,
        goods_return.source_batch_id,
        goods_return.known_from_utc,
    from {{ ref('stg_erp__sales_returns') }} as goods_return
    where goods_return.received_when is not null
    union all
    select
        'po_sent:' || orders.key_prefix || orders.purchase_order_id as event_key,
        'po_sent' as event_type,
        'purchase_order' as object_type,
        orders.key_prefix || orders.purchase_order_id as object_key,
        null as order_key,
        cast(orders.order_date as timestamp) as local_time,
        'day' as time_precision,
        null as qty,
        null as reason,
        'seller' as initiator,
        orders.supplier_reference as detail,
        null as item_number,
        orders.source_zone,
        orders.source_system,
        orders.purchase_order_id as source_key,
        orders.source_batch_id,
        orders.known_from_utc,
    from {{ ref('stg_erp__purchasing_purchase_orders') }} as orders
    union all
    select
        'goods_received:' || movement.key_prefix || movement.stock_item_transaction_id as event_key,
        'goods_received' as event_type,
        'purchase_order' as object_type,
        movement.key_prefix || movement.purchase_order_id as object_key,
        null as order_key,
        movement.transaction_occurred_when as local_time,
        'us' as time_precision,
        movement.quantity as qty,
        null as reason,
        'supplier' as initiator,
        null as detail,
        cast(movement.stock_item_id as varchar) as item_number,
        movement.source_zone,
        movement.source_system,
        movement.stock_item_transaction_id as source_key,
        movement.source_batch_id,
        movement.known_from_utc,
    from {{ ref('stg_erp__warehouse_stock_item_transactions') }} as movement
    where movement.purchase_order_id is not null
)

select
    asserted.*,
    case
        when asserted.time_precision = 'day' then cast(cast(asserted.local_time as date) as varchar)
        else cast(asserted.local_time as varchar)
    end as event_time_raw,
    {{ utc_columns('event_time', 'clock', 'asserted.local_time', 'asserted.time_precision') }}
    {{ time_confidence('clock', "'T10'", 'asserted.time_precision') }} as time_confidence,
    {{ time_flags('clock', "'T10'", 'asserted.time_precision') }} as time_flags,
    {{ time_rule('clock', "'T10'", 'asserted.time_precision') }} as time_rule,
    clock.tzdb_version,
from asserted
{{ join_local_time('clock', 'asserted.local_time', 'asserted.source_zone', 'asserted.time_precision') }}
