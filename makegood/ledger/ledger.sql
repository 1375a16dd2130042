-- The ledger's own law, kept by the database: balanced, floored, append-only, chained, posted once.

create function ledger_entry_text(
    p_prev text, p_seq bigint, p_kind text, p_key text, p_order bigint, p_cause text, p_at timestamptz,
    p_recorded timestamptz, p_moves text
) returns text language sql immutable as $$
    select concat_ws(E'\x1f', p_prev, p_seq, p_kind, p_key, coalesce(p_order::text, ''), p_cause,
                     (extract(epoch from p_at) * 1000000)::bigint,
                     (extract(epoch from p_recorded) * 1000000)::bigint, p_moves)
$$;

create function ledger_hash(p_text text) returns text language sql immutable as $$
    select encode(sha256(convert_to(p_text, 'UTF8')), 'hex')
$$;

-- A posting moves the balance of its account; the account's own check constraint is the floor.
-- It may only join the entry that is being written: the one the head has not passed yet.
create function ledger_apply_posting() returns trigger language plpgsql as $$
begin
    if not exists (select 1 from ledger_entry e join ledger_head h on h.merchant_id = e.merchant_id
                    where e.id = new.entry_id and e.merchant_id = new.merchant_id and e.seq = h.seq + 1) then
        raise exception 'entry % is closed', new.entry_id
            using errcode = '23514', constraint = 'ledger_entry_closed';
    end if;
    update ledger_account set balance = balance + new.amount
     where id = new.account_id and merchant_id = new.merchant_id
    returning balance into strict new.balance_after;
    return new;
end $$;

create trigger apply_posting before insert on ledger_posting
    for each row execute function ledger_apply_posting();

-- A balance changes by a posting or not at all.
create function ledger_guard_account() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and pg_trigger_depth() > 1
       and (new.merchant_id, new.book, new.subject_id, new.name, new.asset)
         = (old.merchant_id, old.book, old.subject_id, old.name, old.asset) then
        return new;
    end if;
    if tg_op = 'INSERT' and new.balance = 0 then
        return new;
    end if;
    raise exception 'ledger accounts change by postings only' using errcode = '23001';
end $$;

create trigger guard_account before insert or update or delete on ledger_account
    for each row execute function ledger_guard_account();

-- Every statement that adds postings is balanced within each entry, book, subject and asset.
create function ledger_check_balanced() returns trigger language plpgsql as $$
declare
    crooked text;
begin
    select string_agg(distinct label, ', ') into crooked
      from (select format('%s %s/%s/%s', p.entry_id, a.book, a.subject_id, a.asset) as label
              from added p join ledger_account a on a.id = p.account_id
             group by p.entry_id, a.book, a.subject_id, a.asset having sum(p.amount) <> 0) as per_subject;
    if crooked is not null then
        raise exception 'ledger entry is not balanced: %', crooked
            using errcode = '23514', constraint = 'ledger_entry_balanced';
    end if;
    return null;
end $$;

create trigger postings_balanced after insert on ledger_posting referencing new table as added
    for each statement execute function ledger_check_balanced();

-- At commit every entry has postings, and the head has passed it, so that nothing can join it any more.
create function ledger_check_closed() returns trigger language plpgsql as $$
declare
    in_sight text := coalesce(current_setting('makegood.merchant', true), '');
    closed boolean;
begin
    -- Commit may come after the transaction has turned to another merchant, or to none.
    perform set_config('makegood.merchant', new.merchant_id::text, true);
    closed := exists (select 1 from ledger_posting p where p.merchant_id = new.merchant_id and p.entry_id = new.id)
          and exists (select 1 from ledger_head h where h.merchant_id = new.merchant_id and h.seq >= new.seq);
    perform set_config('makegood.merchant', in_sight, true);
    if not closed then
        raise exception 'ledger entry % has no postings or is not in the chain', new.id
            using errcode = '23514', constraint = 'ledger_entry_closed';
    end if;
    return null;
end $$;

create constraint trigger entry_closed after insert on ledger_entry
    deferrable initially deferred for each row execute function ledger_check_closed();

