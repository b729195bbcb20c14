"""How an estimate could be wrong: simulations, sensitivity to hidden causes, overlap."""
