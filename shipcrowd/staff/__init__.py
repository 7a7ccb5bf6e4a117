"""Logins of staff: lock-out after failures (django-axes), and a second factor (django-otp)."""
