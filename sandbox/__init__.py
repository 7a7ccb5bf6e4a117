"""Stand-ins for couriers: real HTTP servers that share no code with what is tested against them.

`python -m sandbox ekart` starts one. The modules here are what every stand-in needs; each courier
has a package of its own, which `couriers.py` names.
"""
