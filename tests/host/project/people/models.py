"""The shop's own user model: a UUID as the key, and an e-mail address as the name."""

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class PersonManager(BaseUserManager["Person"]):
    """Creates people by their e-mail address."""

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """Create a person who may do everything in the admin."""
        person = self.model(email=email, is_superuser=True, is_staff=True, **fields)
        person.set_password(password)
        person.save()
        return person


class Person(AbstractBaseUser, PermissionsMixin):
    """A person who works for the shop."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    objects = PersonManager()

    def __str__(self) -> str:
        return self.email
