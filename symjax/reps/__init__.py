"""What is acted on: representations with `act(g, x)`."""
