-- Suppliers and what was ordered from them.
-- Timestamps are local times of the company's head office, without zone.
-- No foreign keys: the bulk load fills tables in any order.
create schema purchasing;

create table purchasing.supplier_categories (
    supplier_category_id integer primary key,
    supplier_category_name text not null
);

create table purchasing.suppliers (
    supplier_id integer primary key,
    supplier_name text not null,
    supplier_category_id integer not null,
    supplier_reference text not null,
    payment_days integer not null,
    phone_number text not null,
    row_version bigint not null,
    last_edited_when timestamp not null
);

create table purchasing.purchase_orders (
    purchase_order_id integer primary key,
    supplier_id integer not null,
    site_id integer not null,
    order_date date not null,
    expected_delivery_date date not null,
    supplier_reference text not null,
    is_order_finalized boolean not null,
    last_edited_when timestamp not null
);

create table purchasing.purchase_order_lines (
    purchase_order_line_id integer primary key,
    purchase_order_id integer not null,
    stock_item_id integer not null,
    ordered_outers integer not null,
    received_outers integer not null,
    expected_unit_price_per_outer numeric(18,2) not null,
    last_receipt_date date,
    is_order_line_finalized boolean not null,
    last_edited_when timestamp not null
);
