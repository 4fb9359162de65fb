-- grain: one item x site per ERP; times are naive, in source_zone
{{ union_systems('erp', 'warehouse_stock_item_holdings', [
    ['stock_item_holding_id', 'bigint'],
    ['stock_item_id', 'bigint'],
    ['site_id', 'bigint'],
    ['quantity_on_hand', 'bigint'],
    ['last_cost_price', 'decimal(18,4)'],
    ['last_edited_when', 'timestamp'],
]) }}
