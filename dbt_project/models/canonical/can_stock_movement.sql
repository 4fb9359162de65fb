-- grain: one posting of an ERP's stock ledger
select
    movement.key_prefix || movement.stock_item_transaction_id as stock_movement_key,
    kind.transaction_type_name as movement_type,
    movement.key_prefix || movement.stock_item_id as item_key,
    movement.key_prefix || movement.site_id as site_key,
    coalesce(
        movement.key_prefix || 'customer:' || movement.customer_id,
        movement.key_prefix || 'supplier:' || movement.supplier_id
    ) as party_key,
    movement.key_prefix || movement.invoice_id as invoice_key,
    movement.key_prefix || movement.purchase_order_id as purchase_order_key,
    cast(movement.quantity as decimal(18, 4)) as qty,
    {{ utc_columns('moved', 'clock', 'movement.transaction_occurred_when', "'us'") }}
    {{ provenance('movement', 'movement.stock_item_transaction_id') }}
from {{ ref('stg_erp__warehouse_stock_item_transactions') }} as movement
left join {{ ref('stg_erp__application_transaction_types') }} as kind using (source_system, transaction_type_id)
{{ join_local_time('clock', 'movement.transaction_occurred_when', 'movement.source_zone') }}
