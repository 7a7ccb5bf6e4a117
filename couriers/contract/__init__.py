"""The contract of a courier's plug-in: interfaces and data, without tables or network."""
