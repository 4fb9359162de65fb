-- grain: one row of contracts/codes/event_types.csv
{{ config(materialized='table') }}

select * from read_csv('{{ contracts_dir() }}/codes/event_types.csv', header = true, all_varchar = true, nullstr = '')
