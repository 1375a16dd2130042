"""Decisions by the day on which they were told, with the rules that refused something in them."""

from django.db import migrations, models

REFUSING = [
    """
    create function cases_refusing_rules(outcome text) returns text[] language sql immutable as $$
      select coalesce(array_agg(distinct refused->>'rule'), '{}')
        from jsonb_array_elements(case when outcome like '{%' then outcome::jsonb->'refused' else '[]'::jsonb end) refused
    $$
    """,
    "alter table cases_decision add column refusing_rules text[]"
    " generated always as (cases_refusing_rules(outcome)) stored",
]


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_arranging")]

    operations = [
        migrations.RunSQL(REFUSING, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                fields=["merchant_id", "communicated_at"],
                name="decision_told",
                condition=models.Q(superseded=False, communicated_at__isnull=False),
            ),
        ),
    ]
