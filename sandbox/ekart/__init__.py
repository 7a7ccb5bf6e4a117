"""A stand-in for Ekart: its API 3.8.8 as the vendor's document and its known oddities have it."""
