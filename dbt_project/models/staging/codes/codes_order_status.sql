-- grain: one row of contracts/codes/order_status.csv
{{ config(materialized='table') }}

select * from read_csv('{{ contracts_dir() }}/codes/order_status.csv', header = true, all_varchar = true, nullstr = '')
