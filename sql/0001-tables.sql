-- The tables: the journal of events, and one table per kind of Stripe object.
-- `webhook_events`, the journal as people read it, is a view over
-- event_journal and event_payloads.
--
-- A table's primary key, the Stripe id, is its only unique key; ids that
-- merchants may choose (plans, products) go with account and livemode. There
-- are no foreign keys, since children arrive before parents. Columns have
-- Stripe's field names. Text without a collation of its own is utf8mb4_bin:
-- Stripe's enumerations are open, a new value must not fail. Money is in
-- minor units, times are UTC.
--
-- Every object row ends with: account (of Connect, else empty), livemode,
-- source_event_id (the event that decides the row), order_key (compares
-- bytewise, the newest snapshot has the largest), ties (other events had the
-- same key).
--
-- Each index costs every delivery: there are those by which the views filter,
-- search and join, and no more.

CREATE TABLE IF NOT EXISTS schema_migrations (
	version INT NOT NULL,
	name VARCHAR(255) NOT NULL,
	checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	applied_at DATETIME(6) NOT NULL,
	PRIMARY KEY (version)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- created is Stripe's, created_at when it was received. origin tells how:
-- delivered to the webhook, an event fetched from Stripe's API, or a snapshot
-- of an object fetched there.
CREATE TABLE IF NOT EXISTS event_journal (
	stripe_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	event_type VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	object_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	error VARCHAR(500) NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	api_version VARCHAR(255) NULL,
	created DATETIME NULL,
	deliveries INT UNSIGNED NOT NULL DEFAULT 1,
	created_at DATETIME(6) NOT NULL,
	processed_at DATETIME(6) NULL,
	origin ENUM('webhook', 'api', 'snapshot') NOT NULL DEFAULT 'webhook',
	PRIMARY KEY (stripe_event_id),
	KEY object_created (object_id, created),
	KEY created_at (created_at),
	KEY type_created_at (event_type, created_at),
	KEY status_created_at (status, created_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Clustered by arrival, so that writing them is sequential. created_at is the
-- event's in event_journal.
CREATE TABLE IF NOT EXISTS event_payloads (
	created_at DATETIME(6) NOT NULL,
	stripe_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	payload MEDIUMBLOB NOT NULL,
	PRIMARY KEY (created_at, stripe_event_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which object names which, whatever payload or generation carried it. kind
-- is 'from.to', 'invoice.payment_intent' say. Rows are only ever added.
CREATE TABLE IF NOT EXISTS links (
	from_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	to_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	kind VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	PRIMARY KEY (from_id, to_id, kind),
	KEY to_kind (to_id, kind)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS user_subscriptions (
	stripe_subscription_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_customer_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	user_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	status VARCHAR(255) NULL,
	plan_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
	product_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
	quantity BIGINT NULL,
	currency VARCHAR(255) NULL,
	items JSON NULL,
	current_period_start DATETIME NULL,
	current_period_end DATETIME NULL,
	cancel_at_period_end TINYINT(1) NULL,
	cancel_at DATETIME NULL,
	canceled_at DATETIME NULL,
	ended_at DATETIME NULL,
	cancellation_reason VARCHAR(255) NULL,
	trial_start DATETIME NULL,
	trial_end DATETIME NULL,
	pause_collection JSON NULL,
	collection_method VARCHAR(255) NULL,
	latest_invoice VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
	pending_setup_intent VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_subscription_id),
	KEY status_created (status, created),
	KEY created (created),
	KEY stripe_customer_id (stripe_customer_id),
	KEY user_id (user_id),
	KEY plan_id (plan_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Drafts can be deleted.
CREATE TABLE IF NOT EXISTS invoices (
	stripe_invoice_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_customer_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_subscription_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	user_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	customer_email VARCHAR(512) CHARACTER SET utf8mb4
		COLLATE utf8mb4_general_ci NULL,
	number VARCHAR(255) NULL,
	status VARCHAR(255) NULL,
	deleted TINYINT(1) NULL,
	currency VARCHAR(255) NULL,
	amount_due BIGINT NULL,
	amount_paid BIGINT NULL,
	amount_remaining BIGINT NULL,
	subtotal BIGINT NULL,
	total BIGINT NULL,
	billing_reason VARCHAR(255) NULL,
	attempt_count BIGINT NULL,
	next_payment_attempt DATETIME NULL,
	due_date DATETIME NULL,
	hosted_invoice_url TEXT NULL,
	invoice_pdf TEXT NULL,
	line_period_start DATETIME NULL,
	line_period_end DATETIME NULL,
	finalized_at DATETIME NULL,
	paid_at DATETIME NULL,
	voided_at DATETIME NULL,
	marked_uncollectible_at DATETIME NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_invoice_id),
	KEY status_created (status, created),
	KEY created (created),
	KEY customer_email (customer_email),
	KEY stripe_customer_id (stripe_customer_id),
	KEY user_id (user_id),
	KEY stripe_subscription_id (stripe_subscription_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- succeeded_at is the least `created` of the events that say so.
CREATE TABLE IF NOT EXISTS payments (
	stripe_payment_intent_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_customer_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	user_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	amount BIGINT NULL,
	amount_received BIGINT NULL,
	amount_capturable BIGINT NULL,
	currency VARCHAR(255) NULL,
	status VARCHAR(255) NULL,
	capture_method VARCHAR(255) NULL,
	latest_charge VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
	last_error_code VARCHAR(255) NULL,
	last_error_decline_code VARCHAR(255) NULL,
	last_error_message TEXT NULL,
	receipt_email VARCHAR(512) CHARACTER SET utf8mb4
		COLLATE utf8mb4_general_ci NULL,
	succeeded_at DATETIME NULL,
	canceled_at DATETIME NULL,
	cancellation_reason VARCHAR(255) NULL,
	metadata JSON NULL,
	client_secret_sha256 BINARY(32) NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_payment_intent_id),
	KEY status_created (status, created),
	KEY created (created),
	KEY user_id (user_id),
	KEY stripe_customer_id (stripe_customer_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS invoice_payments (
	stripe_invoice_payment_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_invoice_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_payment_intent_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_charge_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	status VARCHAR(255) NULL,
	detached TINYINT(1) NULL,
	amount_paid BIGINT NULL,
	amount_requested BIGINT NULL,
	currency VARCHAR(255) NULL,
	is_default TINYINT(1) NULL,
	paid_at DATETIME NULL,
	canceled_at DATETIME NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_invoice_payment_id),
	KEY stripe_invoice_id (stripe_invoice_id),
	KEY stripe_payment_intent_id (stripe_payment_intent_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS charges (
	stripe_charge_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_payment_intent_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_customer_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	user_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	amount BIGINT NULL,
	amount_captured BIGINT NULL,
	amount_refunded BIGINT NULL,
	currency VARCHAR(255) NULL,
	status VARCHAR(255) NULL,
	paid TINYINT(1) NULL,
	captured TINYINT(1) NULL,
	refunded TINYINT(1) NULL,
	disputed TINYINT(1) NULL,
	failure_code VARCHAR(255) NULL,
	failure_message TEXT NULL,
	receipt_email VARCHAR(512) CHARACTER SET utf8mb4
		COLLATE utf8mb4_general_ci NULL,
	receipt_url TEXT NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_charge_id),
	KEY stripe_payment_intent_id_created (stripe_payment_intent_id, created)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS refunds (
	stripe_refund_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_charge_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_payment_intent_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	amount BIGINT NULL,
	currency VARCHAR(255) NULL,
	status VARCHAR(255) NULL,
	reason VARCHAR(255) NULL,
	failure_reason VARCHAR(255) NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_refund_id),
	KEY stripe_payment_intent_id (stripe_payment_intent_id),
	KEY stripe_charge_id (stripe_charge_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS disputes (
	stripe_dispute_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_charge_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_payment_intent_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	amount BIGINT NULL,
	currency VARCHAR(255) NULL,
	status VARCHAR(255) NULL,
	reason VARCHAR(255) NULL,
	evidence_due_by DATETIME NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_dispute_id),
	KEY stripe_payment_intent_id (stripe_payment_intent_id),
	KEY stripe_charge_id (stripe_charge_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS checkout_sessions (
	stripe_checkout_session_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_customer_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	user_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	client_reference_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	customer_email VARCHAR(512) CHARACTER SET utf8mb4
		COLLATE utf8mb4_general_ci NULL,
	mode VARCHAR(255) NULL,
	status VARCHAR(255) NULL,
	payment_status VARCHAR(255) NULL,
	stripe_subscription_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_payment_intent_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_setup_intent_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	stripe_invoice_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	amount_total BIGINT NULL,
	currency VARCHAR(255) NULL,
	client_secret_sha256 BINARY(32) NULL,
	expires_at DATETIME NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_checkout_session_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS setup_intents (
	stripe_setup_intent_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	stripe_customer_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NULL,
	user_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	status VARCHAR(255) NULL,
	`usage` VARCHAR(255) NULL,
	last_error_code VARCHAR(255) NULL,
	last_error_decline_code VARCHAR(255) NULL,
	last_error_message TEXT NULL,
	cancellation_reason VARCHAR(255) NULL,
	client_secret_sha256 BINARY(32) NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_setup_intent_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS customers (
	stripe_customer_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	email VARCHAR(512) CHARACTER SET utf8mb4
		COLLATE utf8mb4_general_ci NULL,
	name TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL,
	user_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	deleted TINYINT(1) NULL,
	delinquent TINYINT(1) NULL,
	currency VARCHAR(255) NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_customer_id),
	KEY email (email),
	KEY name (name(100)),
	KEY user_id (user_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which application user a customer is, by objects that carry both: checkout
-- sessions, subscriptions. customers.user_id goes before it (see the views).
CREATE TABLE IF NOT EXISTS customer_users (
	stripe_customer_id VARCHAR(255) CHARACTER SET ascii
		COLLATE ascii_bin NOT NULL,
	user_id VARCHAR(500) CHARACTER SET utf8mb4
		COLLATE utf8mb4_nopad_bin NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (stripe_customer_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS products (
	product_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	name TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL,
	active TINYINT(1) NULL,
	deleted TINYINT(1) NULL,
	default_price VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
	description TEXT NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (product_id, account, livemode)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Prices and plans. price_order_key orders what only price objects know.
CREATE TABLE IF NOT EXISTS plans (
	plan_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	product_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
	nickname TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL,
	active TINYINT(1) NULL,
	currency VARCHAR(255) NULL,
	type VARCHAR(255) NULL,
	unit_amount BIGINT NULL,
	unit_amount_decimal VARCHAR(255) NULL,
	`interval` VARCHAR(255) NULL,
	interval_count BIGINT NULL,
	usage_type VARCHAR(255) NULL,
	lookup_key VARCHAR(255) NULL,
	deleted TINYINT(1) NULL,
	metadata JSON NULL,
	created DATETIME NULL,
	price_order_key VARBINARY(64) NOT NULL DEFAULT '',
	account VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL DEFAULT '',
	livemode TINYINT(1) NOT NULL,
	source_event_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
		NOT NULL,
	order_key VARBINARY(64) NOT NULL,
	ties INT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (plan_id, account, livemode),
	KEY product_id (product_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
	DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
