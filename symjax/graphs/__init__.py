"""jraph graphs: neighbours, static shapes, structures."""
