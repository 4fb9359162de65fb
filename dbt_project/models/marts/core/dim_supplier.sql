-- Grain: one supplier. The row `unknown` stands for a supplier that no system named.
with parties as (

    select * from {{ ref('can_party') }}
    where party_role = 'supplier'

)

select
    party_key as supplier_key,
    party_number as supplier_number,
    party_name as supplier_name,
    supplier_reference,
    payment_days,
    is_inferred,
from parties

union all

select
    'unknown' as supplier_key,
    'unknown' as supplier_number,
    'unknown' as supplier_name,
    null as supplier_reference,
    null as payment_days,
    true as is_inferred
