"""Energy models and what follows from them: forces, stress, losses, references."""
