-- What the views answer, over rows as events of both generations make them.
-- Run in a database that was just migrated; selects what is not as wanted.
CREATE TEMPORARY TABLE checks (
	name VARCHAR(200), got VARCHAR(500), want VARCHAR(500))
	CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO customers (stripe_customer_id, email, name, user_id, deleted,
	created, livemode, source_event_id, order_key) VALUES
	('cus_42', 'Jenny@example.com', 'Jenny', '42', 0, '2026-01-01', 1, 'e', 'k'),
	('cus_42b', 'new@example.com', 'Jenny 2', '42', 0, '2026-02-01', 1, 'e', 'k'),
	('cus_42c', 'gone@example.com', 'Jenny 3', '42', 1, '2026-03-01', 1, 'e', 'k'),
	('cus_12abc', 'x@example.com', 'Twelve', '12abc', 0, NULL, 1, 'e', 'k'),
	('cus_none', 'none@example.com', 'Nobody', NULL, NULL, NULL, 1, 'e', 'k'),
	('cus_uni', 'uni@example.com', 'Uni', 'josé', 0, NULL, 1, 'e', 'k'),
	('cus_big', 'big@example.com', 'Big', '9007199254740993', 0, NULL, 1, 'e', 'k');
INSERT INTO customer_users (stripe_customer_id, user_id, livemode,
	source_event_id, order_key) VALUES
	('cus_session', '77', 1, 'e', 'k'), ('cus_42', '99', 1, 'e', 'k');

INSERT INTO products (product_id, name, active, deleted, livemode,
	source_event_id, order_key) VALUES
	('prod_1', 'Pro', 1, 0, 1, 'e', 'k'), ('prod_off', 'Off', 0, 0, 1, 'e', 'k'),
	('prod_gone', 'Gone', 1, 1, 1, 'e', 'k'), ('prod_1', 'Test', 0, 0, 0, 'e', 'k');
INSERT INTO plans (plan_id, product_id, nickname, active, currency,
	unit_amount, unit_amount_decimal, `interval`, interval_count,
	usage_type, deleted, livemode, source_event_id, order_key) VALUES
	('price_usd', 'prod_1', NULL, 1, 'usd', 1500, '1500', 'month', 1, 'licensed', 0, 1, 'e', 'k'),
	('price_nick', 'prod_1', 'Nick', 1, 'jpy', 1500, '1500', 'year', 1, 'licensed', 0, 1, 'e', 'k'),
	('price_bare', NULL, '', 1, 'kwd', 1500, '1500', 'week', 1, 'licensed', NULL, 1, 'e', 'k'),
	('price_cent', 'prod_1', NULL, 1, 'usd', NULL, '0.5', 'day', 1, 'metered', 0, 1, 'e', 'k'),
	('price_whole', 'prod_1', NULL, 1, 'usd', NULL, '2000.00', 'month', 3, 'licensed', 0, 1, 'e', 'k'),
	('price_tier', 'prod_1', NULL, 1, 'usd', NULL, NULL, 'month', 1, 'licensed', 0, 1, 'e', 'k'),
	('price_off', 'prod_off', NULL, 1, 'usd', 1, '1', NULL, NULL, NULL, 0, 1, 'e', 'k'),
	('price_gone', 'prod_gone', NULL, 1, 'usd', 1, '1', NULL, NULL, NULL, 0, 1, 'e', 'k'),
	('price_deleted', 'prod_1', NULL, 1, 'isk', 1500, '1500', NULL, NULL, NULL, 1, 1, 'e', 'k'),
	('price_inactive', 'prod_1', NULL, 0, 'ugx', 1500, '1500', NULL, NULL, NULL, 0, 1, 'e', 'k'),
	('price_unknown', 'prod_x', NULL, 1, 'usd', 1, '1', NULL, NULL, NULL, 0, 1, 'e', 'k');

