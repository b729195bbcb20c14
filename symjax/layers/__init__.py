"""One lawful layer a file: paper line, pure function, thin linen shell, laws."""
