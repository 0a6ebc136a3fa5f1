-- Read by benchmarks/analytics.py. Popular products are popular: the cube of a uniform number.
INSERT INTO catalog_product (product_id, title, description, category, brand, price, currency, image_url, url,
    stock_quantity, is_active, attributes, changed_in)
SELECT 'bench-' || n, 'Product ' || n, '', 'Shelf ' || n %% 200, 'Brand ' || n %% 50, 5 + n %% 300, 'USD', '', '', 10,
    true, '{}', 0 FROM generate_series(0, %(products)s) n ON CONFLICT DO NOTHING;
INSERT INTO catalog_productembedding (product_id, vector, text_hash, changed_in)
SELECT id, (SELECT array_agg(hashint8extended(id, place)::float8 / 2^63) FROM generate_series(1, 384) place)::vector, '', 0
FROM catalog_product WHERE product_id LIKE 'bench-%%' ON CONFLICT DO NOTHING;
INSERT INTO served_lists (request_id, served_at, placement, context, strategy, user_id, session_id, anchors, products,
    scores, model_version, variant, campaign, asked_for, milliseconds)
SELECT md5('bench-list-' || n)::uuid, %(begin)s::timestamptz + n::float8 * %(seconds)s / %(lists)s * interval '1 second',
    (ARRAY['homepage', 'product', 'cart', 'bought_together', 'search', 'email'])[1 + n %% 6],
    (ARRAY['homepage', 'product_page', 'cart', 'product_page', '', 'email'])[1 + n %% 6],
    (ARRAY['personalized', 'similar', 'cart', 'bought_together', 'search', 'personalized'])[1 + n %% 6],
    CASE WHEN n %% 3 > 0 THEN 'shopper-' || n %% %(shoppers)s ELSE '' END, 'visit-' || n / 4,
    CASE WHEN n %% 6 = 4 THEN ARRAY['query ' || n %% 5000] ELSE '{}'::text[] END,
    ARRAY(SELECT DISTINCT 'bench-' || (power(hashint8extended(n * 12 + place, 7)::float8 / 2^64 + 0.5, 3)
        * %(products)s)::int FROM generate_series(1, 8) place),
    ARRAY[1, 1, 1, 1, 1, 1, 1, 1]::float8[], 1, CASE WHEN n %% 6 = 0 THEN 'bench:' || (ARRAY['A', 'B'])[1 + n / 6 %% 2] ELSE '' END,
    CASE WHEN n %% 6 = 5 THEN 'weekly_digest' ELSE '' END, 8, 2 + 40 * random() ^ 3
FROM generate_series(1, %(lists)s) n;
INSERT INTO user_interactions (interaction_type, user_id, session_id, product_id, occurred_at, received_at, quantity,
    unit_price, currency, order_id, recommendation_context, recommendation_position, recommendation_request_id,
    search_query, extra_data)
SELECT CASE WHEN position = 1 AND n %% 8 = 0 THEN 'recommendation_click' ELSE 'recommendation_view' END,
    nullif(s.user_id, ''), s.session_id, s.products[position], s.served_at + (5 + position) * interval '1 second',
    s.served_at + 30 * interval '1 second', NULL, NULL, '', NULL, s.context, position, s.request_id, '',
    jsonb_build_object('device', (ARRAY['mobile', 'desktop', 'tablet'])[1 + n %% 3])
FROM (SELECT *, row_number() OVER (ORDER BY served_at) AS n FROM served_lists WHERE products[1] LIKE 'bench-%%') s
CROSS JOIN generate_series(1, 4) position
WHERE position <= greatest(1, (%(seen)s * %(interactions)s / %(lists)s)::int) AND position <= cardinality(s.products);
INSERT INTO user_interactions (interaction_type, user_id, session_id, product_id, occurred_at, received_at, quantity,
    unit_price, currency, order_id, search_query, extra_data)
