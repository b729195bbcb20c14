"""The other side of a comparison: small scripts that run in a peer's own environment and import nothing of symjax."""
