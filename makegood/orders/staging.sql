-- Store what is staged: one row an order, its document as JSON. Each statement begins with "-- name:".
-- The merchant's advisory lock is held; rows are touched in order of their keys.
-- Ids are looked up by scalar subqueries, never by joins: while tables are being filled their statistics are wrong,
-- and a join would sooner or later read a whole table for every batch. They say "from here to here, in order" where
-- "equal" is meant: in a table that seems small every index that begins with the merchant costs the same, and the
-- order is what only the right one has.

-- name: lock
select pg_advisory_xact_lock(hashtextextended('orders.store/' || current_setting('makegood.merchant'), 0))

-- name: plan
-- The planner believes in a hundred lines an order and would compile each statement, which takes longer than running
-- it; and in tables as small as they were at their last analysis, which it would read whole for every look-up.
select set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true)

-- name: plan_as_before
select set_config('jit', %(jit)s, true), set_config('enable_seqscan', %(enable_seqscan)s, true)

-- name: create
create temporary table if not exists orders_staging (
    n integer, number text, customer text, begun boolean, digests text, doc jsonb, source jsonb,
    customer_id bigint, order_id bigint
) on commit delete rows

-- name: copy
copy orders_staging (n, number, customer, begun, digests, doc, source) from stdin

-- name: customers
insert into customers_customer (reference, name, language, address, created_at)
select distinct on (s.customer) s.customer, c.name, '', c.address, %(at)s::timestamptz
  from orders_staging s cross join lateral jsonb_to_record(s.doc -> 'customer') as c (name text, address jsonb)
 order by s.customer, s.n desc
    on conflict (merchant_id, reference) do update
   set name = coalesce(nullif(excluded.name, ''), customers_customer.name),
       address = case when excluded.address = '{}' then customers_customer.address else excluded.address end
 where customers_customer.erased_at is null
   and (excluded.name not in ('', customers_customer.name)
        or excluded.address not in ('{}', customers_customer.address))

-- name: customer_ids
update orders_staging s set customer_id = (
       select c.id from customers_customer c
        where c.reference >= s.customer and c.reference <= s.customer order by c.reference limit 1)

-- name: contacts
insert into customers_contact (customer_id, kind, value)
select distinct s.customer_id, v.kind, v.value
  from orders_staging s
 cross join lateral jsonb_to_recordset(s.doc -> 'customer' -> 'contacts') as v (kind text, value text)
 order by 1, 2, 3
    on conflict do nothing

-- name: methods
insert into customers_savedmethod (customer_id, reference, kind, label, source, opening_minor, currency)
select distinct on (s.customer_id, m.reference) s.customer_id, m.reference, m.kind, m.label, m.source, m.opening_minor,
       coalesce(nullif(m.currency, ''), s.doc ->> 'currency',
                (select currency from accounts_merchant))
  from orders_staging s
 cross join lateral jsonb_to_recordset(s.doc -> 'customer' -> 'methods')
    as m (reference text, kind text, label text, source jsonb, opening_minor bigint, currency text)
 order by s.customer_id, m.reference, s.n desc
    -- The opening balance is taken once: from then on the ledger knows better.
    on conflict (merchant_id, customer_id, reference) do update
   set kind = excluded.kind, label = excluded.label, source = excluded.source
 where (customers_savedmethod.kind, customers_savedmethod.label, customers_savedmethod.source)
    is distinct from (excluded.kind, excluded.label, excluded.source)

-- name: orders
insert into orders_order (
    number, customer_id, shop_slug, currency, ordered_at, state, market, platform, channel, fulfilled_by,
    shipping_minor, shipping_tax_minor, discount_minor, address, shipped_at, delivered_at, promised_by,
    attributes, remarks, source, source_format, source_digest, part_digests, import_id, created_at, updated_at)
