"""Who of the staff needs a second factor: the values of STAFF_TOTP."""

OFF, OPTIONAL, REQUIRED = POLICIES = ("off", "optional", "required")
