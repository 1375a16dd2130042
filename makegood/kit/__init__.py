"""What every module needs and no module owns: money, time, errors, jobs, tenancy. No domain word in here."""
