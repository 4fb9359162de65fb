-- Grain: one sales channel. The row `unknown` stands for an order whose channel no system named.
with channels as (

    select * from {{ ref('can_channel') }}

)

select
    channel_key,
    channel_code,
    channel_name,
    is_inferred,
from channels

union all

select
    'unknown' as channel_key,
    'unknown' as channel_code,
    'unknown' as channel_name,
    true as is_inferred
