"""Files to arrays to graphs, units named."""
