-- grain: one shipment with the time it left, before delivery is known
-- a warehouse system asserts it (ship confirmation); without one, what the ERP picked stands for it
{{ config(unique_key=['shipment_key']) }}
{%- if systems_of('wms') %}
with voids as (
    select distinct
        source_system,
        shipment_number,
    from {{ ref('stg_wms__event') }}
    where event_type = 'ship_voided' and shipment_number is not null
),

shipments as (
    select
        shipment.key_prefix || shipment.shipment_number as shipment_key,
        shipment.erp_prefix || shipment.order_number as order_key,
        site.site_key,
        shipment.site_code,
        shipment.shipment_number,
        shipment.carrier,
        shipment.service,
        shipment.tracking_number,
        concat_ws(' ', shipment.ship_date_raw, shipment.ship_time_raw) as shipped_raw,
        substr(shipment.ship_date_raw, 1, 4) || '-' || substr(shipment.ship_date_raw, 5, 2)
        || '-' || substr(shipment.ship_date_raw, 7, 2)
        || case when shipment.ship_time_raw is null then ''
            else ' ' || substr(shipment.ship_time_raw, 1, 2) || ':' || substr(shipment.ship_time_raw, 3, 2)
                || case when length(shipment.ship_time_raw) >= 6
                        then ':' || substr(shipment.ship_time_raw, 5, 2)
                    else ''
                end
        end as shipped_text,
        coalesce(site.zone, shipment.source_zone) as zone,
        case when site.zone is not null then 'T8' else 'T10' end as base_rule,
        shipment.purpose = 'V' or voids.shipment_number is not null as is_void,
        shipment.doc_key as source_key,
        shipment.source_system,
        shipment.erp_system,
        shipment.source_batch_id,
        shipment.known_from_utc,
    from {{ ref('stg_wms__ship_confirmation') }} as shipment
    left join {{ ref('can_site') }} as site
        on site.site_code = shipment.site_code
        and site.source_system in (shipment.erp_system, shipment.source_system)
    left join voids
        on voids.source_system = shipment.source_system
        and voids.shipment_number = shipment.shipment_number
),

timed as (
    select
        *,
        {{ text_precision('shipped_text') }} as shipped_precision,
        {{ parse_local('shipped_text') }} as shipped_local,
    from shipments
)
{%- else %}
with picked as (
    select
        lines.source_system,
        lines.order_id,
        max(lines.picking_completed_when) as picking_completed_when,
    from {{ ref('stg_erp__sales_order_lines') }} as lines
    where lines.picked_quantity > 0
    group by all
),

timed as (
    select
        orders.key_prefix || orders.order_id as shipment_key,
        orders.key_prefix || orders.order_id as order_key,
        site.site_key,
        site.site_code,
        cast(orders.order_id as varchar) as shipment_number,
        cast(null as varchar) as carrier,
        cast(null as varchar) as service,
        cast(null as varchar) as tracking_number,
        cast(picked.picking_completed_when as varchar) as shipped_raw,
        orders.source_zone as zone,
        'T10' as base_rule,
        false as is_void,
        cast(orders.order_id as varchar) as source_key,
        orders.source_system,
        orders.erp_system,
        orders.source_batch_id,
        orders.known_from_utc,
        case when picked.picking_completed_when is null then 'none' else 'us' end as shipped_precision,
        picked.picking_completed_when as shipped_local,
        cast(picked.picking_completed_when as varchar) as shipped_text,
    from {{ ref('stg_erp__sales_orders') }} as orders
    inner join picked using (source_system, order_id)
    left join {{ ref('can_site') }} as site on site.site_key = orders.key_prefix || orders.site_id
)
{%- endif %}

select
    timed.shipment_key,
    timed.order_key,
    coalesce(orders.root_order_key, timed.order_key) as root_order_key,
    timed.site_key,
    timed.site_code,
    root.customer_category,
    root.ship_to_zone,
    orders.order_number,
    timed.shipment_number,
    timed.carrier,
    timed.service,
    timed.tracking_number,
    timed.shipped_raw,
    timed.shipped_local,
    {{ utc_columns('shipped', 'clock', 'timed.shipped_local', 'timed.shipped_precision') }}
    timed.shipped_precision,
    {{ time_confidence('clock', 'timed.base_rule', 'timed.shipped_precision') }} as time_confidence,
    {{ time_flags('clock', 'timed.base_rule', 'timed.shipped_precision', [
        "case when " ~ is_normalized('timed.shipped_text') ~ " then 'normalized' end",
        future_flag(utc_first('clock', 'timed.shipped_local')),
    ]) }} as shipped_flags,
    {{ time_rule('clock', 'timed.base_rule', 'timed.shipped_precision', is_normalized('timed.shipped_text')) }}
        as time_rule,
    timed.zone as tz_name,
    clock.tzdb_version,
    cast(timed.shipped_local as date) as shipped_date,
    timed.is_void,
    timed.source_key,
    timed.source_system,
    timed.erp_system,
    timed.source_batch_id,
    timed.known_from_utc,
from timed
{{ join_local_time('clock', 'timed.shipped_local', 'timed.zone', 'timed.shipped_precision') }}
left join {{ ref('can_sales_order') }} as orders on orders.order_key = timed.order_key
left join {{ ref('can_sales_order') }} as root on root.order_key = coalesce(orders.root_order_key, timed.order_key)
