-- conservation: every carton line of every advice is a canonical shipment line, with the same quantity
{{ config(tags=['identity']) }}
with asserted as (
    select sum(shipped_qty) as qty, count(*) as line_count
    from {{ ref('stg_wms__ship_confirmation_line') }}
    where line_number is not null
),

canonical as (
    select sum(shipped_qty) as qty, count(*) as line_count
    from {{ ref('can_shipment_line') }}
    where source_system in (select source_system from {{ ref('stg_wms__ship_confirmation') }})
)

select asserted.*, canonical.qty as canonical_qty, canonical.line_count as canonical_line_count,
from asserted, canonical
where asserted.line_count <> canonical.line_count or coalesce(asserted.qty, 0) <> coalesce(canonical.qty, 0)
