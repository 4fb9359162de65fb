-- grain: one fact and role, from contracts/codes/ownership.csv
select
    fact || '|' || role || '|' || valid_from as ownership_key,
    fact,
    role,
    cast(precedence as integer) as precedence,
    otherwise,
    cast(valid_from as date) as valid_from,
    cast(valid_to as date) as valid_to,
    'contracts' as source_system,
    fact || '|' || role as source_key,
    cast(null as bigint) as source_batch_id,
    cast(null as timestamp) as known_from_utc,
    false as is_inferred,
    '1.0.0' as contract_version,
from {{ ref('codes_ownership') }}
