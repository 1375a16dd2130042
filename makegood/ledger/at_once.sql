-- All postings at once: the same law as in posting.sql, a set at a time instead of a row at a time.

-- Of ways that look alike while nothing is known of a table, the planner takes the youngest: the one to a request key, and
-- before it (below) the one to a row by its number.
alter table ledger_entry drop constraint ledger_entry_once;
alter table ledger_entry add constraint ledger_entry_once unique (merchant_id, request_key);

-- Whose row is known by its own number; the merchant comes second, so that no plan made while a table is small can take
-- these keys for a way to a merchant's rows and then read all of them for ever.
alter table ledger_entry add constraint ledger_entry_pair unique (id, merchant_id);
alter table ledger_account add constraint ledger_account_pair unique (id, merchant_id);
alter table ledger_posting
    drop constraint ledger_posting_entry_id_fk,
    drop constraint ledger_posting_account_id_fk,
    drop constraint ledger_posting_tenant_key;  -- nothing points at a posting
alter table ledger_entry drop constraint ledger_entry_tenant_key;
alter table ledger_account drop constraint ledger_account_tenant_key;
alter table ledger_entry rename constraint ledger_entry_pair to ledger_entry_tenant_key;
alter table ledger_account rename constraint ledger_account_pair to ledger_account_tenant_key;
alter table ledger_posting
    add constraint ledger_posting_entry_id_fk foreign key (merchant_id, entry_id)
        references ledger_entry (merchant_id, id) deferrable initially immediate,
    add constraint ledger_posting_account_id_fk foreign key (merchant_id, account_id)
        references ledger_account (merchant_id, id) deferrable initially immediate;

-- The head's row is written with every entry: its page is tidied after a dozen versions, not after sixty that everybody
-- has to step over.
alter table ledger_head set (fillfactor = 20);

-- Postings join the entry that is being written (the one the head has not passed yet), are balanced within each entry,
-- book, subject and asset, and move the balances of their accounts, whose own check constraint is the floor. Each says
-- truly what the balance is after it; a statement moves an account once.
create or replace function ledger_apply_postings() returns trigger language plpgsql as $$
declare
    one record;
    untrue bigint;
    crooked text;
begin
    select count(*) as postings, count(distinct account_id) as accounts, min(merchant_id) as merchant,
           min(entry_id) as entry, max(entry_id) as last
      into one from added;
    if one.postings = 0 then
        return null;
    end if;
    if one.entry <> one.last
       or not exists (select 1 from ledger_entry e join ledger_head h on h.merchant_id = e.merchant_id
                       where e.id = one.entry and e.merchant_id = one.merchant and e.seq = h.seq + 1) then
        raise exception 'entry % is closed', one.entry
            using errcode = '23514', constraint = 'ledger_entry_closed';
    end if;
    if one.accounts <> one.postings then
        raise exception 'entry % moves an account twice in one statement', one.entry
            using errcode = '23514', constraint = 'ledger_posting_once';
    end if;

    -- By the accounts' numbers, gathered first: a join's plan is kept, and the first is made while the tables are empty.
    with changed as (
        update ledger_account a
           set balance = a.balance + (select p.amount from added p where p.account_id = a.id)
         where a.id = any (array(select p.account_id from added p)) and a.merchant_id = one.merchant
        returning a.id, a.balance, a.book, a.subject_id, a.asset
    )
    select min(s.untrue), string_agg(format('%s %s/%s/%s', one.entry, s.book, s.subject_id, s.asset), ', ')
                              filter (where s.total <> 0)
      into untrue, crooked
      from (select c.book, c.subject_id, c.asset, sum(p.amount) as total,
                   min(p.id) filter (where c.balance is distinct from p.balance_after) as untrue
              from added p left join changed c on c.id = p.account_id
             group by c.book, c.subject_id, c.asset) as s;
    if untrue is not null then
        raise exception 'posting % does not say what the balance is after it', untrue
            using errcode = '23514', constraint = 'ledger_posting_balance_after';
    end if;
    if crooked is not null then
        raise exception 'ledger entry is not balanced: %', crooked
            using errcode = '23514', constraint = 'ledger_entry_balanced';
    end if;
    return null;
