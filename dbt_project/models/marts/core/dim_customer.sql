-- Grain: one customer. The row `unknown` stands for a customer that no system named.
with parties as (

    select * from {{ ref('can_party') }}
    where party_role = 'customer'

)

select
    party_key as customer_key,
    party_number as customer_number,
    party_name as customer_name,
    customer_category,
    buying_group,
    bill_to_party_key as bill_to_customer_key,
    zone,
    postal_code,
    credit_limit as credit_limit_amt,
    is_on_credit_hold,
    payment_days,
    is_inferred,
from parties

union all

select
    'unknown' as customer_key,
    'unknown' as customer_number,
    'unknown' as customer_name,
    null as customer_category,
    null as buying_group,
    null as bill_to_customer_key,
    null as zone,
    null as postal_code,
    null as credit_limit_amt,
    null as is_on_credit_hold,
    null as payment_days,
    true as is_inferred
