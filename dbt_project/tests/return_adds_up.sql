-- return vector: authorized = open + received + expired; received = credited + replaced + refused + pending:
-- nothing negative, nothing credited that was not received, nothing received that was not authorized
{{ config(tags=['identity'], severity='warn') }}
select return_line_key,
from {{ ref('can_return_line') }}
where received_qty > authorized_qty or credited_qty > received_qty
    or least(authorized_qty, received_qty, credited_qty) < 0
