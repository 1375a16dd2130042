-- Posting in few strokes: the same law as in ledger.sql, kept a statement at a time instead of a row at a time.

drop trigger apply_posting on ledger_posting;
drop trigger postings_balanced on ledger_posting;
drop function ledger_apply_posting();
drop function ledger_check_balanced();

-- The same texts and hashes as before; a function in SQL starts an executor each time it is called.
create or replace function ledger_entry_text(
    p_prev text, p_seq bigint, p_kind text, p_key text, p_order bigint, p_cause text, p_at timestamptz,
    p_recorded timestamptz, p_moves text
) returns text language plpgsql immutable as $$
begin
    return concat_ws(E'\x1f', p_prev, p_seq, p_kind, p_key, coalesce(p_order::text, ''), p_cause,
                     (extract(epoch from p_at) * 1000000)::bigint,
                     (extract(epoch from p_recorded) * 1000000)::bigint, p_moves);
end $$;

create or replace function ledger_hash(p_text text) returns text language plpgsql immutable as $$
begin
    return encode(sha256(convert_to(p_text, 'UTF8')), 'hex');
end $$;

-- Postings join the entry that is being written (the one the head has not passed yet), are balanced within each entry,
-- book, subject and asset, and move the balances of their accounts, whose own check constraint is the floor. Each says
-- truly what the balance is after it.
create function ledger_apply_postings() returns trigger language plpgsql as $$
declare
    posting record;
    account record;
    entry bigint;
    subjects text[];
    amounts bigint[];
    crooked text;
begin
    -- Row by row and by primary key: a join's plan is kept, and the first is made while the tables are all but empty.
    for posting in select * from added order by entry_id, id loop
        if posting.entry_id is distinct from entry then
            entry := posting.entry_id;
            if not exists (select 1 from ledger_entry e join ledger_head h on h.merchant_id = posting.merchant_id
                            where e.merchant_id = posting.merchant_id and e.id = posting.entry_id
                              and e.seq = h.seq + 1) then
                raise exception 'entry % is closed', entry
                    using errcode = '23514', constraint = 'ledger_entry_closed';
            end if;
        end if;
        update ledger_account a set balance = a.balance + posting.amount
         where a.merchant_id = posting.merchant_id and a.id = posting.account_id
        returning a.balance, format('%s %s/%s/%s', entry, a.book, a.subject_id, a.asset) as subject
          into strict account;
        if account.balance <> posting.balance_after then
            raise exception 'posting % does not say what the balance is after it', posting.id
                using errcode = '23514', constraint = 'ledger_posting_balance_after';
        end if;
        subjects := subjects || account.subject;
        amounts := amounts || posting.amount;
    end loop;

    select string_agg(subject, ', ') into crooked
      from (select v.subject from unnest(subjects, amounts) as v(subject, amount)
             group by v.subject having sum(v.amount) <> 0) as not_balanced;
    if crooked is not null then
        raise exception 'ledger entry is not balanced: %', crooked
            using errcode = '23514', constraint = 'ledger_entry_balanced';
    end if;
    return null;
end $$;

create trigger apply_postings after insert on ledger_posting referencing new table as added
    for each statement execute function ledger_apply_postings();

create or replace function ledger_check_closed() returns trigger language plpgsql as $$
declare
    in_sight text := coalesce(current_setting('makegood.merchant', true), '');
    turned boolean := in_sight <> new.merchant_id::text;
    closed boolean;
begin
    -- Commit may come after the transaction has turned to another merchant, or to none.
    if turned then
        perform set_config('makegood.merchant', new.merchant_id::text, true);
    end if;
    closed := exists (select 1 from ledger_posting p where p.merchant_id = new.merchant_id and p.entry_id = new.id)
          and exists (select 1 from ledger_head h where h.merchant_id = new.merchant_id and h.seq >= new.seq);
    if turned then
        perform set_config('makegood.merchant', in_sight, true);
    end if;
    if not closed then
        raise exception 'ledger entry % has no postings or is not in the chain', new.id
            using errcode = '23514', constraint = 'ledger_entry_closed';
    end if;
    return null;
end $$;

-- The one way in. p_moves: [{"book","subject","from","to","asset","amount"}], amounts > 0.
-- The merchant's head is locked before any account, so two transactions can never wait for each other here.
-- Gives the id of the entry, or minus the id of the earlier entry with the same request key.
create or replace function ledger_post(
    p_kind text, p_key text, p_order bigint, p_cause text, p_at timestamptz, p_moves jsonb
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    m bigint := nullif(current_setting('makegood.merchant', true), '')::bigint;
    head_seq bigint;
    head_hash text;
    earlier bigint;
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
    select id into earlier from ledger_entry where merchant_id = m and request_key = p_key;
    if earlier is not null then
        return -earlier;
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

    insert into ledger_account (merchant_id, book, subject_id, name, asset, balance)
    select m, v.book, v.subject, v.name, v.asset, 0
      from unnest(books, subjects, names, assets) as v(book, subject, name, asset)
        on conflict do nothing;

    link := ledger_hash(ledger_entry_text(
        head_hash, head_seq + 1, p_kind, p_key, p_order, p_cause, p_at, now(), sides));
    insert into ledger_entry (merchant_id, seq, kind, request_key, order_id, cause, happened_at, recorded_at,
                              prev_hash, hash)
    values (m, head_seq + 1, p_kind, p_key, p_order, p_cause, p_at, now(), head_hash, link)
    returning id into entry;

    insert into ledger_posting (merchant_id, entry_id, account_id, amount, balance_after)
    select m, entry, a.id, v.amount, a.balance + v.amount
      from unnest(books, subjects, names, assets, amounts) as v(book, subject, name, asset, amount)
     cross join lateral (  -- one by one, as above
           select id, balance from ledger_account
            where (merchant_id, book, subject_id, name, asset) = (m, v.book, v.subject, v.name, v.asset) offset 0) as a
     order by a.id;

    update ledger_head set seq = head_seq + 1, hash = link where merchant_id = m;
    return entry;
end $$;

drop function ledger_sides(jsonb);
drop function ledger_sides_of(jsonb);
