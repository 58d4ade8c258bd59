-- The views: made anew by each `stripehookctl migrate`, except `users`, which
-- belongs to the operator once it is there.
--
-- A view has one row per object, whatever hangs on it: it joins on unique
-- keys only, and looks everything else up by subqueries with LIMIT 1. The
-- list views have no grouping and no union, so that the server can merge
-- them into a query, whose WHERE, ORDER BY and LIMIT then use the tables'
-- indexes. `users`, whose size is unknown, is looked up and not joined: the
-- server might join it by a buffer, and read and sort all rows for that.
--
-- Money is text, a decimal with as many digits as its currency has (15.00
-- usd, 1500 jpy, 1.500 kwd): a column of type DECIMAL would have the same
-- number of digits in all rows. It compares with numbers as a number; to sort
-- and to add, use the column *_minor: minor units, exact.
--
-- `user` is the application's user: the object's own user_id, else that of
-- its customer: customers.user_id, else what a session or subscription of
-- the customer said (customer_users).
--
-- users.id is of the operator's making: a number, a UUID, a text of any
-- character set. So it is compared twice: uncast, with the user id as ASCII,
-- which converts to any type and collation, so that users' index is used;
-- and as text, exactly ('12abc' is not 12). No user is '' there, since an
-- expression that is NULL would be looked up among all NULLs of the index.

-- The application's users, id being what metadata and client_reference_id
-- hold. Redefine it over the application's own table (id must be unique):
--   CREATE OR REPLACE VIEW users AS
--   SELECT id, username, email FROM shop.auth_user
-- By default a user is the customer that names him, the newest if several do.
CREATE VIEW IF NOT EXISTS users AS
SELECT c.user_id AS id, c.name AS username, c.email
FROM customers c
WHERE c.user_id IS NOT NULL
	AND c.stripe_customer_id = (
		SELECT n.stripe_customer_id
		FROM customers n
		WHERE n.user_id = c.user_id
		ORDER BY COALESCE(n.deleted, 0), n.created DESC,
			n.stripe_customer_id DESC
		LIMIT 1);

-- The journal with its payloads, which are pruned before their events.
CREATE OR REPLACE ALGORITHM = MERGE VIEW webhook_events AS
SELECT j.stripe_event_id, j.event_type, j.object_id, j.status, j.error,
	j.account, j.livemode, j.api_version, j.created, j.deliveries,
	p.payload, j.created_at, j.processed_at
FROM event_journal j
LEFT JOIN event_payloads p
	ON p.created_at = j.created_at
	AND p.stripe_event_id = j.stripe_event_id;

CREATE OR REPLACE ALGORITHM = MERGE VIEW admin_webhook_events AS
SELECT stripe_event_id, event_type, status, created_at, object_id, error,
	deliveries, processed_at, created, api_version, account, livemode
FROM event_journal;

-- What could not be applied; replay it after the cause is mended, or dismiss
-- it.
CREATE OR REPLACE ALGORITHM = MERGE VIEW admin_failed_events AS
SELECT stripe_event_id, event_type, error, created_at, object_id,
	deliveries, processed_at, created, api_version, account, livemode
FROM event_journal
WHERE status = 'failed';

-- email: the user's, else the customer's, else that of the customer's latest
-- invoice (customers may not be among the events that Stripe sends).
CREATE OR REPLACE ALGORITHM = MERGE VIEW admin_user_subscriptions AS
SELECT COALESCE(s.user_id, c.user_id, cu.user_id) AS `user`,
	s.plan_id, s.status, s.created AS created_at,
	COALESCE((
			SELECT CONVERT(u.username USING utf8mb4)
				COLLATE utf8mb4_general_ci
			FROM users u
			WHERE u.id = CONVERT(COALESCE(s.user_id, c.user_id,
					cu.user_id, '') USING ascii)
				AND CAST(u.id AS CHAR CHARACTER SET utf8mb4)
					COLLATE utf8mb4_nopad_bin
					= COALESCE(s.user_id, c.user_id,
						cu.user_id)
			LIMIT 1),
		c.name) AS username,
	COALESCE((
			SELECT CONVERT(u.email USING utf8mb4)
				COLLATE utf8mb4_general_ci
			FROM users u
			WHERE u.id = CONVERT(COALESCE(s.user_id, c.user_id,
					cu.user_id, '') USING ascii)
				AND CAST(u.id AS CHAR CHARACTER SET utf8mb4)
					COLLATE utf8mb4_nopad_bin
					= COALESCE(s.user_id, c.user_id,
						cu.user_id)
			LIMIT 1),
		c.email, (
			SELECT i.customer_email
			FROM invoices i
			WHERE i.stripe_customer_id = s.stripe_customer_id
				AND i.customer_email IS NOT NULL
			ORDER BY i.created DESC, i.stripe_invoice_id DESC
			LIMIT 1)) AS email,
	s.stripe_subscription_id, s.stripe_customer_id, s.user_id,
	c.name AS customer_name, c.email AS customer_email,
	COALESCE(NULLIF(pl.nickname, ''), pr.name, s.plan_id) AS plan_name,
	s.product_id, pr.name AS product_name, s.quantity, s.currency,
	s.current_period_start, s.current_period_end, s.cancel_at_period_end,
	s.cancel_at, s.canceled_at, s.ended_at, s.cancellation_reason,
	s.trial_start, s.trial_end, s.pause_collection, s.collection_method,
	s.latest_invoice, s.pending_setup_intent, s.metadata, s.account,
	s.livemode, s.ties
