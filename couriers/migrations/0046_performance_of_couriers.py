import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0045_wider_kinds_of_flags'),
    ]

    operations = [
        migrations.CreateModel(
            name='CourierPerformance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('pickup_region', models.CharField(blank=True, default='', max_length=2)),
                ('drop_region', models.CharField(blank=True, default='', max_length=2)),
                ('booked', models.PositiveIntegerField(default=0)),
                ('ended', models.PositiveIntegerField(default=0)),
                ('delivered', models.PositiveIntegerField(default=0)),
                ('rto', models.PositiveIntegerField(default=0, verbose_name='RTO')),
                ('lost', models.PositiveIntegerField(default=0, verbose_name='lost or damaged')),
                ('delivery_seconds', models.PositiveBigIntegerField(default=0)),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='delivery attempts')),
                ('first_attempt', models.PositiveIntegerField(default=0, verbose_name='delivered at the first attempt')),
                ('counted_at', models.DateTimeField()),
                ('company', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='shipcrowd_couriers.company')),
                ('courier', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='shipcrowd_couriers.courier')),
            ],
            options={
                'verbose_name': 'figure of a courier',
                'verbose_name_plural': 'performance of couriers',
                'ordering': ('-month', 'company', 'courier', 'pickup_region', 'drop_region'),
                'indexes': [models.Index(fields=['pickup_region', 'month', 'company', 'courier', 'drop_region'], name='couriers_performance_region')],
                'constraints': [models.UniqueConstraint(fields=('company', 'month', 'courier', 'pickup_region', 'drop_region'), name='couriers_performance_once'), models.CheckConstraint(condition=models.Q(models.Q(('drop_region', ''), ('pickup_region', '')), models.Q(models.Q(('pickup_region', ''), _negated=True), models.Q(('drop_region', ''), _negated=True)), _connector='OR'), name='couriers_performance_lane_or_all'), models.CheckConstraint(condition=models.Q(('ended', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('delivered'), '+', models.F('rto')), '+', models.F('lost')))), name='couriers_performance_adds_up')],
            },
        ),
    ]
