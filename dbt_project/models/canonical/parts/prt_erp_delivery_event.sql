-- grain: one carrier event that an ERP keeps on its invoice (returned delivery data); times are on the ERP's clock
-- the invoice stands for the shipment it bills: by its number, else the ERP's own shipment of its order
with invoices as (
    select
        *,
        from_json(returned_delivery_data, '{
            "Events": [{"Event": "VARCHAR", "EventTime": "VARCHAR", "ConNote": "VARCHAR", "Status": "VARCHAR",
                "Comment": "VARCHAR"}]
        }').Events as events,
    from {{ ref('stg_erp__sales_invoices') }}
    where returned_delivery_data is not null and not coalesce(is_credit_note, false)
)

select
    shipment.shipment_key,
    shipment.shipment_number,
    shipment.root_order_key,
    entry.ConNote as tracking_number,
    case
        when entry.Event = 'DeliveryAttempt' and entry.Status = 'Delivered' then 'delivered'
        when entry.Event = 'DeliveryAttempt' then 'attempted'
        when entry.Event = 'Ready for collection' then 'label_created'
        else 'scanned'
    end as event_type,
    concat_ws(' ', entry.Event, entry.Status, entry.Comment) as description,
    replace(entry.EventTime, 'T', ' ') as event_time_text,
    entry.EventTime as event_time_raw,
    invoices.source_zone as zone,
    invoices.key_prefix,
    invoices.invoice_id || '/' || position as source_key,
    invoices.source_system,
    invoices.source_batch_id,
    invoices.known_from_utc,
from invoices, unnest(invoices.events) with ordinality as exploded (entry, position)
inner join {{ ref('prt_shipment') }} as shipment
    on shipment.order_key = invoices.key_prefix || invoices.order_id
    and shipment.shipment_number = coalesce(invoices.shipment_number, cast(invoices.order_id as varchar))
