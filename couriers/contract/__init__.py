"""What a plug-in is made of: pure data and interfaces, without tables or network."""
