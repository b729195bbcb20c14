"""One paper a file, composed of layers."""
