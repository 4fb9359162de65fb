-- Companies, sites and code lists.
-- Timestamps are local times of the company's head office, without zone.
-- No foreign keys: the bulk load fills tables in any order.
create schema application;

create table application.legal_entities (
    legal_entity_id integer primary key,
    legal_entity_name text not null,
    currency text not null,
    zone text not null
);

create table application.sites (
    site_id integer primary key,
    site_code text not null,
    site_name text not null,
    zone text not null,
    legal_entity_id integer not null
);

create table application.channels (
    channel_id integer primary key,
    channel_code text not null,
    channel_name text not null
);

create table application.delivery_methods (
    delivery_method_id integer primary key,
    delivery_method_name text not null
);

create table application.transaction_types (
    transaction_type_id integer primary key,
    transaction_type_name text not null
);
