"""Structural causal models: mechanisms in an order, interventions and counterfactuals."""