INSERT INTO user_subscriptions (stripe_subscription_id, stripe_customer_id,
	user_id, status, plan_id, product_id, currency, items, created, livemode,
	source_event_id, order_key) VALUES
	('sub_own', 'cus_none', '42', 'active', 'price_usd', 'prod_1', 'usd',
	'[{"price":"price_usd","product":"prod_1","quantity":2,"unit_amount":1500,"interval":"month","interval_count":1,"usage_type":"licensed","current_period_start":1767960000,"current_period_end":1770638400},{"price":"price_cent","product":"prod_1","quantity":null,"unit_amount":null,"unit_amount_decimal":"0.5","interval":"day","interval_count":1,"usage_type":"metered","current_period_start":1767960000,"current_period_end":1768046400}]',
	'2026-01-01', 1, 'e', 'k'),
	('sub_cus', 'cus_42', NULL, 'past_due', 'price_nick', 'prod_1', 'jpy',
	'[{"price":"price_nick","product":"prod_1","quantity":1,"unit_amount":1500,"interval":"year","interval_count":1,"usage_type":"licensed"}]',
	'2026-01-02', 1, 'e', 'k'),
	('sub_session', 'cus_session', NULL, 'canceled', 'price_bare', NULL, 'kwd', NULL, NULL, 1, 'e', 'k'),
	('sub_none', 'cus_nowhere', NULL, 'active', NULL, NULL, NULL, '[]', '2026-01-03', 1, 'e', 'k'),
	('sub_alone', NULL, NULL, 'trialing', NULL, NULL, NULL, NULL, '2026-01-04', 1, 'e', 'k'),
	('sub_12abc', 'cus_12abc', NULL, 'active', NULL, NULL, NULL, NULL, '2026-01-05', 1, 'e', 'k'),
	('sub_uni', 'cus_uni', NULL, 'active', NULL, NULL, NULL, NULL, '2026-01-06', 1, 'e', 'k'),
	('sub_big', 'cus_big', NULL, 'active', NULL, NULL, NULL, NULL, '2026-01-07', 1, 'e', 'k');

