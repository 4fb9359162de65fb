"""Files dropped on a server: whole ones only, each once, each faulty piece kept."""
