"""Studies: grids of pretrainings under one protocol, each cell trained, scored and kept."""