select s.number, s.customer_id, '', d.currency, d.ordered_at, d.state, d.market, d.platform, d.channel, d.fulfilled_by,
       d.shipping_minor, d.shipping_tax_minor, d.discount_minor, d.address, d.shipped_at, d.delivered_at,
       d.promised_by, coalesce(d.attributes, '{}'), d.remarks, s.source, %(format)s, (s.digests::text[])[array_upper(s.digests::text[], 1)],
       s.digests::text[], %(import_id)s, %(at)s::timestamptz, %(at)s::timestamptz
  from orders_staging s
 cross join lateral jsonb_to_record(s.doc) as d (
       currency text, ordered_at timestamptz, state text, market text, platform text, channel text,
       fulfilled_by text, shipping_minor bigint, shipping_tax_minor bigint, discount_minor bigint, address jsonb,
       shipped_at timestamptz, delivered_at timestamptz, promised_by timestamptz, remarks text[], attributes jsonb)
 order by s.number
    on conflict (merchant_id, number) do update
   set customer_id = excluded.customer_id, ordered_at = coalesce(excluded.ordered_at, orders_order.ordered_at),
       state = excluded.state, market = excluded.market, platform = excluded.platform, channel = excluded.channel,
       fulfilled_by = excluded.fulfilled_by, shipping_minor = excluded.shipping_minor,
       shipping_tax_minor = excluded.shipping_tax_minor, discount_minor = excluded.discount_minor,
       -- An address changed by a case stands against the source's older one.
       address = case when 'address_changed' = any (orders_order.remarks) then orders_order.address
                      else excluded.address end,
       remarks = case when 'address_changed' = any (orders_order.remarks)
                      then array_append(excluded.remarks, 'address_changed') else excluded.remarks end,
       shipped_at = coalesce(excluded.shipped_at, orders_order.shipped_at),
       delivered_at = coalesce(excluded.delivered_at, orders_order.delivered_at),
       promised_by = coalesce(excluded.promised_by, orders_order.promised_by),
       attributes = orders_order.attributes || excluded.attributes,
       source = case when orders_order.import_id = excluded.import_id then orders_order.source || excluded.source
                     else excluded.source end,
       source_format = excluded.source_format, source_digest = excluded.source_digest,
       part_digests = case when orders_order.import_id = excluded.import_id
                           then orders_order.part_digests || excluded.part_digests else excluded.part_digests end,
       import_id = excluded.import_id, updated_at = excluded.updated_at

-- name: order_ids
update orders_staging s set order_id = (
       select o.id from orders_order o where o.number >= s.number and o.number <= s.number order by o.number limit 1)

-- name: lines
insert into orders_line (
    order_id, number, sku, title, category, product, options, quantity, unit_minor, discount_minor, tax_minor,
    paid_minor, returned_before, cancelled_before, attributes)
select s.order_id, l.number, l.sku, l.title, l.category, l.product, l.options, l.quantity, l.unit_minor,
       l.discount_minor, l.tax_minor, l.paid_minor, l.returned_before, l.cancelled_before, l.attributes
  from orders_staging s
 cross join lateral jsonb_to_recordset(s.doc -> 'lines') as l (
       number text, sku text, title text, category text, product text, options jsonb, quantity integer,
       unit_minor bigint, discount_minor bigint, tax_minor bigint, paid_minor bigint, returned_before integer,
       cancelled_before integer, attributes jsonb)
 where not s.begun
    on conflict (merchant_id, order_id, number) do update
   set sku = excluded.sku, title = excluded.title, category = excluded.category, product = excluded.product,
       options = excluded.options, quantity = excluded.quantity, unit_minor = excluded.unit_minor,
       discount_minor = excluded.discount_minor, tax_minor = excluded.tax_minor, paid_minor = excluded.paid_minor,
       returned_before = excluded.returned_before, cancelled_before = excluded.cancelled_before,
       attributes = orders_line.attributes || excluded.attributes

-- name: payments
insert into orders_payment (
    order_id, reference, method, method_reference, captured_minor, refunded_before_minor, captured_at, gateway,
    gateway_reference)
select s.order_id, p.reference, p.method,
       coalesce((select m.reference from customers_savedmethod m
                  where m.customer_id = s.customer_id and m.reference in (p.reference, p.gateway_reference)
                  order by m.reference = p.reference desc limit 1), ''),
       p.captured_minor, p.refunded_before_minor, p.captured_at, p.gateway, p.gateway_reference
  from orders_staging s
 cross join lateral jsonb_to_recordset(s.doc -> 'payments') as p (
       reference text, method text, captured_minor bigint, refunded_before_minor bigint, captured_at timestamptz,
       gateway text, gateway_reference text)
 where not s.begun
    on conflict (merchant_id, order_id, reference) do update
   set method = excluded.method, method_reference = excluded.method_reference,
       captured_minor = excluded.captured_minor, refunded_before_minor = excluded.refunded_before_minor,
       captured_at = coalesce(excluded.captured_at, orders_payment.captured_at), gateway = excluded.gateway,
       gateway_reference = excluded.gateway_reference

