-- grain: zone x period of constant UTC offset, from the versioned offset table (contracts/time)
{{ config(materialized='table') }}

select
    zone,
    utc_from,
    utc_until,
    local_from,
    local_until,
    utc_offset_s,
    tzdb_version,
from read_parquet('{{ contracts_dir() }}/time/utc_offset.parquet')
