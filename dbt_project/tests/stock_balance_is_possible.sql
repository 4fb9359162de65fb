-- stock vector of a snapshot: no negative stock, no more allocated than on hand
{{ config(tags=['identity'], severity='warn') }}
select stock_balance_key, on_hand_qty, allocated_qty,
from {{ ref('can_stock_balance') }}
where basis = 'wms_snapshot' and (on_hand_qty < 0 or coalesce(allocated_qty, 0) > on_hand_qty)