INSERT INTO invoices (stripe_invoice_id, stripe_customer_id,
	stripe_subscription_id, customer_email, status, currency, amount_due,
	amount_paid, paid_at, created, livemode, source_event_id, order_key) VALUES
	('in_old', 'cus_42', 'sub_own', 'Jenny@example.com', 'paid', 'usd', 1500, 1500, '2026-01-09', '2026-01-09', 1, 'e', 'k'),
	('in_new', 'cus_session', NULL, 'mail@example.com', 'paid', 'jpy', 1500, 1500, '2026-01-09', '2026-01-09', 1, 'e', 'k'),
	('in_detached', 'cus_42', NULL, NULL, 'open', 'kwd', 1500, 0, NULL, '2026-01-09', 1, 'e', 'k'),
	('in_cash', 'cus_42', NULL, NULL, 'paid', 'usd', 0, 700, '2026-01-09 10:00', '2026-01-08', 1, 'e', 'k'),
	('in_eight', 'cus_8', NULL, 'eight@example.com', 'paid', 'usd', 900, 900, '2026-01-10 10:00', '2026-01-10', 1, 'e', 'k'),
	('in_failed', 'cus_8', 'sub_unseen', 'older@example.com', 'open', 'usd', -5, 0, NULL, '2026-01-02', 1, 'e', 'k'),
	('in_null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'e', 'k');
INSERT INTO payments (stripe_payment_intent_id, stripe_customer_id, user_id,
	amount, amount_received, currency, status, receipt_email, succeeded_at,
	metadata, created, livemode, source_event_id, order_key) VALUES
	('pi_failed', 'cus_42', NULL, 1500, 0, 'usd', 'requires_payment_method', NULL, NULL, '{}', '2026-01-09', 1, 'e', 'k'),
	('pi_old', 'cus_42', NULL, 1500, 1500, 'usd', 'succeeded', 'R@example.com', '2026-01-09 09:00', '{}', '2026-01-08', 1, 'e', 'k'),
	('pi_new', 'cus_session', NULL, 1500, 1500, 'jpy', 'succeeded', NULL, '2026-01-09 09:00', '{}', '2026-01-09', 1, 'e', 'k'),
	('pi_gone', 'cus_42', NULL, 1500, 0, 'kwd', 'requires_capture', NULL, NULL, NULL, '2026-01-09', 1, 'e', 'k'),
	('pi_eight', 'cus_8', '8', 900, 900, 'usd', 'succeeded', NULL, '2026-01-10 10:00:03', '{"subscription_id":"sub_own"}', '2026-01-10', 1, 'e', 'k'),
	('pi_guest', NULL, NULL, 12345678901234, 0, 'idr', 'processing', NULL, NULL, '{"subscription_id":"sub_lost"}', NULL, 1, 'e', 'k'),
	('pi_null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 'e', 'k');
INSERT INTO links (from_id, to_id, kind) VALUES
	('in_old', 'pi_failed', 'invoice.payment_intent'),
	('in_old', 'pi_old', 'invoice.payment_intent'),
	('in_old', 'sub_own', 'invoice.subscription'),
	('in_new', 'pi_new', 'invoice.payment_intent'),
	('in_new', 'sub_session', 'invoice.subscription'),
	('in_detached', 'pi_gone', 'invoice.payment_intent'),
	('cs_guest', 'pi_guest', 'session.payment_intent'),
	('ch_1', 'pi_old', 'charge.payment_intent'),
	('ch_2', 'pi_old', 'charge.payment_intent');
INSERT INTO invoice_payments (stripe_invoice_payment_id, stripe_invoice_id,
	stripe_payment_intent_id, status, detached, amount_paid, currency,
	paid_at, created, livemode, source_event_id, order_key) VALUES
	('inpay_1', 'in_new', 'pi_new', 'paid', 0, 1500, 'jpy', '2026-01-09', '2026-01-09', 1, 'e', 'k'),
	('inpay_2', 'in_detached', 'pi_gone', 'canceled', 1, NULL, 'kwd', NULL, '2026-01-09', 1, 'e', 'k');
INSERT INTO charges (stripe_charge_id, stripe_payment_intent_id, amount,
	amount_refunded, currency, status, refunded, disputed, created, livemode,
	source_event_id, order_key) VALUES
	('ch_1', 'pi_old', 1500, 0, 'usd', 'failed', 0, 0, '2026-01-08', 1, 'e', 'k'),
	('ch_2', 'pi_old', 1500, 500, 'usd', 'succeeded', 0, 1, '2026-01-09', 1, 'e', 'k'),
	('ch_3', 'pi_new', 1500, 0, 'jpy', 'succeeded', 0, 0, '2026-01-09', 1, 'e', 'k');
INSERT INTO refunds (stripe_refund_id, stripe_charge_id,
	stripe_payment_intent_id, amount, currency, status, created, livemode,
	source_event_id, order_key) VALUES
	('re_1', 'ch_2', 'pi_old', 200, 'usd', 'succeeded', '2026-01-10', 1, 'e', 'k'),
	('re_2', 'ch_2', 'pi_old', 300, 'usd', 'pending', '2026-01-11', 1, 'e', 'k'),
	('re_3', 'ch_3', NULL, 1, 'jpy', 'failed', '2026-01-11', 1, 'e', 'k');
INSERT INTO disputes (stripe_dispute_id, stripe_charge_id,
	stripe_payment_intent_id, status, created, livemode, source_event_id,
	order_key) VALUES
	('dp_1', 'ch_2', 'pi_old', 'lost', '2026-01-10', 1, 'e', 'k'),
	('dp_2', 'ch_2', NULL, 'needs_response', '2026-01-12', 1, 'e', 'k');
INSERT INTO checkout_sessions (stripe_checkout_session_id, user_id,
	client_reference_id, customer_email, stripe_subscription_id, livemode,
	source_event_id, order_key) VALUES
	('cs_guest', NULL, '55', 'guest@example.com', 'sub_missing', 1, 'e', 'k');
INSERT INTO event_journal (stripe_event_id, event_type, object_id, status,
	error, livemode, created, created_at) VALUES
	('evt_1', 'invoice.paid', 'in_cash', 'processed', NULL, 1, '2026-01-09', '2026-01-09 00:00:01.5'),
	('evt_2', 'charge.failed', 'ch_x', 'failed', 'why', 1, '2026-01-09', '2026-01-09 00:00:02');
INSERT INTO event_payloads (created_at, stripe_event_id, payload) VALUES
	('2026-01-09 00:00:01.5', 'evt_1', '{}');

-- one row per object
INSERT INTO checks
	SELECT 'rows: payments', COUNT(*), 7 FROM admin_payments UNION ALL
	SELECT 'rows: invoices', COUNT(*), 7 FROM admin_invoices UNION ALL
	SELECT 'rows: subscriptions', COUNT(*), 8 FROM admin_user_subscriptions UNION ALL
	SELECT 'rows: plans', COUNT(*), 11 FROM admin_plans UNION ALL
	SELECT 'rows: events', COUNT(*), 2 FROM admin_webhook_events UNION ALL
	SELECT 'rows: webhook_events', COUNT(*), 2 FROM webhook_events UNION ALL
	SELECT 'rows: failed', GROUP_CONCAT(stripe_event_id, error), 'evt_2why' FROM admin_failed_events UNION ALL
	SELECT 'rows: items', COUNT(*), 3 FROM admin_subscription_items UNION ALL
	SELECT 'rows: invoice payments', COUNT(*), 4 FROM admin_invoice_payments UNION ALL
	SELECT 'rows: users', COUNT(*), 4 FROM users;
-- columns and their order
INSERT INTO checks
	SELECT t.want, (SELECT GROUP_CONCAT(c.COLUMN_NAME ORDER BY c.ORDINAL_POSITION)
		FROM information_schema.COLUMNS c WHERE c.TABLE_SCHEMA = DATABASE()
		AND c.TABLE_NAME = t.view AND c.ORDINAL_POSITION <= 4), t.want
	FROM (SELECT 'admin_user_subscriptions' AS view, 'user,plan_id,status,created_at' AS want
	UNION ALL SELECT 'admin_webhook_events', 'stripe_event_id,event_type,status,created_at'
	UNION ALL SELECT 'admin_invoices', 'stripe_invoice_id,customer_email,amount,status'
	UNION ALL SELECT 'admin_plans', 'name,price,billing_interval,is_active'
	UNION ALL SELECT 'admin_payments', 'stripe_payment_intent_id,user,amount,status') t
	UNION ALL
	SELECT 'webhook_events', GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION),
	'stripe_event_id,event_type,object_id,status,error,account,livemode,api_version,created,deliveries,payload,created_at,processed_at'
	FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'webhook_events'
	UNION ALL
	SELECT 'no payload for admins', COUNT(*), 0 FROM information_schema.COLUMNS
	WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'admin%' AND COLUMN_NAME IN ('payload', 'client_secret_sha256')
	UNION ALL
	SELECT 'list views can be merged', GROUP_CONCAT(TABLE_NAME ORDER BY TABLE_NAME),
	'admin_failed_events,admin_invoices,admin_payments,admin_plans,admin_user_subscriptions,admin_webhook_events,webhook_events'
	FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE() AND ALGORITHM = 'MERGE';
-- users
INSERT INTO checks
	SELECT CONCAT('user of ', stripe_subscription_id),
		CONCAT_WS('|', IFNULL(`user`, '-'), IFNULL(username, '-'), IFNULL(email, '-')),
		CASE stripe_subscription_id
		WHEN 'sub_own' THEN '42|Jenny 2|new@example.com'
		WHEN 'sub_cus' THEN '42|Jenny 2|new@example.com'
		WHEN 'sub_session' THEN '77|-|mail@example.com'
		WHEN 'sub_12abc' THEN '12abc|Twelve|x@example.com'
		WHEN 'sub_uni' THEN 'josé|Uni|uni@example.com'
		WHEN 'sub_big' THEN '9007199254740993|Big|big@example.com'
		ELSE '-|-|-' END
	FROM admin_user_subscriptions
	UNION ALL SELECT 'search by e-mail, any case', COUNT(*), 2 FROM admin_user_subscriptions WHERE email = 'NEW@Example.com'
	UNION ALL SELECT 'search by username, any case', COUNT(*), 2 FROM admin_user_subscriptions WHERE username = 'jenny 2'
	UNION ALL SELECT 'invoices by e-mail, any case', COUNT(*), 1 FROM admin_invoices WHERE customer_email = 'jenny@EXAMPLE.com'
	UNION ALL SELECT 'payments by e-mail, any case', COUNT(*), 1 FROM admin_payments WHERE email = 'r@example.com'
	UNION ALL SELECT CONCAT('payment of ', stripe_payment_intent_id),
		CONCAT_WS('|', IFNULL(`user`, '-'), IFNULL(email, '-')),
		CASE stripe_payment_intent_id
		WHEN 'pi_old' THEN '42|R@example.com'
		WHEN 'pi_failed' THEN '42|Jenny@example.com'
		WHEN 'pi_gone' THEN '42|Jenny@example.com'
		WHEN 'pi_new' THEN '77|mail@example.com'
		WHEN 'pi_eight' THEN '8|eight@example.com'
		WHEN 'pi_guest' THEN '55|guest@example.com'
		ELSE '-|-' END FROM admin_payments;
-- money
INSERT INTO checks
	SELECT CONCAT('amount of ', stripe_invoice_id), amount,
		CASE stripe_invoice_id WHEN 'in_old' THEN '15.00'
		WHEN 'in_new' THEN '1500' WHEN 'in_detached' THEN '1.500'
		WHEN 'in_cash' THEN '0.00' WHEN 'in_eight' THEN '9.00'
		WHEN 'in_failed' THEN '-0.05' ELSE NULL END FROM admin_invoices
	UNION ALL SELECT 'a large amount', amount, '123456789012.34'
	FROM admin_payments WHERE stripe_payment_intent_id = 'pi_guest'
	UNION ALL SELECT 'amounts compare as numbers', COUNT(*), 2 FROM admin_invoices WHERE amount > 14
	UNION ALL SELECT CONCAT('price of ', plan_id), price,
		CASE plan_id WHEN 'price_usd' THEN '15.00' WHEN 'price_nick' THEN '1500'
		WHEN 'price_bare' THEN '1.500' WHEN 'price_cent' THEN '0.005'
		WHEN 'price_whole' THEN '20.00' WHEN 'price_tier' THEN NULL
		WHEN 'price_deleted' THEN '15.00' WHEN 'price_inactive' THEN '15.00'
		ELSE '0.01' END FROM admin_plans
	UNION ALL SELECT CONCAT('name of ', plan_id), name,
		CASE plan_id WHEN 'price_nick' THEN 'Nick' WHEN 'price_bare' THEN 'price_bare'
		WHEN 'price_off' THEN 'Off' WHEN 'price_gone' THEN 'Gone'
		WHEN 'price_unknown' THEN 'price_unknown' ELSE 'Pro' END FROM admin_plans
	UNION ALL SELECT CONCAT('is_active of ', plan_id), is_active,
		plan_id NOT IN ('price_off', 'price_gone', 'price_deleted', 'price_inactive') FROM admin_plans
	UNION ALL SELECT CONCAT('unit price of ', plan_id), unit_price,
		CASE plan_id WHEN 'price_usd' THEN '15.00' WHEN 'price_nick' THEN '1500' ELSE '0.005' END
	FROM admin_subscription_items
	UNION ALL SELECT CONCAT('revenue per month of ', plan_id), CONCAT_WS('|', subscriptions, mrr),
		CASE plan_id WHEN 'price_usd' THEN '1|30.00' WHEN 'price_nick' THEN '1|125'
		ELSE '1|0.00' END FROM admin_active_subscriptions
	UNION ALL SELECT CONCAT('revenue of ', `day`, currency), CONCAT_WS('|', gross, refunded, net),
		CASE CONCAT(`day`, currency) WHEN '2026-01-09usd' THEN '22.00|5.00|17.00'
		WHEN '2026-01-09jpy' THEN '1500|0|1500' WHEN '2026-01-10usd' THEN '9.00|0.00|9.00' END
	FROM admin_daily_revenue;
-- links
INSERT INTO checks
	SELECT CONCAT('links of ', stripe_invoice_id),
		CONCAT_WS('|', IFNULL(stripe_payment_intent_id, '-'), IFNULL(stripe_subscription_id, '-')),
		CASE stripe_invoice_id WHEN 'in_old' THEN 'pi_old|sub_own'
		WHEN 'in_new' THEN 'pi_new|sub_session'
		WHEN 'in_failed' THEN '-|sub_unseen' ELSE '-|-' END FROM admin_invoices
	UNION ALL SELECT CONCAT('links of ', stripe_payment_intent_id),
		CONCAT_WS('|', IFNULL(stripe_invoice_id, '-'), IFNULL(stripe_subscription_id, '-')),
		CASE stripe_payment_intent_id WHEN 'pi_old' THEN 'in_old|sub_own'
		WHEN 'pi_failed' THEN 'in_old|sub_own' WHEN 'pi_new' THEN 'in_new|sub_session'
		WHEN 'pi_gone' THEN 'in_detached|-' WHEN 'pi_eight' THEN '-|sub_own'
		WHEN 'pi_guest' THEN '-|sub_lost' ELSE '-|-' END FROM admin_payments
	UNION ALL SELECT CONCAT('refunds of ', stripe_payment_intent_id),
		CONCAT_WS('|', IFNULL(amount_refunded, '-'), IFNULL(refunded, '-'),
			IFNULL(refund_status, '-'), IFNULL(disputed, '-'), IFNULL(dispute_status, '-')),
		CASE stripe_payment_intent_id WHEN 'pi_old' THEN '5.00|0|pending|1|lost'
		WHEN 'pi_new' THEN '0|0|failed|0|-' ELSE '-|-|-|-|-' END FROM admin_payments
	UNION ALL SELECT CONCAT('payment of ', stripe_invoice_id, stripe_payment_intent_id),
		CONCAT_WS('|', status, detached, IFNULL(amount_paid, '-')),
		CASE stripe_payment_intent_id WHEN 'pi_old' THEN 'paid|0|15.00'
		WHEN 'pi_failed' THEN 'open|0|0.00' WHEN 'pi_new' THEN 'paid|0|1500'
		ELSE 'canceled|1|-' END FROM admin_invoice_payments
	UNION ALL SELECT 'unlinked', GROUP_CONCAT(id, ' ', reason ORDER BY id, reason SEPARATOR ', '),
		CONCAT_WS(', ', 'cs_guest unknown subscription', 'in_eight no user',
		'in_failed no user', 'in_failed unknown subscription', 'in_null no user',
		'pi_guest unknown subscription', 'pi_null no user',
		'sub_alone no user', 'sub_none no user')
	FROM admin_unlinked;

SELECT CONCAT('not ok: ', name, ': got ', IFNULL(got, 'NULL'), ', want ',
	IFNULL(want, 'NULL')) AS '' FROM checks WHERE NOT got <=> want;
SELECT CONCAT(COUNT(*), ' checks') AS '' FROM checks;
