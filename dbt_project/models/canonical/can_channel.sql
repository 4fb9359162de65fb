-- grain: one sales channel; one that only the OMS names is inferred
with known as (
    select
        channel.key_prefix || channel.channel_id as channel_key,
        channel.channel_code,
        channel.channel_name,
        {{ provenance('channel', 'channel.channel_id') }}
    from {{ ref('stg_erp__application_channels') }} as channel
),

oms_codes as (
    select
        key_prefix,
        channel_code,
        source_system,
        min(source_batch_id) as source_batch_id,
        min(known_from_utc) as known_from_utc,
    from {{ ref('stg_oms__order') }}
    where channel_code is not null and channel_code not in (select known.channel_code from known)
    group by all
)

select * from known
union all
select
    oms_codes.key_prefix || oms_codes.channel_code as channel_key,
    oms_codes.channel_code,
    oms_codes.channel_code as channel_name,
    {{ provenance('oms_codes', 'oms_codes.channel_code', 'true') }}
from oms_codes
