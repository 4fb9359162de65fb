-- grain: one ERP order number that a child record quotes before the order itself has arrived
{{ config(materialized='view') }}
with quoted as (
    select
        erp_prefix as key_prefix,
        order_number,
        source_system,
        source_batch_id,
        known_from_utc,
    from {{ ref('stg_wms__event') }}
    where order_number is not null
    union all
    select
        erp_prefix as key_prefix,
        order_number,
        source_system,
        source_batch_id,
        known_from_utc,
    from {{ ref('stg_wms__ship_confirmation') }}
    where order_number is not null
    union all
    select
        key_prefix,
        cast(order_id as varchar) as order_number,
        source_system,
        source_batch_id,
        known_from_utc,
    from {{ ref('stg_erp__sales_order_lines') }}
    union all
    select
        key_prefix,
        cast(order_id as varchar) as order_number,
        source_system,
        source_batch_id,
        known_from_utc,
    from {{ ref('stg_erp__sales_invoices') }}
    where order_id is not null
)

select
    key_prefix || order_number as order_key,
    order_number,
    min(source_system) as source_system,
    min(source_batch_id) as source_batch_id,
    min(known_from_utc) as known_from_utc,
from quoted
where key_prefix || order_number not in (select chain.order_key from {{ ref('prt_erp_order_chain') }} as chain)
group by key_prefix, order_number
