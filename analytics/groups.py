"""Grants for migrations: groups of staff, and permissions that may not have been made yet when they are granted.

Django makes permissions after all migrations have run; a migration that grants one on a fresh database makes it first,
by the same name, so that Django finds it there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

# Whatever comes before the name of a model in a permission that Django makes by itself.
USUAL = ("add", "change", "delete", "view")


def grant(apps: Any, grants: Mapping[str, Iterable[str]]) -> None:
    """Give groups, made if need be, permissions like `catalog.view_product`. Repeating it changes nothing."""
    Group = apps.get_model("auth", "Group")
    for name, permissions in grants.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*(_permission(apps, permission) for permission in permissions))


def _permission(apps: Any, permission: str) -> Any:
    label, codename = permission.split(".")
    model, name = _holder(apps, label, codename)
    ContentType = apps.get_model("contenttypes", "ContentType")
    kind, _ = ContentType.objects.get_or_create(app_label=label, model=model._meta.model_name)
    found, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename=codename, defaults={"name": name}
    )
    return found


def _holder(apps: Any, label: str, codename: str) -> tuple[Any, str]:
    """Return the model that a permission belongs to, and the permission's name."""
    for model in apps.get_app_config(label).get_models():
        named = dict(model._meta.permissions)
        if codename in named:
            return model, named[codename]
        verb, _, rest = codename.partition("_")
        if verb in USUAL and rest == model._meta.model_name:
            return model, f"Can {verb} {model._meta.verbose_name_raw}"
    raise LookupError(f"No model of {label} has the permission {codename}.")