SELECT kind, 'shopper-' || n / 11 %% %(shoppers)s, 'visit-' || n / 11, CASE WHEN kind <> 'search' THEN
    'bench-' || (power(random(), 3) * %(products)s)::int END, at, at, CASE WHEN kind = 'purchase' THEN 1 + n %% 2 END,
    CASE WHEN kind = 'purchase' THEN 5 + n %% 300 END, 'USD', CASE WHEN kind = 'purchase' THEN 'order-' || n / 22 END,
    CASE WHEN kind = 'search' THEN 'query ' || (power(random(), 2) * 20000)::int ELSE '' END,
    jsonb_build_object('device', (ARRAY['mobile', 'desktop', 'tablet'])[1 + n / 11 %% 3])
        || CASE WHEN kind = 'search' THEN jsonb_build_object('resultsCount', n %% 9) ELSE '{}'::jsonb END
FROM (
    SELECT n, %(begin)s::timestamptz + n::float8 * %(seconds)s / %(others)s * interval '1 second' AS at,
        (ARRAY['view', 'view', 'view', 'view', 'view', 'view', 'search', 'cart_add', 'view', 'purchase', 'view'])[1 + n %% 11]
            AS kind
    FROM generate_series(1, %(others)s) n
) AS made;
-- Clicks that were followed by a purchase.
INSERT INTO user_interactions (interaction_type, user_id, session_id, product_id, occurred_at, received_at, quantity,
    unit_price, currency, order_id, search_query, extra_data)
SELECT 'purchase', user_id, session_id, product_id, occurred_at + interval '1 hour', occurred_at + interval '1 hour', 1, 20,
    'USD', 'after-' || id, '', '{}' FROM user_interactions
WHERE interaction_type = 'recommendation_click' AND id %% 12 = 0 AND session_id LIKE 'visit-%%';
-- One mail for every ten lists, with what became of it.
INSERT INTO campaigns_outboxmessage (public_id, campaign_id, user_id, occasion, dedupe_key, trigger, priority, state,
    reason, detail, planned_at, due_at, expires_at, arm, content, handed_off_at, sent_at, finished_at)
SELECT md5('bench-mail-' || n)::uuid, c.id, 'shopper-' || n %% %(shoppers)s, to_char(at, 'IYYY"-W"IW'), 'bench-' || n,
    '{}', 4, CASE WHEN n %% 5 = 0 THEN 'skipped' ELSE 'sent' END,
    CASE WHEN n %% 5 = 0 THEN (ARRAY['no_consent', 'too_soon', 'nothing_to_say'])[1 + n %% 3] ELSE '' END, '', at, at,
    at + interval '1 day', (ARRAY['A', 'B'])[1 + n %% 2], '{}', at, CASE WHEN n %% 5 > 0 THEN at END, at
FROM (
    SELECT n, %(begin)s::timestamptz + n::float8 * %(seconds)s / (%(lists)s / 10) * interval '1 second' AS at,
        (ARRAY['cart_abandonment', 'new_products', 'weekly_digest', 'back_in_stock'])[1 + n %% 4] AS kind
    FROM generate_series(1, %(lists)s / 10) n
) AS made JOIN campaigns_campaign c USING (kind) ON CONFLICT DO NOTHING;
INSERT INTO campaigns_messageevent (message_id, message_ref, kind, key, occurred_at, received_at, machine, detail)
SELECT m.id, m.public_id, kind, kind || m.id, m.sent_at + interval '1 hour', m.sent_at + interval '1 hour',
    CASE WHEN kind = 'opened' AND m.id %% 2 = 0 THEN 'prefetch' ELSE '' END, ''
FROM campaigns_outboxmessage m, unnest(ARRAY['delivered', 'opened', 'clicked', 'bounced']) AS kind
WHERE m.state = 'sent' AND m.dedupe_key LIKE 'bench-%%' AND (kind = 'delivered' AND m.id %% 50 > 0
    OR kind = 'bounced' AND m.id %% 50 = 0 OR kind = 'opened' AND m.id %% 3 = 0 OR kind = 'clicked' AND m.id %% 17 = 0)
ON CONFLICT DO NOTHING;
