"""A module that cannot be imported, as a host project may have one."""

raise RuntimeError("broken")
