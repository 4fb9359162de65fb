-- grain: one order; owner OMS, the ERP speaks where the OMS is silent
-- a child order carries its root's received time, first commit and deadlines
with placed as (
    select
        orders.*,
        coalesce(site.site_code, root_site.site_code) as site_code,
        coalesce(root_site.zone, site.zone) as site_zone,
        coalesce(site.legal_entity_key, root_site.legal_entity_key) as legal_entity_key,
        party.customer_category,
        party.bill_to_party_key,
        coalesce(orders.oms_ship_to_zone, party.zone, root_site.zone, orders.source_zone) as ship_to_zone,
        coalesce(
            orders.channel_key, channel.channel_key, orders.oms_key_prefix || orders.oms_channel_code
        ) as any_channel_key,
        coalesce(orders.first_promised_date, orders.root_expected_date) as first_commit_date,
        coalesce(orders.current_promised_date, orders.expected_date, orders.root_expected_date)
            as current_commit_date,
        coalesce(orders.oms_status_raw, orders.erp_status_raw) as status_raw,
        case when orders.oms_status_raw is not null then 'oms' else 'erp' end as status_role,
        cast(orders.root_order_date as timestamp) as order_day,
        cast(first_commit_date as timestamp) + interval 1 day as commit_end,
    from {{ ref('prt_order') }} as orders
    left join {{ ref('can_site') }} as site on site.site_key = orders.site_key
    left join {{ ref('can_site') }} as root_site on root_site.site_key = orders.root_site_key
    left join {{ ref('can_party') }} as party on party.party_key = orders.ship_to_party_key
    left join {{ ref('can_channel') }} as channel
        on channel.channel_code = orders.oms_channel_code
        and (channel.source_system = orders.source_system or channel.is_inferred)
),

-- the site's clock decides commits; an order without a site yet is read on the ship-to clock
zoned as (
    select
        *,
        coalesce(site_zone, source_zone, ship_to_zone) as clock,
    from placed
)

select
    zoned.order_key,
    zoned.root_order_key,
    zoned.parent_order_key,
    cast(zoned.chain_depth as integer) as chain_depth,
    zoned.legal_entity_key,
    zoned.any_channel_key as channel_key,
    zoned.bill_to_party_key,
    zoned.ship_to_party_key,
    zoned.customer_category,
    zoned.site_key,
    zoned.site_code,
    zoned.order_number,
    zoned.oms_order_number,
    coalesce(zoned.customer_po, zoned.oms_customer_po) as customer_po,
    coalesce(zoned.oms_created_utc, {{ utc_central('day_start', 'zoned.order_day', "'day'") }})
        as order_received_utc,
    coalesce(zoned.oms_created_utc, {{ utc_first('day_start', 'zoned.order_day') }}) as order_received_utc_min,
    coalesce(
        zoned.oms_created_utc + interval 1 second, {{ utc_end('day_start', 'zoned.order_day', "'day'") }}
    ) as order_received_utc_max,
    case
        when zoned.oms_created_utc is not null then 's'
        when zoned.order_day is not null then 'day'
    end as order_received_precision,
    cast(coalesce({{ local_of('received_clock', 'zoned.oms_created_utc') }}, zoned.order_day) as date)
        as order_received_date,
    zoned.first_commit_date,
    zoned.current_commit_date,
    {{ utc_first('site_end', 'zoned.commit_end') }} as commit_deadline_utc,
    {{ utc_first('ship_to_end', 'zoned.commit_end') }} as delivery_deadline_utc,
    zoned.ship_to_zone,
    zoned.status_raw,
    case
        when zoned.status_raw is not null then coalesce(codes.status, 'unmapped')
        when zoned.picking_completed_when is not null then 'shipped'
        else 'open'
    end as status,
    not zoned.is_test and not zoned.is_inferred as is_in_scope,
    {{ provenance('zoned', 'zoned.order_number', 'zoned.is_inferred') }}
from zoned
{{ join_local_time('day_start', 'zoned.order_day', 'zoned.clock', "'day'") }}
{{ join_local_time('site_end', 'zoned.commit_end', 'zoned.clock') }}
{{ join_local_time('ship_to_end', 'zoned.commit_end', 'zoned.ship_to_zone') }}
{{ join_utc_offset('received_clock', 'zoned.oms_created_utc', 'zoned.clock') }}
left join {{ ref('codes_order_status') }} as codes
    on codes.role = zoned.status_role and codes.status_raw = lower(zoned.status_raw)
