-- Items, what they cost, how much there is and every movement.
-- Timestamps are local times of the company's head office, without zone.
-- No foreign keys: the bulk load fills tables in any order.
create schema warehouse;

create table warehouse.stock_groups (
    stock_group_id integer primary key,
    stock_group_name text not null
);

create table warehouse.stock_items (
    stock_item_id integer primary key,
    stock_item_name text not null,
    supplier_id integer not null,
    unit_package text not null,
    quantity_per_outer integer not null,
    unit_price numeric(18,2) not null,
    tax_rate numeric(9,3) not null,
    typical_weight_per_unit numeric(18,3) not null,
    lead_time_days integer not null,
    barcode text,
    is_chiller_stock boolean not null,
    is_stocked boolean not null,
    row_version bigint not null,
    last_edited_when timestamp not null
);

create table warehouse.stock_item_stock_groups (
    stock_item_stock_group_id integer primary key,
    stock_item_id integer not null,
    stock_group_id integer not null
);

create table warehouse.stock_item_holdings (
    stock_item_holding_id integer primary key,
    stock_item_id integer not null,
    site_id integer not null,
    quantity_on_hand integer not null,
    last_cost_price numeric(18,4) not null,
    last_edited_when timestamp not null
);

create table warehouse.stock_item_transactions (
    stock_item_transaction_id integer primary key,
    stock_item_id integer not null,
    site_id integer not null,
    transaction_type_id integer not null,
    customer_id integer,
    invoice_id integer,
    supplier_id integer,
    purchase_order_id integer,
    transaction_occurred_when timestamp not null,
    quantity numeric(18,3) not null,
    last_edited_when timestamp not null
);
