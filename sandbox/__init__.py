"""Stand-in couriers: real HTTP servers that share no code with what they test."""
