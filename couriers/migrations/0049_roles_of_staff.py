"""Groups for support, operations, finance and administrators. A project may change them."""

from django.conf import settings
from django.db import migrations

from couriers.operations.roles import create_roles


def create(apps, schema_editor):
    create_roles(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0047_orders_asked_for_again'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