end $$;

-- The one way in. p_moves: [{"book","subject","from","to","asset","amount"}], amounts > 0.
-- The merchant's head is locked before any account, so two transactions can never wait for each other here.
-- Gives the id of the entry, or minus the id of the earlier entry with the same request key.
-- Plans made here are kept, and the first is made while the tables are all but empty: the few rows of an entry are
-- found one by one, by their keys.
create or replace function ledger_post(
    p_kind text, p_key text, p_order bigint, p_cause text, p_at timestamptz, p_moves jsonb
) returns bigint language plpgsql security definer
set search_path = public, pg_temp set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off as $$
declare
    m bigint := nullif(current_setting('makegood.merchant', true), '')::bigint;
    head_seq bigint;
    head_hash text;
    entry bigint;
    books text[];
    subjects bigint[];
    names text[];
    assets text[];
    amounts bigint[];
    sides text;
    link text;
begin
    if m is null then
        raise exception 'no merchant named' using errcode = '42501';
    end if;
    select seq, hash into head_seq, head_hash from ledger_head where merchant_id = m for update;
    if head_seq is null then
        insert into ledger_head (merchant_id, seq, hash) values (m, 0, '') on conflict do nothing;
        select seq, hash into head_seq, head_hash from ledger_head where merchant_id = m for update;
    end if;

    select array_agg(book), array_agg(subject), array_agg(name), array_agg(asset), array_agg(amount),
           string_agg(format('%s:%s:%s:%s:%s', book, subject, name, asset, amount), ';')
      into books, subjects, names, assets, amounts, sides
      from (select v.book, v.subject, n.name, v.asset, sum(n.amount)::bigint as amount
              from jsonb_to_recordset(p_moves)
                as v(book text, subject bigint, "from" text, "to" text, asset text, amount bigint)
             cross join lateral (values (v."from", -v.amount), (v."to", v.amount)) as n(name, amount)
             group by v.book, v.subject, n.name, v.asset
            having sum(n.amount) <> 0
             order by v.book collate "C", v.subject, n.name collate "C", v.asset collate "C") as s;

    link := ledger_hash(ledger_entry_text(
        head_hash, head_seq + 1, p_kind, p_key, p_order, p_cause, p_at, now(), sides));
    insert into ledger_entry (merchant_id, seq, kind, request_key, order_id, cause, happened_at, recorded_at,
                              prev_hash, hash)
    values (m, head_seq + 1, p_kind, p_key, p_order, p_cause, p_at, now(), head_hash, link)
        on conflict (merchant_id, request_key) do nothing
    returning id into entry;
    if entry is null then
        select id into strict entry from ledger_entry where merchant_id = m and request_key = p_key;
        return -entry;
    end if;

    insert into ledger_account (merchant_id, book, subject_id, name, asset, balance)
    select m, v.book, v.subject, v.name, v.asset, 0
      from unnest(books, subjects, names, assets) as v(book, subject, name, asset)
        on conflict (merchant_id, book, subject_id, name, asset) do nothing;

    insert into ledger_posting (merchant_id, entry_id, account_id, amount, balance_after)
    select m, entry, a.id, v.amount, a.balance + v.amount
      from unnest(books, subjects, names, assets, amounts) as v(book, subject, name, asset, amount)
     cross join lateral (
           select id, balance from ledger_account
            where (merchant_id, book, subject_id, name, asset) = (m, v.book, v.subject, v.name, v.asset) offset 0) as a
     order by a.id;

    update ledger_head set seq = head_seq + 1, hash = link where merchant_id = m;
    return entry;
end $$;
