-- grain: one row of contracts/codes/carrier_event.csv
{{ config(materialized='table') }}

select * from read_csv('{{ contracts_dir() }}/codes/carrier_event.csv', header = true, all_varchar = true, nullstr = '')
