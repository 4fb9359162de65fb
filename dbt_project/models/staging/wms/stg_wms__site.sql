-- grain: one site of one warehouse system, with the zone of its clock, as the system's YAML declares it
{{ union_sites() }}
