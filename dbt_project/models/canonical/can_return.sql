-- grain: one return authorization
select
    goods_return.key_prefix || goods_return.return_id as return_key,
    goods_return.key_prefix || goods_return.order_id as order_key,
    goods_return.key_prefix || 'customer:' || goods_return.customer_id as party_key,
    {{ utc_first('authorized', 'goods_return.authorized_when') }} as authorized_utc,
    {{ utc_first('received', 'goods_return.received_when') }} as received_utc,
    goods_return.key_prefix || goods_return.credited_invoice_id as credited_invoice_key,
    {{ provenance('goods_return', 'goods_return.return_id') }}
from {{ ref('stg_erp__sales_returns') }} as goods_return
{{ join_local_time('authorized', 'goods_return.authorized_when', 'goods_return.source_zone') }}
{{ join_local_time('received', 'goods_return.received_when', 'goods_return.source_zone') }}
