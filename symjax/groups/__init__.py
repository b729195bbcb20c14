"""Who acts: groups that sample their elements."""
