-- Grain: one item. The row `unknown` stands for an item that no system named.
with items as (

    select * from {{ ref('can_item') }}

)

select
    item_key,
    item_number,
    item_name,
    item_group,
    coalesce(supplier_party_key, 'unknown') as supplier_key,
    base_uom,
    unit_price,
    lead_time_days,
    quantity_per_outer,
    barcode,
    is_stocked,
    is_inferred,
from items

union all

select
    'unknown' as item_key,
    'unknown' as item_number,
    'unknown' as item_name,
    null as item_group,
    'unknown' as supplier_key,
    null as base_uom,
    null as unit_price,
    null as lead_time_days,
    null as quantity_per_outer,
    null as barcode,
    null as is_stocked,
    true as is_inferred
