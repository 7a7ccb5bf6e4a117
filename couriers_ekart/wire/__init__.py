"""Make HTTP calls to Ekart: client, tokens, limits, and the class of every failure."""