-- name: parcels
insert into orders_parcel (order_id, reference, carrier, direction, position, told_position)
select s.order_id, p.reference, p.carrier, 'out', p.position, p.told_position
  from orders_staging s
 cross join lateral jsonb_to_recordset(s.doc -> 'parcels') as p (
       reference text, carrier text, position text, told_position text)
    on conflict (merchant_id, order_id, reference) do update
   set carrier = coalesce(nullif(excluded.carrier, ''), orders_parcel.carrier),
       told_position = excluded.told_position
 where (orders_parcel.told_position, orders_parcel.carrier) <> (excluded.told_position, excluded.carrier)

-- name: parcel_lines
insert into orders_parcelline (parcel_id, line_id, quantity)
select (select b.id from orders_parcel b
         where b.order_id = s.order_id and b.reference >= p.reference and b.reference <= p.reference
         order by b.reference limit 1),
       (select l.id from orders_line l
         where l.order_id = s.order_id and l.number >= c.key and l.number <= c.key order by l.number limit 1),
       c.value::integer
  from orders_staging s
 cross join lateral jsonb_to_recordset(s.doc -> 'parcels') as p (reference text, lines jsonb)
 cross join lateral jsonb_each_text(p.lines) as c
    on conflict (merchant_id, parcel_id, line_id) do update set quantity = excluded.quantity
 where orders_parcelline.quantity <> excluded.quantity

-- name: parcel_events
insert into orders_parcelevent (parcel_id, kind, happened_at, received_at, text, source_key)
select (select b.id from orders_parcel b
         where b.order_id = s.order_id and b.reference >= p.reference and b.reference <= p.reference
         order by b.reference limit 1),
       e.kind, e.happened_at, %(at)s::timestamptz, left(e.text, 400), e.source_key
  from orders_staging s
 cross join lateral jsonb_to_recordset(s.doc -> 'parcels') as p (reference text, events jsonb)
 cross join lateral jsonb_to_recordset(p.events) as e (
       kind text, happened_at timestamptz, text text, source_key text)
    on conflict (merchant_id, parcel_id, source_key) do nothing

-- name: events_of_updated
select b.id, b.position, b.told_position, b.direction,
       coalesce(jsonb_agg(jsonb_build_array(e.kind, e.happened_at)) filter (where e.id is not null), '[]') as events
  from orders_order o
  join orders_parcel b on b.order_id = o.id
  left join orders_parcelevent e on e.parcel_id = b.id
 where o.id = any (%(orders)s)
 group by b.id
 order by b.id

-- name: earlier
select o.id, o.number, o.currency, o.part_digests,
       (select c.reference from customers_customer c where c.id = o.customer_id) as customer,
       (select c.erased_at from customers_customer c where c.id = o.customer_id) as erased_at
  from unnest(%(numbers)s::text[]) as asked (number)
 cross join lateral (
       select * from orders_order o
        where o.number >= asked.number and o.number <= asked.number order by o.number limit 1) as o

-- name: lock_orders
select id from orders_order where id = any (%(orders)s) order by number for update

-- name: figures_of_begun
-- Orders that the ledger has entries of, with the figures it was opened on.
select o.id, o.shipping_minor, o.discount_minor, o.number,
       (select jsonb_object_agg(l.number, jsonb_build_array(l.quantity, l.paid_minor))
          from orders_line l where l.order_id = o.id) as lines,
       (select jsonb_object_agg(p.reference, p.captured_minor) from orders_payment p where p.order_id = o.id) as payments
  from orders_order o
 where o.id = any (%(orders)s) and exists (select 1 from ledger_entry e where e.order_id = o.id)

-- name: catalogue
insert into orders_catalogitem (sku, product, title, price_minor, currency, available, options)
select d.sku, d.product, d.title, d.price_minor, d.currency, d.available, d.options
  from jsonb_to_recordset(%(docs)s::jsonb) as d (
       sku text, product text, title text, price_minor bigint, currency text, available boolean, options jsonb)
 order by d.sku
    on conflict (merchant_id, sku) do update
   set product = excluded.product, title = excluded.title, price_minor = excluded.price_minor,
       currency = excluded.currency, available = excluded.available, options = excluded.options
 where (orders_catalogitem.product, orders_catalogitem.title, orders_catalogitem.price_minor,
        orders_catalogitem.currency, orders_catalogitem.available, orders_catalogitem.options)
    is distinct from (excluded.product, excluded.title, excluded.price_minor, excluded.currency,
                      excluded.available, excluded.options)
returning xmax = 0 as created
