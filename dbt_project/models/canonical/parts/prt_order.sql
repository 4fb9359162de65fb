-- grain: one order of any kind, before times: ERP orders, OMS orders the ERP has not taken, inferred orders
{{ config(unique_key=['order_key']) }}
with promises as (
    select
        source_system,
        oms_order_number,
        arg_min(promised_date, promise_version) as first_promised_date,
        arg_max(promised_date, promise_version) as current_promised_date,
    from {{ ref('stg_oms__promise') }}
    group by all
),

oms as (
    select
        orders.*,
        promises.first_promised_date,
        promises.current_promised_date,
    from {{ ref('prt_oms_order') }} as orders
    left join promises using (source_system, oms_order_number)
),

erp as (
    select
        chain.order_key,
        chain.root_order_key,
        chain.parent_order_key,
        chain.chain_depth,
        orders.key_prefix,
        cast(orders.order_id as varchar) as order_number,
        orders.oms_order_number,
        orders.customer_purchase_order_number as customer_po,
        orders.key_prefix || 'customer:' || orders.customer_id as ship_to_party_key,
        case when orders.site_id is not null then orders.key_prefix || orders.site_id end as site_key,
        case when orders.channel_id is not null then orders.key_prefix || orders.channel_id end as channel_key,
        cast(null as varchar) as channel_code,
        orders.order_date,
        orders.expected_delivery_date as expected_date,
        orders.order_status as erp_status_raw,
        orders.picking_completed_when,
        orders.source_zone,
        false as is_inferred,
        orders.source_system,
        orders.source_batch_id,
        orders.known_from_utc,
    from {{ ref('stg_erp__sales_orders') }} as orders
    inner join {{ ref('prt_erp_order_chain') }} as chain using (source_system, order_id)
),

oms_only as (
    select
        order_key,
        order_key as root_order_key,
        0 as chain_depth,
        key_prefix,
        oms_order_number as order_number,
        oms_order_number,
        customer_po,
        erp_prefix || 'customer:' || customer_ref as ship_to_party_key,
        channel_code,
        source_zone,
        false as is_inferred,
        source_system,
        source_batch_id,
        known_from_utc,
    from oms
    where not is_in_erp
),

inferred as (
    select
        order_key,
        order_key as root_order_key,
        0 as chain_depth,
        order_number,
        true as is_inferred,
        source_system,
        source_batch_id,
        known_from_utc,
    from {{ ref('prt_inferred_order') }}
),

every_order as (
    select * from erp
    union all by name
    select * from oms_only
    union all by name
    select * from inferred
)

select
    every_order.*,
    root.site_key as root_site_key,
    root.expected_date as root_expected_date,
    root.order_date as root_order_date,
    root_oms.created_utc as oms_created_utc,
    root_oms.first_promised_date,
    root_oms.current_promised_date,
    root_oms.ship_to_zone as oms_ship_to_zone,
    root_oms.channel_code as oms_channel_code,
    root_oms.key_prefix as oms_key_prefix,
    root_oms.customer_po as oms_customer_po,
    coalesce(root_oms.is_test, false) as is_test,
    case when every_order.chain_depth = 0 then root_oms.status_raw end as oms_status_raw,
from every_order
left join every_order as root on root.order_key = every_order.root_order_key
left join oms as root_oms on root_oms.order_key = every_order.root_order_key
