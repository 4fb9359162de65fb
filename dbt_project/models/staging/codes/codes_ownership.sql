-- grain: one row of contracts/codes/ownership.csv
{{ config(materialized='table') }}

select * from read_csv('{{ contracts_dir() }}/codes/ownership.csv', header = true, all_varchar = true, nullstr = '')