FROM user_subscriptions s
LEFT JOIN customers c ON c.stripe_customer_id = s.stripe_customer_id
LEFT JOIN customer_users cu ON cu.stripe_customer_id = s.stripe_customer_id
LEFT JOIN plans pl
	ON pl.plan_id = s.plan_id
	AND pl.account = s.account AND pl.livemode = s.livemode
LEFT JOIN products pr
	ON pr.product_id = s.product_id
	AND pr.account = s.account AND pr.livemode = s.livemode;

-- One row per item, in Stripe's order.
CREATE OR REPLACE VIEW admin_subscription_items AS
SELECT s.stripe_subscription_id, t.item, t.price AS plan_id,
	COALESCE(NULLIF(pl.nickname, ''), pr.name, t.price) AS plan_name,
	s.status, COALESCE(t.product, pl.product_id) AS product_id,
	pr.name AS product_name, t.quantity,
	IF(COALESCE(t.unit_amount, t.unit_amount_decimal)
			= TRUNCATE(COALESCE(t.unit_amount,
				t.unit_amount_decimal), 0),
		REPLACE(FORMAT(COALESCE(t.unit_amount, t.unit_amount_decimal)
			* COALESCE(k.unit, 0.01),
			COALESCE(k.exponent, 2)), ',', ''),
		TRIM(TRAILING '0' FROM t.unit_amount_decimal
			* COALESCE(k.unit, 0.01))) AS unit_price,
	COALESCE(t.unit_amount, t.unit_amount_decimal) AS unit_price_minor,
	s.currency, COALESCE(t.usage_type, pl.usage_type) AS usage_type,
	t.`interval` AS billing_interval, t.interval_count,
	'1970-01-01' + INTERVAL t.period_start SECOND AS current_period_start,
	'1970-01-01' + INTERVAL t.period_end SECOND AS current_period_end,
	s.stripe_customer_id, s.account, s.livemode
FROM user_subscriptions s
JOIN JSON_TABLE(s.items, '$[*]' COLUMNS (
	item FOR ORDINALITY,
	price VARCHAR(255) PATH '$.price',
	product VARCHAR(255) PATH '$.product',
	quantity BIGINT PATH '$.quantity',
	unit_amount BIGINT PATH '$.unit_amount',
	unit_amount_decimal DECIMAL(30,12) PATH '$.unit_amount_decimal',
	`interval` VARCHAR(255) PATH '$.interval',
	interval_count BIGINT PATH '$.interval_count',
	usage_type VARCHAR(255) PATH '$.usage_type',
	period_start BIGINT PATH '$.current_period_start',
	period_end BIGINT PATH '$.current_period_end')) t
LEFT JOIN currencies k ON k.currency = s.currency
LEFT JOIN plans pl
	ON pl.plan_id = CONVERT(t.price USING ascii)
	AND pl.account = s.account AND pl.livemode = s.livemode
LEFT JOIN products pr
	ON pr.product_id
		= CONVERT(COALESCE(t.product, pl.product_id) USING ascii)
	AND pr.account = s.account AND pr.livemode = s.livemode;

