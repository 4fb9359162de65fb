-- grain: one order line; what was ordered is the OMS's word, else the ERP's before its first change
with first_change as (
    select
        source_system,
        order_line_id,
        arg_min(old_quantity, (changed_when, order_line_change_id)) as old_quantity,
    from {{ ref('stg_erp__sales_order_line_changes') }}
    where change_kind in ('quantity', 'cancel', 'substitute') and old_quantity is not null
    group by all
),

oms_lines as (
    select * from {{ ref('prt_oms_line') }}
    where is_in_erp
    qualify row_number() over (partition by order_line_key order by line_number) = 1
),

erp as (
    select
        line_chain.order_line_key,
        lines.key_prefix || lines.order_id as order_key,
        line_chain.root_order_line_key,
        case
            when lines.parent_order_line_id is not null
                then lines.key_prefix || lines.parent_order_line_id
        end as parent_order_line_key,
        case
            when lines.substitute_for_line_id is not null
                then lines.key_prefix || lines.substitute_for_line_id
        end as substitutes_order_line_key,
        lines.key_prefix || lines.stock_item_id as item_key,
        coalesce(cast(lines.oms_line_no as varchar), cast(lines.order_line_id as varchar)) as line_number,
        coalesce(
            oms_lines.ordered_qty, cast(first_change.old_quantity as decimal(18, 4)),
            cast(lines.quantity as decimal(18, 4))
        ) as ordered_original_qty,
        coalesce(oms_lines.current_qty, cast(lines.quantity as decimal(18, 4))) as current_qty,
        oms_lines.uom,
        cast(lines.unit_price as decimal(18, 4)) as unit_price,
        cast(lines.picked_quantity as decimal(18, 4)) as picked_qty,
        oms_lines.status_raw,
        {{ provenance('lines', 'lines.order_line_id') }}
    from {{ ref('stg_erp__sales_order_lines') }} as lines
    inner join {{ ref('prt_erp_line_chain') }} as line_chain using (source_system, order_line_id)
    left join oms_lines on oms_lines.order_line_key = line_chain.order_line_key
    left join first_change
        on first_change.source_system = lines.source_system and first_change.order_line_id = lines.order_line_id
),

oms_only as (
    select
        lines.order_line_key,
        lines.order_key,
        lines.order_line_key as root_order_line_key,
        lines.erp_prefix || lines.item_number as item_key,
        lines.line_number,
        lines.ordered_qty as ordered_original_qty,
        lines.current_qty,
        lines.uom,
        lines.unit_price,
        lines.status_raw,
        {{ provenance('lines', "lines.oms_order_number || '/' || lines.line_number") }}
    from {{ ref('prt_oms_line') }} as lines
    where not lines.is_in_erp
),

inferred as (
    select
        lines.order_line_key,
        lines.order_key,
        lines.order_line_key as root_order_line_key,
        lines.item_key,
        lines.line_number,
        cast(0 as decimal(18, 4)) as ordered_original_qty,
        {{ provenance('lines', 'lines.line_number', 'true') }}
    from {{ ref('prt_inferred_line') }} as lines
),

every_line as (
    select * from erp
    union all by name
    select * from oms_only
    union all by name
    select * from inferred
)

select
    every_line.order_line_key,
    every_line.order_key,
    coalesce(orders.root_order_key, every_line.order_key) as root_order_key,
    every_line.root_order_line_key,
    every_line.parent_order_line_key,
    every_line.substitutes_order_line_key,
    every_line.item_key,
    item.item_group,
    every_line.line_number,
    every_line.ordered_original_qty,
    coalesce(every_line.uom, item.base_uom) as uom,
    cast(1 as decimal(18, 6)) as base_qty_factor,
    every_line.unit_price,
    coalesce(item.base_uom, every_line.uom) as price_unit,
    entity.currency,
    case when item.is_stocked = false then 'drop_ship' else 'stock' end as fulfilment_mode,
    true as is_goods,
    every_line.picked_qty,
    every_line.current_qty,
    every_line.status_raw,
    every_line.source_system,
    every_line.source_key,
    every_line.source_batch_id,
    every_line.known_from_utc,
    every_line.is_inferred,
    every_line.contract_version,
from every_line
left join {{ ref('can_sales_order') }} as orders on orders.order_key = every_line.order_key
left join {{ ref('can_item') }} as item on item.item_key = every_line.item_key
left join {{ ref('can_legal_entity') }} as entity on entity.legal_entity_key = orders.legal_entity_key
