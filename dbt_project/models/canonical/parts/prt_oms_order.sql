-- grain: one OMS order with the key it has in the canonical model: its ERP order's once the ERP has it, else its own
-- match: the ERP root order quotes the OMS number (explicit id); an OMS that names its ERP is matched with that one
-- alone, another with the first connected ERP that quotes it
{{ config(unique_key=['source_system', 'oms_order_number']) }}
{%- set of_one_erp = ["''"] %}
{%- for oms in systems_of('oms') if oms.erp is defined %}{% do of_one_erp.append(sql_text(oms.system)) %}{% endfor %}
with roots as (
    select
        orders.oms_order_number,
        orders.source_system as root_system,
        orders.system_rank as root_rank,
        chain.order_key as root_key,
    from {{ ref('stg_erp__sales_orders') }} as orders
    inner join {{ ref('prt_erp_order_chain') }} as chain using (source_system, order_id)
    where orders.oms_order_number is not null and chain.chain_depth = 0
    qualify
        row_number() over (
            partition by orders.source_system, orders.oms_order_number order by orders.order_id
        ) = 1
),

matched as (
    select
        oms.*,
        roots.root_key,
    from {{ ref('stg_oms__order') }} as oms
    left join roots
        on roots.oms_order_number = oms.oms_order_number
        and (roots.root_system = oms.erp_system or oms.source_system not in ({{ of_one_erp | join(', ') }}))
    qualify row_number() over (partition by oms.source_system, oms.oms_order_number order by roots.root_rank) = 1
)

select
    * exclude (root_key),
    coalesce(root_key, key_prefix || oms_order_number) as order_key,
    root_key is not null as is_in_erp,
    {{ utc_from_z('created_at_raw') }} as created_utc,
    {{ utc_from_z('updated_at_raw') }} as updated_utc,
from matched
qualify row_number() over (partition by coalesce(root_key, key_prefix || oms_order_number) order by system_rank) = 1
