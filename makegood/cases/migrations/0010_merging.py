"""Cases that are part of another: always of the same customer, never in a circle."""

import django.db.models.deletion
from django.db import migrations, models

WALLS = [
    # The pair of case and customer, so that a key to it can hold that two rows are of one customer.
    "alter table cases_case add constraint cases_case_customer_key unique (merchant_id, id, customer_id)",
    "alter table cases_case add constraint cases_case_merged_into_id_fk"
    " foreign key (merchant_id, merged_into_id, customer_id) references cases_case (merchant_id, id, customer_id)"
    " deferrable initially immediate",
    "alter table cases_casetext add constraint cases_casetext_came_by_id_fk"
    " foreign key (merchant_id, came_by_id) references cases_case (merchant_id, id) deferrable initially immediate",
    "alter table cases_evidence add constraint cases_evidence_came_by_id_fk"
    " foreign key (merchant_id, came_by_id) references cases_case (merchant_id, id) deferrable initially immediate",
    # Both ends are whole cases when one becomes part of the other: two trees are joined at their roots, so no circle
    # can come about. The other end is locked, so that two at once cannot each become part of the other.
    """
    create function cases_guard_merging() returns trigger language plpgsql as $$
    begin
        if old.merged_into_id is not null and new.merged_into_id is not null then
            raise exception 'case % is part of another already', new.id using errcode = '23514';
        end if;
        perform 1 from cases_case where id = new.merged_into_id and merged_into_id is null for update;
        if new.merged_into_id is not null and not found then
            raise exception 'case % can only become part of a whole case', new.id using errcode = '23514';
        end if;
        return new;
    end $$
    """,
    "create trigger guard_merging before update of merged_into_id on cases_case for each row"
    " when (new.merged_into_id is distinct from old.merged_into_id) execute function cases_guard_merging()",
]


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_notes_stay_inside")]

    operations = [
        migrations.AddField(
            "case",
            "merged_into",
            models.ForeignKey(
                db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="merged", to="cases.case",
            ),
        ),
        migrations.AddField(
            "casetext",
            "came_by",
            models.ForeignKey(
                db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+", to="cases.case",
            ),
        ),
        migrations.AddField(
            "evidence",
            "came_by",
            models.ForeignKey(
                db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+", to="cases.case",
            ),
        ),
        migrations.AddConstraint(
            "case",
            models.CheckConstraint(
                condition=models.Q(("merged_into__isnull", True))
                | models.Q(("merged_into", models.F("id")), _negated=True),
                name="case_not_part_of_itself",
            ),
        ),
        migrations.AddIndex(
            "case",
            models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merchant_id", "merged_into"],
                name="case_parts",
            ),
        ),
        migrations.RunSQL(WALLS, migrations.RunSQL.noop),
    ]
