"""Staff of each kind, signed in."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

ROLES = ("analyst", "marketer", "operator", "clerk", "admin")


@pytest.fixture
def signed_in(db: None) -> Callable[[str], Client]:
    """Return a client of somebody of that role: of the group of that name; a clerk is staff without any group."""

    def sign_in(role: str) -> Client:
        user = User.objects.create_user(role, password="x", is_staff=True, is_superuser=role == "admin")
        group = Group.objects.filter(name=role.capitalize()).first()
        if group:
            user.groups.add(group)
        client = Client()
        client.force_login(user)
        return client

    return sign_in
