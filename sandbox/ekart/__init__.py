"""A stand-in Ekart that runs as a real HTTP server. Shares no code with the provider it tests."""
