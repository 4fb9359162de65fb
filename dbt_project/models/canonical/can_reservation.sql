-- grain: one reservation of stock for one line
select
    reservation.key_prefix || reservation.reservation_id as reservation_key,
    reservation.key_prefix || reservation.order_line_id as order_line_key,
    case when reservation.site_id is not null then reservation.key_prefix || reservation.site_id end as site_key,
    lower(reservation.kind) as reservation_kind,
    cast(reservation.quantity as decimal(18, 4)) as qty,
    {{ utc_first('reserved', 'reservation.reserved_when') }} as reserved_utc,
    {{ utc_first('released', 'reservation.released_when') }} as released_utc,
    {{ provenance('reservation', 'reservation.reservation_id') }}
from {{ ref('stg_erp__sales_reservations') }} as reservation
{{ join_local_time('reserved', 'reservation.reserved_when', 'reservation.source_zone') }}
{{ join_local_time('released', 'reservation.released_when', 'reservation.source_zone') }}
