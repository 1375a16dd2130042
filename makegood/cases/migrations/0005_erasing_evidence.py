"""Evidence may be erased, and changed in no other way."""

from django.db import migrations, models

GUARD = [
    """
    create function cases_guard_evidence() returns trigger language plpgsql as $$
    begin
        if tg_op = 'UPDATE' and new.name = '' and new.erased_at is not null
           and to_jsonb(new) - array['name', 'erased_at'] = to_jsonb(old) - array['name', 'erased_at'] then
            return new;
        end if;
        raise exception '% is append-only', tg_table_name using errcode = '23001';
    end $$
    """,
    "drop trigger append_only on cases_evidence",
    "create trigger append_only before update or delete on cases_evidence"
    " for each row execute function cases_guard_evidence()",
]


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_appeal_proposed")]

    operations = [
        migrations.AddField("evidence", "erased_at", models.DateTimeField(null=True)),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
