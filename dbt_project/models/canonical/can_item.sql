-- grain: one item; an item number that only orders or warehouse documents name is inferred
with groups as (
    select
        link.source_system,
        link.stock_item_id,
        arg_min(stock_group.stock_group_name, link.stock_item_stock_group_id) as item_group,
    from {{ ref('stg_erp__warehouse_stock_item_stock_groups') }} as link
    inner join {{ ref('stg_erp__warehouse_stock_groups') }} as stock_group using (source_system, stock_group_id)
    group by all
),

known as (
    select
        item.key_prefix || item.stock_item_id as item_key,
        cast(item.stock_item_id as varchar) as item_number,
        item.stock_item_name as item_name,
        groups.item_group,
        case
            when item.supplier_id is not null
                then item.key_prefix || 'supplier:' || item.supplier_id
        end as supplier_party_key,
        coalesce(item.unit_package, 'EA') as base_uom,
        cast(item.unit_price as decimal(18, 4)) as unit_price,
        cast(item.lead_time_days as integer) as lead_time_days,
        cast(item.quantity_per_outer as integer) as quantity_per_outer,
        item.barcode,
        item.typical_weight_per_unit as weight_per_unit,
        item.tax_rate,
        item.is_stocked,
        item.is_chiller_stock,
        item.row_version as source_row_version,
        {{ provenance('item', 'item.stock_item_id') }}
    from {{ ref('stg_erp__warehouse_stock_items') }} as item
    left join groups using (source_system, stock_item_id)
),

named as (
    select
        erp_prefix as key_prefix,
        item_number,
        source_system,
    from {{ ref('stg_oms__order_line') }}
    union all
    select
        erp_prefix as key_prefix,
        item_number,
        source_system,
    from {{ ref('stg_wms__event') }}
    union all
    select
        erp_prefix as key_prefix,
        item_number,
        source_system,
    from {{ ref('stg_wms__ship_confirmation_line') }}
    union all
    select
        erp_prefix as key_prefix,
        item_number,
        source_system,
    from {{ ref('stg_wms__stock_report') }}
    union all
    select
        key_prefix,
        cast(stock_item_id as varchar) as item_number,
        source_system,
    from {{ ref('stg_erp__sales_order_lines') }}
),

missing as (
    select
        key_prefix,
        item_number,
        min(source_system) as source_system,
        cast(null as bigint) as source_batch_id,
        cast(null as timestamp) as known_from_utc,
    from named
    where item_number is not null
    group by all
    having key_prefix || item_number not in (select known.item_key from known)
)

select * from known
union all by name
select
    missing.key_prefix || missing.item_number as item_key,
    missing.item_number,
    'EA' as base_uom,
    {{ provenance('missing', 'missing.item_number', 'true') }}
from missing
