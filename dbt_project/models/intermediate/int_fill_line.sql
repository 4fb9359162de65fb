-- Grain: one root order line. Owed and filled quantity by variant; a line that is not measured says why (rule R4).
{{ config(materialized='table', unique_key=['root_order_line_key'], schema='intermediate') }}

with lines as (

    select * from {{ ref('can_order_line') }}
    where root_order_line_key = order_line_key

),

root_orders as (

    select * from {{ ref('int_root_order') }}

),

demand as (

    select * from {{ ref('int_line_demand') }}

),

shipped as (

    select * from {{ ref('int_line_shipped') }}

),

joined as (

    select
        lines.order_line_key as root_order_line_key,
        lines.root_order_key,
        lines.item_key,
        lines.item_group,
        lines.unit_price,
        root_orders.site_code,
        root_orders.customer_category,
        root_orders.first_commit_date,
        coalesce(root_orders.has_backorder, false) as has_backorder,
        demand.ordered_original_qty,
        demand.customer_change_qty,
        demand.seller_change_qty,
        demand.has_unknown_initiator,
        demand.effective_qty,
        case
            when not lines.is_goods then 'not_goods'
            when lines.substitutes_order_line_key is not null then 'substitute'
            when not coalesce(root_orders.is_in_scope, false) then 'out_of_scope'
            when lines.ordered_original_qty <= 0 and demand.effective_qty <= 0 then 'zero_or_negative'
            when demand.effective_qty <= 0 then 'cancelled_by_customer'
            when not root_orders.is_commit_due then 'not_due'
        end as exclusion_reason,
        {%- for variant in kpi_fill_bounds() %}
        cast(coalesce(shipped.{{ variant }}_qty, 0) as decimal(18, 4)) as {{ variant }}_qty,
        {%- endfor %}
        shipped.last_shipped_utc,
    from lines
    inner join demand
        on demand.root_order_line_key = lines.order_line_key
    left join root_orders
        on root_orders.root_order_key = lines.root_order_key
    left join shipped
        on shipped.root_order_line_key = lines.order_line_key

)

select
    root_order_line_key,
    root_order_key,
    item_key,
    item_group,
    site_code,
    customer_category,
    first_commit_date,
    has_backorder,
    exclusion_reason is null as is_measured,
    exclusion_reason,
    unit_price,
    ordered_original_qty,
    customer_change_qty,
    seller_change_qty,
    has_unknown_initiator,
    effective_qty,
    {%- for variant in kpi_fill_bounds() %}
    {{ variant }}_qty,
    -- rule R3: over-shipment of one line never pays for another
    least({{ variant }}_qty, effective_qty) as filled_{{ variant }}_qty,
    {{ variant }}_qty >= effective_qty as is_complete_{{ variant }},
    {%- endfor %}
    greatest(to_date_qty - effective_qty, 0) as over_shipped_qty,
    last_shipped_utc,
from joined