-- amount is what is due. stripe_payment_intent_id is the latest payment that
-- paid it, else the latest that tried; one that was detached doesn't count.
CREATE OR REPLACE ALGORITHM = MERGE VIEW admin_invoices AS
SELECT i.stripe_invoice_id, i.customer_email,
	REPLACE(FORMAT(i.amount_due * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS amount,
	i.status, i.created AS created_at, i.currency,
	i.amount_due AS amount_minor,
	REPLACE(FORMAT(i.amount_paid * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS amount_paid,
	REPLACE(FORMAT(i.amount_remaining * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS amount_remaining,
	REPLACE(FORMAT(i.subtotal * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS subtotal,
	REPLACE(FORMAT(i.total * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS total,
	COALESCE(i.user_id, c.user_id, cu.user_id) AS `user`,
	i.stripe_customer_id, i.number, i.deleted,
	COALESCE(i.stripe_subscription_id, (
		SELECT l.to_id
		FROM links l
		WHERE l.from_id = i.stripe_invoice_id
			AND l.kind = 'invoice.subscription'
		ORDER BY l.to_id
		LIMIT 1), (
		SELECT ss.to_id
		FROM links si
		JOIN links ss
			ON ss.from_id = si.from_id
			AND ss.kind = 'session.subscription'
		WHERE si.to_id = i.stripe_invoice_id
			AND si.kind = 'session.invoice'
		ORDER BY ss.to_id
		LIMIT 1)) AS stripe_subscription_id,
	COALESCE((
		SELECT l.to_id
		FROM links l
		LEFT JOIN payments p ON p.stripe_payment_intent_id = l.to_id
		LEFT JOIN invoice_payments ip
			ON ip.stripe_invoice_id = l.from_id
			AND ip.stripe_payment_intent_id = l.to_id
		WHERE l.from_id = i.stripe_invoice_id
			AND l.kind = 'invoice.payment_intent'
			AND COALESCE(ip.detached, 0) = 0
		ORDER BY COALESCE(ip.status = 'paid', p.status = 'succeeded', 0)
				DESC,
			COALESCE(ip.paid_at, p.succeeded_at, ip.created,
				p.created) DESC,
			l.to_id DESC
		LIMIT 1), (
		SELECT ip.stripe_payment_intent_id
		FROM invoice_payments ip
		WHERE ip.stripe_invoice_id = i.stripe_invoice_id
			AND ip.stripe_payment_intent_id IS NOT NULL
			AND COALESCE(ip.detached, 0) = 0
		ORDER BY COALESCE(ip.status = 'paid', 0) DESC,
			COALESCE(ip.paid_at, ip.created) DESC,
			ip.stripe_payment_intent_id DESC
		LIMIT 1), (
		SELECT cp.to_id
		FROM links ic
		JOIN links cp
			ON cp.from_id = ic.to_id
			AND cp.kind = 'charge.payment_intent'
		LEFT JOIN invoice_payments ip
			ON ip.stripe_invoice_id = ic.from_id
			AND ip.stripe_payment_intent_id = cp.to_id
		WHERE ic.from_id = i.stripe_invoice_id
			AND ic.kind = 'invoice.charge'
			AND COALESCE(ip.detached, 0) = 0
		ORDER BY cp.to_id DESC
		LIMIT 1), (
		SELECT cp.to_id
		FROM links ci
		JOIN links cp
			ON cp.from_id = ci.from_id
			AND cp.kind = 'charge.payment_intent'
		LEFT JOIN invoice_payments ip
			ON ip.stripe_invoice_id = ci.to_id
			AND ip.stripe_payment_intent_id = cp.to_id
		WHERE ci.to_id = i.stripe_invoice_id
			AND ci.kind = 'charge.invoice'
			AND COALESCE(ip.detached, 0) = 0
		ORDER BY cp.to_id DESC
		LIMIT 1)) AS stripe_payment_intent_id,
	i.billing_reason, i.attempt_count, i.next_payment_attempt, i.due_date,
	i.line_period_start, i.line_period_end, i.finalized_at, i.paid_at,
	i.voided_at, i.marked_uncollectible_at, i.hosted_invoice_url,
	i.invoice_pdf, i.metadata, i.account, i.livemode, i.ties
FROM invoices i
LEFT JOIN currencies k ON k.currency = i.currency
LEFT JOIN customers c ON c.stripe_customer_id = i.stripe_customer_id
LEFT JOIN customer_users cu ON cu.stripe_customer_id = i.stripe_customer_id;

-- Every payment of every invoice: as Stripe's invoice payments tell, and
-- those that only a link tells of.
CREATE OR REPLACE VIEW admin_invoice_payments AS
SELECT ip.stripe_invoice_id, ip.stripe_payment_intent_id,
	REPLACE(FORMAT(ip.amount_paid * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS amount_paid,
	ip.status, ip.created AS created_at, ip.currency,
	ip.amount_paid AS amount_paid_minor, ip.detached, ip.paid_at,
	ip.canceled_at, ip.is_default, ip.stripe_charge_id,
	p.status AS payment_status, ip.stripe_invoice_payment_id, ip.account,
	ip.livemode
FROM invoice_payments ip
LEFT JOIN payments p
	ON p.stripe_payment_intent_id = ip.stripe_payment_intent_id
LEFT JOIN currencies k ON k.currency = ip.currency
UNION ALL
SELECT l.from_id, l.to_id,
	REPLACE(FORMAT(p.amount_received * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', ''),
	CASE p.status WHEN 'succeeded' THEN 'paid'
		WHEN 'canceled' THEN 'canceled' ELSE 'open' END,
	p.created, p.currency, p.amount_received, 0, p.succeeded_at,
	p.canceled_at, NULL, p.latest_charge, p.status, NULL,
	COALESCE(p.account, i.account), COALESCE(p.livemode, i.livemode)
FROM links l
LEFT JOIN payments p ON p.stripe_payment_intent_id = l.to_id
LEFT JOIN invoices i ON i.stripe_invoice_id = l.from_id
LEFT JOIN currencies k ON k.currency = p.currency
WHERE l.kind = 'invoice.payment_intent'
	AND NOT EXISTS (
		SELECT 1
		FROM invoice_payments ip
		WHERE ip.stripe_invoice_id = l.from_id
			AND ip.stripe_payment_intent_id = l.to_id);

-- name: the nickname, else the product's name, else the id. billing_interval
-- is day, week, month or year (NULL: paid once); interval_count how many of
-- them. A price below the minor unit shows all its digits.
CREATE OR REPLACE ALGORITHM = MERGE VIEW admin_plans AS
SELECT COALESCE(NULLIF(pl.nickname, ''), NULLIF(pr.name, ''), pl.plan_id)
		AS name,
	IF(COALESCE(pl.unit_amount,
				CAST(pl.unit_amount_decimal AS DECIMAL(30,12)))
			= TRUNCATE(COALESCE(pl.unit_amount,
				CAST(pl.unit_amount_decimal
					AS DECIMAL(30,12))), 0),
		REPLACE(FORMAT(COALESCE(pl.unit_amount,
				CAST(pl.unit_amount_decimal AS DECIMAL(30,12)))
			* COALESCE(k.unit, 0.01),
			COALESCE(k.exponent, 2)), ',', ''),
		TRIM(TRAILING '0' FROM
			CAST(pl.unit_amount_decimal AS DECIMAL(30,12))
			* COALESCE(k.unit, 0.01))) AS price,
	pl.`interval` AS billing_interval,
	COALESCE(pl.active, 1) <> 0 AND COALESCE(pl.deleted, 0) = 0
		AND COALESCE(pr.active, 1) <> 0 AND COALESCE(pr.deleted, 0) = 0
		AS is_active,
	pl.plan_id, pr.name AS product_name, pl.product_id, pl.nickname,
	pl.currency,
	COALESCE(pl.unit_amount,
		CAST(pl.unit_amount_decimal AS DECIMAL(30,12))) AS price_minor,
	pl.interval_count, pl.type, pl.usage_type, pl.lookup_key, pl.active,
	pl.deleted, pr.active AS product_active,
	pr.deleted AS product_deleted, pl.metadata, pl.created AS created_at,
	pl.account, pl.livemode, pl.ties
FROM plans pl
LEFT JOIN products pr
	ON pr.product_id = pl.product_id
	AND pr.account = pl.account AND pr.livemode = pl.livemode
LEFT JOIN currencies k ON k.currency = pl.currency;

-- A payment without a customer has the user of its checkout session. What was
-- refunded and disputed is the charges' to tell: NULL where none is known.
CREATE OR REPLACE ALGORITHM = MERGE VIEW admin_payments AS
SELECT p.stripe_payment_intent_id,
	COALESCE(p.user_id, c.user_id, cu.user_id, (
		SELECT COALESCE(cs.user_id, cs.client_reference_id)
		FROM links l
		JOIN checkout_sessions cs
			ON cs.stripe_checkout_session_id = l.from_id
		WHERE l.to_id = p.stripe_payment_intent_id
			AND l.kind = 'session.payment_intent'
		ORDER BY cs.created DESC, l.from_id DESC
		LIMIT 1)) AS `user`,
	REPLACE(FORMAT(p.amount * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS amount,
	p.status, p.created AS created_at,
	COALESCE(p.receipt_email, c.email, (
		SELECT i.customer_email
		FROM invoices i
		WHERE i.stripe_customer_id = p.stripe_customer_id
			AND i.customer_email IS NOT NULL
		ORDER BY i.created DESC, i.stripe_invoice_id DESC
		LIMIT 1), (
		SELECT cs.customer_email
		FROM links l
		JOIN checkout_sessions cs
			ON cs.stripe_checkout_session_id = l.from_id
		WHERE l.to_id = p.stripe_payment_intent_id
			AND l.kind = 'session.payment_intent'
		ORDER BY cs.created DESC, l.from_id DESC
		LIMIT 1)) AS email,
	p.currency, p.amount AS amount_minor,
	REPLACE(FORMAT(p.amount_received * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS amount_received,
	REPLACE(FORMAT(p.amount_capturable * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS amount_capturable,
	REPLACE(FORMAT((
		SELECT SUM(ch.amount_refunded)
		FROM charges ch
		WHERE ch.stripe_payment_intent_id = p.stripe_payment_intent_id)
		* COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS amount_refunded,
	(SELECT MAX(ch.refunded)
		FROM charges ch
		WHERE ch.stripe_payment_intent_id = p.stripe_payment_intent_id)
		AS refunded,
	COALESCE((
		SELECT r.status
		FROM refunds r
		WHERE r.stripe_payment_intent_id = p.stripe_payment_intent_id
		ORDER BY r.created DESC, r.stripe_refund_id DESC
		LIMIT 1), (
		SELECT r.status
		FROM charges ch
		JOIN refunds r ON r.stripe_charge_id = ch.stripe_charge_id
		WHERE ch.stripe_payment_intent_id = p.stripe_payment_intent_id
		ORDER BY r.created DESC, r.stripe_refund_id DESC
		LIMIT 1)) AS refund_status,
	COALESCE((
		SELECT 1
		FROM disputes d
		WHERE d.stripe_payment_intent_id = p.stripe_payment_intent_id
		LIMIT 1), (
		SELECT MAX(ch.disputed)
		FROM charges ch
		WHERE ch.stripe_payment_intent_id
			= p.stripe_payment_intent_id)) AS disputed,
	COALESCE((
		SELECT d.status
		FROM disputes d
		WHERE d.stripe_payment_intent_id = p.stripe_payment_intent_id
		ORDER BY d.created DESC, d.stripe_dispute_id DESC
		LIMIT 1), (
		SELECT d.status
		FROM charges ch
		JOIN disputes d ON d.stripe_charge_id = ch.stripe_charge_id
		WHERE ch.stripe_payment_intent_id = p.stripe_payment_intent_id
		ORDER BY d.created DESC, d.stripe_dispute_id DESC
		LIMIT 1)) AS dispute_status,
	COALESCE((
		SELECT l.from_id
		FROM links l
		LEFT JOIN invoice_payments ip
			ON ip.stripe_invoice_id = l.from_id
			AND ip.stripe_payment_intent_id = l.to_id
		WHERE l.to_id = p.stripe_payment_intent_id
			AND l.kind = 'invoice.payment_intent'
		ORDER BY COALESCE(ip.detached, 0),
			COALESCE(ip.paid_at, ip.created) DESC, l.from_id DESC
		LIMIT 1), (
		SELECT ip.stripe_invoice_id
		FROM invoice_payments ip
		WHERE ip.stripe_payment_intent_id = p.stripe_payment_intent_id
			AND ip.stripe_invoice_id IS NOT NULL
		ORDER BY COALESCE(ip.detached, 0),
			COALESCE(ip.paid_at, ip.created) DESC,
			ip.stripe_invoice_id DESC
		LIMIT 1), (
		SELECT ci.to_id
		FROM links cp
		JOIN links ci
			ON ci.from_id = cp.from_id
			AND ci.kind IN ('charge.invoice', 'session.invoice')
		WHERE cp.to_id = p.stripe_payment_intent_id
			AND cp.kind IN ('charge.payment_intent',
				'session.payment_intent')
		ORDER BY ci.to_id DESC
		LIMIT 1), (
		SELECT ic.from_id
		FROM links cp
		JOIN links ic
			ON ic.to_id = cp.from_id
			AND ic.kind = 'invoice.charge'
		WHERE cp.to_id = p.stripe_payment_intent_id
			AND cp.kind = 'charge.payment_intent'
		ORDER BY ic.from_id DESC
		LIMIT 1)) AS stripe_invoice_id,
	COALESCE((
		SELECT COALESCE(i.stripe_subscription_id, s.to_id)
		FROM links l
		LEFT JOIN invoice_payments ip
			ON ip.stripe_invoice_id = l.from_id
			AND ip.stripe_payment_intent_id = l.to_id
		LEFT JOIN invoices i ON i.stripe_invoice_id = l.from_id
		LEFT JOIN links s
			ON s.from_id = l.from_id
			AND s.kind = 'invoice.subscription'
		WHERE l.to_id = p.stripe_payment_intent_id
			AND l.kind = 'invoice.payment_intent'
			AND COALESCE(i.stripe_subscription_id, s.to_id)
				IS NOT NULL
		ORDER BY COALESCE(ip.detached, 0),
			COALESCE(ip.paid_at, ip.created) DESC, l.from_id DESC
		LIMIT 1), (
		SELECT COALESCE(i.stripe_subscription_id, s.to_id)
		FROM invoice_payments ip
		LEFT JOIN invoices i
			ON i.stripe_invoice_id = ip.stripe_invoice_id
		LEFT JOIN links s
			ON s.from_id = ip.stripe_invoice_id
			AND s.kind = 'invoice.subscription'
		WHERE ip.stripe_payment_intent_id = p.stripe_payment_intent_id
			AND COALESCE(i.stripe_subscription_id, s.to_id)
				IS NOT NULL
		ORDER BY COALESCE(ip.detached, 0),
			COALESCE(ip.paid_at, ip.created) DESC,
			ip.stripe_invoice_id DESC
		LIMIT 1), (
		SELECT COALESCE(i.stripe_subscription_id, s.to_id)
		FROM links cp
		JOIN links ci
			ON ci.from_id = cp.from_id
			AND ci.kind IN ('charge.invoice', 'session.invoice')
		LEFT JOIN invoices i ON i.stripe_invoice_id = ci.to_id
		LEFT JOIN links s
			ON s.from_id = ci.to_id
			AND s.kind = 'invoice.subscription'
		WHERE cp.to_id = p.stripe_payment_intent_id
			AND cp.kind IN ('charge.payment_intent',
				'session.payment_intent')
			AND COALESCE(i.stripe_subscription_id, s.to_id)
				IS NOT NULL
		ORDER BY ci.to_id DESC
		LIMIT 1), (
		SELECT COALESCE(i.stripe_subscription_id, s.to_id)
		FROM links cp
		JOIN links ic
			ON ic.to_id = cp.from_id
			AND ic.kind = 'invoice.charge'
		LEFT JOIN invoices i ON i.stripe_invoice_id = ic.from_id
		LEFT JOIN links s
			ON s.from_id = ic.from_id
			AND s.kind = 'invoice.subscription'
		WHERE cp.to_id = p.stripe_payment_intent_id
			AND cp.kind = 'charge.payment_intent'
			AND COALESCE(i.stripe_subscription_id, s.to_id)
				IS NOT NULL
		ORDER BY ic.from_id DESC
		LIMIT 1), (
		SELECT s.to_id
		FROM links l
		JOIN links s
			ON s.from_id = l.from_id
			AND s.kind = 'session.subscription'
		WHERE l.to_id = p.stripe_payment_intent_id
			AND l.kind = 'session.payment_intent'
		ORDER BY s.to_id DESC
		LIMIT 1),
		NULLIF(JSON_VALUE(p.metadata, '$.subscription_id'), ''))
		AS stripe_subscription_id,
	p.stripe_customer_id, p.user_id,
	COALESCE((
			SELECT CONVERT(u.username USING utf8mb4)
				COLLATE utf8mb4_general_ci
			FROM users u
			WHERE u.id = CONVERT(COALESCE(p.user_id, c.user_id,
					cu.user_id, '') USING ascii)
				AND CAST(u.id AS CHAR CHARACTER SET utf8mb4)
					COLLATE utf8mb4_nopad_bin
					= COALESCE(p.user_id, c.user_id,
						cu.user_id)
			LIMIT 1),
		c.name) AS username,
	p.receipt_email, c.email AS customer_email, p.capture_method,
	p.latest_charge, p.last_error_code, p.last_error_decline_code,
	p.last_error_message, p.succeeded_at, p.canceled_at,
	p.cancellation_reason, p.metadata, p.account, p.livemode, p.ties
FROM payments p
LEFT JOIN currencies k ON k.currency = p.currency
LEFT JOIN customers c ON c.stripe_customer_id = p.stripe_customer_id
LEFT JOIN customer_users cu ON cu.stripe_customer_id = p.stripe_customer_id;

-- Objects that belong to no user, and those that name a subscription that was
-- never seen.
CREATE OR REPLACE VIEW admin_unlinked AS
SELECT 'subscription' AS object, s.stripe_subscription_id AS id,
	'no user' AS reason, s.status, s.created AS created_at,
	s.stripe_customer_id,
	s.stripe_subscription_id, s.account, s.livemode
FROM user_subscriptions s
LEFT JOIN customers c ON c.stripe_customer_id = s.stripe_customer_id
LEFT JOIN customer_users cu ON cu.stripe_customer_id = s.stripe_customer_id
WHERE COALESCE(s.user_id, c.user_id, cu.user_id) IS NULL
UNION ALL
SELECT 'invoice', i.stripe_invoice_id, 'no user', i.status, i.created_at,
	i.stripe_customer_id, i.stripe_subscription_id, i.account, i.livemode
FROM admin_invoices i
WHERE i.`user` IS NULL
UNION ALL
SELECT 'payment', p.stripe_payment_intent_id, 'no user', p.status,
	p.created_at, p.stripe_customer_id, p.stripe_subscription_id,
	p.account, p.livemode
FROM admin_payments p
WHERE p.`user` IS NULL
UNION ALL
SELECT 'invoice', i.stripe_invoice_id, 'unknown subscription', i.status,
	i.created_at, i.stripe_customer_id, i.stripe_subscription_id,
	i.account, i.livemode
FROM admin_invoices i
WHERE i.stripe_subscription_id IS NOT NULL
	AND NOT EXISTS (
		SELECT 1
		FROM user_subscriptions s
		WHERE s.stripe_subscription_id = i.stripe_subscription_id)
UNION ALL
SELECT 'checkout session', cs.stripe_checkout_session_id,
	'unknown subscription', cs.status, cs.created, cs.stripe_customer_id,
	cs.stripe_subscription_id, cs.account, cs.livemode
FROM checkout_sessions cs
WHERE cs.stripe_subscription_id IS NOT NULL
	AND NOT EXISTS (
		SELECT 1
		FROM user_subscriptions s
		WHERE s.stripe_subscription_id = cs.stripe_subscription_id)
UNION ALL
SELECT 'payment', p.stripe_payment_intent_id, 'unknown subscription',
	p.status, p.created, p.stripe_customer_id,
	JSON_VALUE(p.metadata, '$.subscription_id'), p.account, p.livemode
FROM payments p
WHERE JSON_VALUE(p.metadata, '$.subscription_id') <> ''
	AND NOT EXISTS (
		SELECT 1
		FROM user_subscriptions s
		WHERE s.stripe_subscription_id
			= CONVERT(JSON_VALUE(p.metadata, '$.subscription_id')
				USING ascii));

-- What came in, by the UTC day of the payment; refunded is what has been paid
-- back of that day's payments since. Counted are payments that succeeded and
-- invoices paid out of band: paid, with no payment or charge linked, no
-- attempt that succeeded, and no payment of the same customer and amount
-- about that time (generations of events differ in what they link).
CREATE OR REPLACE VIEW admin_daily_revenue AS
SELECT d.`day`, d.currency, d.livemode, d.account,
	REPLACE(FORMAT(d.gross * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS gross,
	REPLACE(FORMAT(d.refunded * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS refunded,
	REPLACE(FORMAT((d.gross - d.refunded) * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS net,
	d.payments, d.gross AS gross_minor, d.refunded AS refunded_minor,
	d.gross - d.refunded AS net_minor
FROM (
	SELECT t.`day`, t.currency, t.livemode, t.account,
		SUM(t.gross) AS gross, SUM(t.refunded) AS refunded,
		COUNT(*) AS payments
	FROM (
		SELECT DATE(COALESCE(p.succeeded_at, p.created)) AS `day`,
			p.currency, p.livemode, p.account,
			COALESCE(p.amount_received, p.amount, 0) AS gross,
			COALESCE((
				SELECT SUM(ch.amount_refunded)
				FROM charges ch
				WHERE ch.stripe_payment_intent_id
					= p.stripe_payment_intent_id), (
				SELECT SUM(r.amount)
				FROM refunds r
				WHERE r.stripe_payment_intent_id
					= p.stripe_payment_intent_id
					AND r.status IN ('succeeded',
						'pending')), 0) AS refunded
		FROM payments p
		WHERE p.status = 'succeeded'
		UNION ALL
		SELECT DATE(COALESCE(i.paid_at, i.created)), i.currency,
			i.livemode, i.account, i.amount_paid, 0
		FROM invoices i
		WHERE i.status = 'paid' AND i.amount_paid > 0
			AND NOT EXISTS (
				SELECT 1
				FROM links l
				WHERE l.from_id = i.stripe_invoice_id
					AND l.kind IN ('invoice.payment_intent',
						'invoice.charge'))
			AND NOT EXISTS (
				SELECT 1
				FROM links l
				WHERE l.to_id = i.stripe_invoice_id
					AND l.kind = 'charge.invoice')
			AND NOT EXISTS (
				SELECT 1
				FROM invoice_payments ip
				WHERE ip.stripe_invoice_id = i.stripe_invoice_id
					AND (ip.stripe_payment_intent_id
						IS NOT NULL
					OR ip.stripe_charge_id IS NOT NULL))
			AND NOT EXISTS (
				SELECT 1
				FROM event_journal j
				WHERE j.object_id = i.stripe_invoice_id
					AND j.event_type
						= 'invoice.payment_succeeded')
			AND NOT EXISTS (
				SELECT 1
				FROM payments p
				WHERE p.stripe_customer_id
						= i.stripe_customer_id
					AND p.status = 'succeeded'
					AND p.currency = i.currency
					AND p.amount_received = i.amount_paid
					AND p.succeeded_at
						BETWEEN COALESCE(i.paid_at,
							i.created) - INTERVAL 1 HOUR
						AND COALESCE(i.paid_at,
							i.created) + INTERVAL 1 HOUR)
	) t
	GROUP BY t.`day`, t.currency, t.livemode, t.account) d
LEFT JOIN currencies k ON k.currency = d.currency;

-- By plan and currency: how many subscriptions, and what they bring in per
-- month before discounts and taxes. Licensed items only: what is metered is
-- known at the end of its period.
CREATE OR REPLACE VIEW admin_active_subscriptions AS
SELECT d.plan_id,
	COALESCE(NULLIF(pl.nickname, ''), pr.name, d.plan_id) AS plan_name,
	d.currency, d.livemode, d.account, d.subscriptions, d.quantity,
	REPLACE(FORMAT(d.mrr * COALESCE(k.unit, 0.01),
		COALESCE(k.exponent, 2)), ',', '') AS mrr,
	d.mrr AS mrr_minor
FROM (
	SELECT t.price AS plan_id, s.currency, s.livemode, s.account,
		COUNT(DISTINCT s.stripe_subscription_id) AS subscriptions,
		SUM(t.quantity) AS quantity,
		SUM(IF(COALESCE(t.usage_type, p.usage_type,
				IF(t.quantity IS NULL, 'metered', 'licensed'))
				= 'licensed',
			CAST(COALESCE(t.unit_amount, t.unit_amount_decimal,
				0) AS DECIMAL(30,12))
			* COALESCE(t.quantity, 1)
			* CASE COALESCE(t.`interval`, p.`interval`)
				WHEN 'year' THEN 1 WHEN 'month' THEN 12
				WHEN 'week' THEN 52 WHEN 'day' THEN 365
				ELSE 0 END
			/ (12 * COALESCE(t.interval_count, p.interval_count, 1)),
			0)) AS mrr
	FROM user_subscriptions s
	JOIN JSON_TABLE(s.items, '$[*]' COLUMNS (
		price VARCHAR(255) PATH '$.price',
		quantity BIGINT PATH '$.quantity',
		unit_amount BIGINT PATH '$.unit_amount',
		unit_amount_decimal DECIMAL(30,12) PATH '$.unit_amount_decimal',
		`interval` VARCHAR(255) PATH '$.interval',
		interval_count BIGINT PATH '$.interval_count',
		usage_type VARCHAR(255) PATH '$.usage_type')) t
	LEFT JOIN plans p
		ON p.plan_id = CONVERT(t.price USING ascii)
		AND p.account = s.account AND p.livemode = s.livemode
	WHERE s.status IN ('active', 'past_due')
	GROUP BY t.price, s.currency, s.livemode, s.account) d
LEFT JOIN plans pl
	ON pl.plan_id = CONVERT(d.plan_id USING ascii)
	AND pl.account = d.account AND pl.livemode = d.livemode
LEFT JOIN products pr
	ON pr.product_id = pl.product_id
	AND pr.account = pl.account AND pr.livemode = pl.livemode
LEFT JOIN currencies k ON k.currency = d.currency;
