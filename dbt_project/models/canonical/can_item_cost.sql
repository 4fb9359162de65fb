-- grain: one item at one site by one cost method
select
    holding.key_prefix || holding.stock_item_holding_id as item_cost_key,
    holding.key_prefix || holding.stock_item_id as item_key,
    case when holding.site_id is not null then holding.key_prefix || holding.site_id end as site_key,
    'last_cost' as cost_method,
    holding.last_cost_price as unit_cost,
    {{ utc_first('edited', 'holding.last_edited_when') }} as valid_from_utc,
    {{ provenance('holding', 'holding.stock_item_holding_id') }}
from {{ ref('stg_erp__warehouse_stock_item_holdings') }} as holding
{{ join_local_time('edited', 'holding.last_edited_when', 'holding.source_zone') }}
