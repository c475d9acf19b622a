"""Programs on the generated clients; they show how to use them."""
