-- grain: one invoice or credit note
with invoices as (
    select
        invoice.*,
        invoice.key_prefix || invoice.invoice_id as invoice_key,
        invoice.key_prefix || invoice.order_id as order_key,
    from {{ ref('stg_erp__sales_invoices') }} as invoice
),

shipments_by_number as (
    select
        erp_system as source_system,
        shipment_number,
        min(shipment_key) as shipment_key,
    from {{ ref('prt_shipment') }}
    group by all
),

-- a document without a shipment number bills the ERP's own shipment of its order, where there is one
shipments_by_order as (
    select
        source_system,
        order_key,
        min(shipment_key) as shipment_key,
    from {{ ref('prt_shipment') }}
    where source_system = erp_system
    group by all
)

select
    invoice.invoice_key,
    cast(invoice.invoice_id as varchar) as invoice_number,
    invoice.order_key,
    case when invoice.shipment_number is null then by_order.shipment_key else by_number.shipment_key end
        as shipment_key,
    invoice.key_prefix || 'customer:' || coalesce(invoice.bill_to_customer_id, invoice.customer_id)
        as bill_to_party_key,
    coalesce(root.customer_category, party.customer_category) as customer_category,
    coalesce(root.site_code, orders.site_code) as site_code,
    invoice.invoice_date as posting_date,
    {{ utc_columns('created', 'clock', 'invoice.created_when', "'us'") }}
    case when invoice.created_when is not null then 'us' end as created_precision,
    coalesce(invoice.is_credit_note, false) as is_credit,
    invoice.key_prefix || invoice.credited_invoice_id as credited_invoice_key,
    {{ provenance('invoice', 'invoice.invoice_id') }}
from invoices as invoice
{{ join_local_time('clock', 'invoice.created_when', 'invoice.source_zone') }}
left join {{ ref('can_sales_order') }} as orders on orders.order_key = invoice.order_key
left join {{ ref('can_sales_order') }} as root on root.order_key = orders.root_order_key
left join {{ ref('can_party') }} as party on party.party_key = invoice.key_prefix || 'customer:' || invoice.customer_id
left join shipments_by_number as by_number
    on by_number.source_system = invoice.source_system and by_number.shipment_number = invoice.shipment_number
left join shipments_by_order as by_order
    on by_order.source_system = invoice.source_system and by_order.order_key = invoice.order_key
