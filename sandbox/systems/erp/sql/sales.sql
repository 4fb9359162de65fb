-- Customers, orders with their backorders, invoices and returns.
-- Timestamps are local times of the company's head office, without zone.
-- No foreign keys: the bulk load fills tables in any order.
create schema sales;

create table sales.customer_categories (
    customer_category_id integer primary key,
    customer_category_name text not null
);

create table sales.buying_groups (
    buying_group_id integer primary key,
    buying_group_name text not null
);

create table sales.customers (
    customer_id integer primary key,
    customer_name text not null,
    bill_to_customer_id integer not null,
    customer_category_id integer not null,
    buying_group_id integer,
    credit_limit numeric(18,2),
    is_on_credit_hold boolean not null,
    payment_days integer not null,
    phone_number text not null,
    delivery_address_line text not null,
    delivery_postal_code text not null,
    delivery_zone text not null,
    account_opened_date date not null,
    row_version bigint not null,
    last_edited_when timestamp not null
);

create table sales.orders (
    order_id integer primary key,
    customer_id integer not null,
    backorder_order_id integer,
    site_id integer not null,
    channel_id integer,
    order_date date not null,
    expected_delivery_date date not null,
    customer_purchase_order_number text not null,
    oms_order_number text,
    is_undersupply_backordered boolean not null,
    picking_completed_when timestamp,
    order_status text,
    last_edited_when timestamp not null
);

create table sales.order_lines (
    order_line_id integer primary key,
    order_id integer not null,
    parent_order_line_id integer,
    substitute_for_line_id integer,
    oms_line_no integer,
    stock_item_id integer not null,
    description text not null,
    quantity integer not null,
    unit_price numeric(18,2) not null,
    tax_rate numeric(9,3) not null,
    picked_quantity integer not null,
    picking_completed_when timestamp,
    last_edited_when timestamp not null
);

create table sales.order_line_changes (
    order_line_change_id integer primary key,
    order_line_id integer not null,
    change_kind text not null,
    old_quantity integer not null,
    new_quantity integer not null,
    initiator text not null,
    reason text not null,
    changed_when timestamp not null
);

create table sales.order_holds (
    order_hold_id integer primary key,
    order_id integer not null,
    hold_kind text not null,
    placed_when timestamp not null,
    released_when timestamp,
    released_by text
);

create table sales.reservations (
    reservation_id integer primary key,
    order_line_id integer not null,
    site_id integer not null,
    quantity integer not null,
    kind text not null,
    reserved_when timestamp not null,
    released_when timestamp
);

create table sales.invoices (
    invoice_id integer primary key,
    customer_id integer not null,
    bill_to_customer_id integer not null,
    order_id integer not null,
    shipment_number text,
    invoice_date date not null,
    is_credit_note boolean not null,
    credit_note_reason text,
    credited_invoice_id integer,
    created_when timestamp,
    returned_delivery_data text,
    confirmed_delivery_time timestamp,
    confirmed_received_by text,
    last_edited_when timestamp not null
);

create table sales.invoice_lines (
    invoice_line_id integer primary key,
    invoice_id integer not null,
    order_line_id integer,
    stock_item_id integer not null,
    description text not null,
    quantity integer not null,
    unit_price numeric(18,2) not null,
    tax_rate numeric(9,3) not null,
    tax_amount numeric(18,2) not null,
    line_profit numeric(18,2) not null,
    extended_price numeric(18,2) not null,
    last_edited_when timestamp not null
);

create table sales.customer_transactions (
    customer_transaction_id integer primary key,
    customer_id integer not null,
    transaction_type_id integer not null,
    invoice_id integer,
    transaction_date date not null,
    amount_excluding_tax numeric(18,2) not null,
    tax_amount numeric(18,2) not null,
    transaction_amount numeric(18,2) not null,
    outstanding_balance numeric(18,2) not null,
    finalization_date date,
    last_edited_when timestamp not null
);

create table sales.returns (
    return_id integer primary key,
    customer_id integer not null,
    order_id integer not null,
    authorized_when timestamp not null,
    received_when timestamp,
    credited_invoice_id integer,
    last_edited_when timestamp not null
);

create table sales.return_lines (
    return_line_id integer primary key,
    return_id integer not null,
    order_line_id integer not null,
    stock_item_id integer not null,
    authorized_quantity integer not null,
    received_quantity integer not null,
    credited_quantity integer not null,
    reason text not null,
    disposition text,
    last_edited_when timestamp not null
);
