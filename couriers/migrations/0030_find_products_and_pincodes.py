from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0029_find_rows_beside_shipments'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='product',
            index=models.Index(OpClass(Upper('sku'), name='text_pattern_ops'), name='couriers_product_sku'),
        ),
        AddIndexConcurrently(
            model_name='product',
            index=models.Index(OpClass(Upper('name'), name='text_pattern_ops'), name='couriers_product_name'),
        ),
        AddIndexConcurrently(
            model_name='serviceablepincode',
            index=models.Index(fields=['pincode'], name='couriers_pincode_any'),
        ),
        AddIndexConcurrently(
            model_name='serviceablepincode',
            index=models.Index(OpClass(Upper('city'), name='text_pattern_ops'), name='couriers_pincode_city'),
        ),
    ]
