{{ config(schema='core') }}
select 'orders_total' as kpi_id, 'cell' as family
