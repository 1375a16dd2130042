"""Keep the job queue's tables small and their statistics true under bursts: every job is two updates."""

from django.db import migrations

UPKEEP = [
    # Without this a burst leaves statistics of an empty table behind, and each fetch reads all of it.
    """
    alter table procrastinate_jobs set (
        fillfactor = 70,
        autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 500,
        autovacuum_vacuum_cost_delay = 0)
    """,
    """
    alter table procrastinate_events set (
        autovacuum_vacuum_insert_scale_factor = 0.1,
        autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)
    """,
    # ANALYZE is the owner's right; the application may ask for it where the table changed much.
    """
    create function makegood_analyze_jobs() returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
    begin
        if (select n_mod_since_analyze > 500 + n_live_tup / 20 from pg_stat_user_tables
             where relid = 'procrastinate_jobs'::regclass)
           and pg_try_advisory_xact_lock(hashtext('makegood_analyze_jobs')) then
            analyze procrastinate_jobs;
            return true;
        end if;
        return false;
    end $$
    """,
]


class Migration(migrations.Migration):
    dependencies = [("procrastinate", "0041_post_retry_failed_job")]

    operations = [migrations.RunSQL(UPKEEP, migrations.RunSQL.noop)]
