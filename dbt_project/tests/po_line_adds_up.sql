-- purchase order vector: ordered + over-received = open + received + cancelled, no part negative
{{ config(tags=['identity']) }}
select po_line_key,
from {{ ref('can_po_line') }}
where ordered_qty + over_received_qty <> open_qty + received_qty + cancelled_qty
    or least(ordered_qty, received_qty, open_qty, cancelled_qty, over_received_qty) < 0
