"""What a layer promises, and the one checker that measures it."""
