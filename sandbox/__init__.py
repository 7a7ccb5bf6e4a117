"""Stand-ins for couriers: real HTTP servers that share no code with what is tested against them.

`python -m sandbox ekart` starts one. The modules here are what every stand-in needs. To add a
courier, write a package with a subclass of `server.Sandbox`, and name it in `couriers.py`.
"""
