select kpi_id from {{ ref('kpi_cell') }}