-- The postings of a list of moves: one an account, netted.
create function ledger_sides_of(p_moves jsonb)
    returns table (book text, subject bigint, name text, asset text, amount bigint) language sql immutable as $$
    select v.book, v.subject, n.name, v.asset, sum(n.amount)::bigint
      from jsonb_to_recordset(p_moves)
        as v(book text, subject bigint, "from" text, "to" text, asset text, amount bigint)
     cross join lateral (values (v."from", -v.amount), (v."to", v.amount)) as n(name, amount)
     group by v.book, v.subject, n.name, v.asset
    having sum(n.amount) <> 0
$$;

create function ledger_sides(p_moves jsonb) returns text language sql immutable as $$
    select string_agg(format('%s:%s:%s:%s:%s', book, subject, name, asset, amount), ';'
                      order by book collate "C", subject, name collate "C", asset collate "C")
      from ledger_sides_of(p_moves)
$$;

-- The chain as it is against the chain as it must be: one row for every entry that does not fit.
create view ledger_breaks with (security_invoker = true) as
    select e.id, e.seq, e.kind, e.request_key,
           case when e.prev_hash is distinct from coalesce(before.hash, '') then 'chain' else 'content' end as what
      from ledger_entry e
      left join ledger_entry before on before.merchant_id = e.merchant_id and before.seq = e.seq - 1
      left join lateral (
            select string_agg(format('%s:%s:%s:%s:%s', a.book, a.subject_id, a.name, a.asset, p.amount), ';'
                              order by a.book collate "C", a.subject_id, a.name collate "C", a.asset collate "C") as sides
              from ledger_posting p join ledger_account a on a.id = p.account_id
             where p.merchant_id = e.merchant_id and p.entry_id = e.id) as written on true
     where e.prev_hash is distinct from coalesce(before.hash, '')
        or e.hash is distinct from ledger_hash(ledger_entry_text(
               e.prev_hash, e.seq, e.kind, e.request_key, e.order_id, e.cause, e.happened_at,
               e.recorded_at, written.sides));

-- The one way in. p_moves: [{"book","subject","from","to","asset","amount"}], amounts > 0.
-- The merchant's head is locked before any account, so two transactions can never wait for each other here.
-- Gives the id of the entry, or minus the id of the earlier entry with the same request key.
create function ledger_post(
    p_kind text, p_key text, p_order bigint, p_cause text, p_at timestamptz, p_moves jsonb
) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    m bigint := nullif(current_setting('makegood.merchant', true), '')::bigint;
    head record;
    earlier bigint;
    entry bigint;
begin
    if m is null then
        raise exception 'no merchant named' using errcode = '42501';
    end if;
    insert into ledger_head (merchant_id, seq, hash) values (m, 0, '') on conflict do nothing;
    select seq, hash into head from ledger_head where merchant_id = m for update;
    select id into earlier from ledger_entry where merchant_id = m and request_key = p_key;
    if earlier is not null then
        return -earlier;
    end if;

    insert into ledger_account (merchant_id, book, subject_id, name, asset, balance)
    select distinct m, v.book, v.subject, n.name, v.asset, 0
      from jsonb_to_recordset(p_moves) as v(book text, subject bigint, "from" text, "to" text, asset text)
     cross join lateral (values (v."from"), (v."to")) as n(name)
        on conflict do nothing;

    insert into ledger_entry (merchant_id, seq, kind, request_key, order_id, cause, happened_at, recorded_at,
                              prev_hash, hash)
    values (m, head.seq + 1, p_kind, p_key, p_order, p_cause, p_at, now(), head.hash,
            ledger_hash(ledger_entry_text(head.hash, head.seq + 1, p_kind, p_key, p_order, p_cause, p_at,
                                          now(), ledger_sides(p_moves))))
    returning id into entry;

    insert into ledger_posting (merchant_id, entry_id, account_id, amount, balance_after)
    select m, entry, a.id, s.amount, 0
      from ledger_sides_of(p_moves) as s
      join ledger_account a
        on (a.merchant_id, a.book, a.subject_id, a.name, a.asset) = (m, s.book, s.subject, s.name, s.asset)
     order by a.id;

    update ledger_head set seq = head.seq + 1,
           hash = (select e.hash from ledger_entry e where e.id = entry)
     where merchant_id = m;
    return entry;
end $$;
