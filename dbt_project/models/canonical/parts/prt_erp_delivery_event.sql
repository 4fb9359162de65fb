-- grain: one carrier event that an ERP keeps on its invoice (returned delivery data); times are on the ERP's clock
-- the invoice stands for the shipment it bills: by its number, else the ERP's own shipment of its order
with invoices as (
    select
        *,
        from_json(returned_delivery_data, '{
            "Events": [{"Event": "VARCHAR", "EventTime": "VARCHAR", "ConNote": "VARCHAR", "Status": "VARCHAR",
                "Comment": "VARCHAR"}],
            "DeliveredWhen": "VARCHAR", "ReceivedBy": "VARCHAR"
        }') as log,
    from {{ ref('stg_erp__sales_invoices') }}
    where returned_delivery_data is not null and not coalesce(is_credit_note, false)
),

logged as (
    select
        invoices.* exclude (log),
        invoices.log.deliveredwhen as delivered_when,
        entry,
        position,
    from invoices, unnest(invoices.log.events) with ordinality as exploded (entry, position)
),

-- the log's own DeliveredWhen, with the receiver's name, is the proof of delivery and outranks an attempt's comment
entries as (
    select
        * exclude (entry),
        entry.connote as tracking_number,
        case
            when entry.eventtime = delivered_when and entry.event = 'DeliveryAttempt' then 'delivered'
            when entry.status = 'Delivered' and delivered_when is null then 'delivered'
            when entry.event = 'DeliveryAttempt' then 'attempted'
            when entry.event = 'Ready for collection' then 'label_created'
            else 'scanned'
        end as event_type,
        concat_ws(' ', entry.event, entry.status, entry.comment) as description,
        entry.eventtime as event_time_raw,
    from logged
),

unlogged_proofs as (
    select
        invoices.* exclude (log),
        invoices.log.deliveredwhen as delivered_when,
        0 as position,
        invoices.log.events[1].connote as tracking_number,
        'delivered' as event_type,
        'Received by ' || coalesce(invoices.log.receivedby, 'unknown') as description,
        delivered_when as event_time_raw,
    from invoices
    where delivered_when is not null
        and not exists (
            select 1 from entries
            where entries.source_system = invoices.source_system
                and entries.invoice_id = invoices.invoice_id
                and entries.event_type = 'delivered'
        )
),

events as (
    select * from entries
    union all by name
    select * from unlogged_proofs
)

select
    shipment.shipment_key,
    shipment.shipment_number,
    shipment.root_order_key,
    events.tracking_number,
    events.event_type,
    events.description,
    replace(events.event_time_raw, 'T', ' ') as event_time_text,
    events.event_time_raw,
    events.source_zone as zone,
    events.key_prefix,
    events.invoice_id || '/' || events.position as source_key,
    events.source_system,
    events.source_batch_id,
    events.known_from_utc,
from events
inner join {{ ref('prt_shipment') }} as shipment
    on shipment.order_key = events.key_prefix || events.order_id
    and shipment.shipment_number = coalesce(events.shipment_number, cast(events.order_id as varchar))
