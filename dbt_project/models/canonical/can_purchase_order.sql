-- grain: one purchase order
select
    orders.key_prefix || orders.purchase_order_id as purchase_order_key,
    cast(orders.purchase_order_id as varchar) as purchase_order_number,
    orders.key_prefix || 'supplier:' || orders.supplier_id as supplier_party_key,
    orders.key_prefix || orders.site_id as site_key,
    site.site_code,
    orders.order_date,
    orders.expected_delivery_date as expected_date,
    {{ utc_first('expected_end', "(cast(orders.expected_delivery_date as timestamp) + interval 1 day)") }}
        as expected_deadline_utc,
    orders.supplier_reference,
    coalesce(orders.is_order_finalized, false) as is_finalized,
    {{ provenance('orders', 'orders.purchase_order_id') }}
from {{ ref('stg_erp__purchasing_purchase_orders') }} as orders
left join {{ ref('can_site') }} as site on site.site_key = orders.key_prefix || orders.site_id
{{ join_local_time(
    'expected_end', "(cast(orders.expected_delivery_date as timestamp) + interval 1 day)",
    "coalesce(site.zone, orders.source_zone)"
) }}
