-- The API's own memory, not published: which columns of a master row people have written.
-- What a person wrote is not overwritten by the world's next version of that row.
create schema erp_api;

create table erp_api.written (
    table_name text not null,
    row_key integer not null,
    column_name text not null,
    primary key (table_name, row_key, column_name)
);

-- Which world this database tells of, and up to when: a second start goes on from here.
create table erp_api.state (
    is_only boolean primary key default true check (is_only),
    world jsonb not null,
    at timestamptz not null
);
