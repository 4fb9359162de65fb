-- grain: one promise; an order the OMS does not know has the ERP's expected date as its only one
select
    promise.key_prefix || promise.oms_order_number || '/' || promise.promise_version as schedule_line_key,
    orders.order_key,
    cast(null as varchar) as order_line_key,
    promise.promise_version,
    promise.promised_date,
    {{ utc_from_z('promise.made_at_raw') }} as made_utc,
    cast(null as decimal(18, 4)) as promised_qty,
    {{ provenance('promise', "promise.oms_order_number || '/' || promise.promise_version") }}
from {{ ref('stg_oms__promise') }} as promise
inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
union all
select
    orders.order_key || '/1' as schedule_line_key,
    orders.order_key,
    null as order_line_key,
    1 as promise_version,
    orders.root_expected_date as promised_date,
    null as made_utc,
    null as promised_qty,
    {{ provenance('orders', "orders.order_number || '/1'") }}
from {{ ref('prt_order') }} as orders
where orders.oms_created_utc is null and orders.chain_depth = 0 and orders.root_expected_date is not null
