// What the database must hold at the end of a lifecycle: the values of the
// last true snapshot, whatever was delivered when. And what it does hold.

const bit = (value) => value ? 1 : 0;
const id = (value) => value ?? null;

const common = (o) => ({ livemode: bit(o.livemode), created: o.created,
	metadata: o.metadata });
const user = (...metadata) => metadata
	.find((one) => one?.user_id !== undefined)?.user_id ?? null;

// A table's key and its columns, from a snapshot and what else is known.
const MODEL = {
	user_subscriptions: ['stripe_subscription_id', (o) => {
		const [item] = o.items.data;
		return { ...common(o), stripe_customer_id: o.customer,
			user_id: user(o.metadata), status: o.status,
			plan_id: item.price.id, product_id: item.price.product,
			quantity: item.quantity, currency: o.currency,
			items: [{ price: item.price.id, product: item.price.product,
				quantity: item.quantity,
				unit_amount: item.price.unit_amount,
				unit_amount_decimal: item.price.unit_amount_decimal,
				currency: item.price.currency,
				interval: item.price.recurring.interval,
				interval_count: item.price.recurring.interval_count,
				usage_type: item.price.recurring.usage_type,
				current_period_start: item.current_period_start ??
					o.current_period_start,
				current_period_end: item.current_period_end ??
					o.current_period_end }],
			current_period_start: item.current_period_start ??
				o.current_period_start,
			current_period_end: item.current_period_end ??
				o.current_period_end,
			cancel_at_period_end: bit(o.cancel_at_period_end),
			cancel_at: o.cancel_at, canceled_at: o.canceled_at,
			ended_at: o.ended_at,
			cancellation_reason: o.cancellation_details.reason,
			trial_start: o.trial_start, trial_end: o.trial_end,
			pause_collection: o.pause_collection,
			collection_method: o.collection_method,
			latest_invoice: o.latest_invoice,
			pending_setup_intent: o.pending_setup_intent };
	}],
	invoices: ['stripe_invoice_id', (o, more) => {
		const parent = o.parent?.subscription_details;
		const times = o.status_transitions;
		const [line] = o.lines.data;
		return { ...common(o), stripe_customer_id: o.customer,
			stripe_subscription_id: parent ? parent.subscription :
				o.subscription,
			user_id: user(o.metadata, parent?.metadata,
				o.subscription_details?.metadata),
			customer_email: o.customer_email, number: o.number,
			status: o.status, deleted: bit(more.deleted),
			currency: o.currency, amount_due: o.amount_due,
			amount_paid: o.amount_paid,
			amount_remaining: o.amount_remaining, subtotal: o.subtotal,
			total: o.total, billing_reason: o.billing_reason,
			attempt_count: o.attempt_count,
			next_payment_attempt: o.next_payment_attempt,
			due_date: o.due_date, hosted_invoice_url: o.hosted_invoice_url,
			invoice_pdf: o.invoice_pdf, line_period_start: line.period.start,
			line_period_end: line.period.end,
			finalized_at: times.finalized_at, paid_at: times.paid_at,
			voided_at: times.voided_at,
			marked_uncollectible_at: times.marked_uncollectible_at };
	}],
	payments: ['stripe_payment_intent_id', (o, more) => ({ ...common(o),
		stripe_customer_id: o.customer, user_id: user(o.metadata),
		amount: o.amount, amount_received: o.amount_received,
		amount_capturable: o.amount_capturable, currency: o.currency,
		status: o.status, capture_method: o.capture_method,
		latest_charge: id(o.latest_charge),
		last_error_code: o.last_payment_error?.code ?? null,
		last_error_decline_code: o.last_payment_error?.decline_code ?? null,
		last_error_message: o.last_payment_error?.message ?? null,
		receipt_email: o.receipt_email, canceled_at: o.canceled_at,
		cancellation_reason: o.cancellation_reason,
		succeeded_at: more.succeeded_at ?? null })],
	charges: ['stripe_charge_id', (o) => ({ ...common(o),
		stripe_payment_intent_id: o.payment_intent,
		stripe_customer_id: o.customer, user_id: user(o.metadata),
		amount: o.amount, amount_captured: o.amount_captured,
		amount_refunded: o.amount_refunded, currency: o.currency,
		status: o.status, paid: bit(o.paid), captured: bit(o.captured),
		refunded: bit(o.refunded), disputed: bit(o.disputed),
		receipt_email: o.receipt_email, receipt_url: o.receipt_url })],
	refunds: ['stripe_refund_id', (o) => ({ created: o.created,
		metadata: o.metadata, stripe_charge_id: o.charge,
		stripe_payment_intent_id: o.payment_intent, amount: o.amount,
		currency: o.currency, status: o.status, reason: o.reason,
		failure_reason: o.failure_reason ?? null })],
	disputes: ['stripe_dispute_id', (o) => ({ ...common(o),
		stripe_charge_id: o.charge,
		stripe_payment_intent_id: o.payment_intent, amount: o.amount,
		currency: o.currency, status: o.status, reason: o.reason,
		evidence_due_by: o.evidence_details.due_by })],
	checkout_sessions: ['stripe_checkout_session_id', (o) => ({
		...common(o), stripe_customer_id: o.customer,
		user_id: user(o.metadata, { user_id: o.client_reference_id }),
		client_reference_id: o.client_reference_id, mode: o.mode,
		status: o.status, payment_status: o.payment_status,
		stripe_payment_intent_id: o.payment_intent,
		amount_total: o.amount_total, currency: o.currency,
		expires_at: o.expires_at })],
	setup_intents: ['stripe_setup_intent_id', (o) => ({ ...common(o),
		stripe_customer_id: o.customer, status: o.status, usage: o.usage,
		last_error_code: o.last_setup_error?.code ?? null,
		last_error_decline_code: o.last_setup_error?.decline_code ?? null,
		last_error_message: o.last_setup_error?.message ?? null,
		cancellation_reason: o.cancellation_reason })],
	customers: ['stripe_customer_id', (o, more) => ({ ...common(o),
		email: o.email, name: o.name, user_id: user(o.metadata),
		deleted: bit(more.deleted), delinquent: bit(o.delinquent),
		currency: o.currency })],
	products: ['product_id', (o, more) => ({ ...common(o), name: o.name,
		active: bit(o.active), deleted: bit(more.deleted),
		default_price: o.default_price, description: o.description })],
	plans: ['plan_id', (o, more) => {
		const of = o.recurring ?? o;
		return { ...common(o), product_id: o.product, nickname: o.nickname,
			active: bit(o.active), currency: o.currency, type: 'recurring',
			unit_amount: o.unit_amount ?? o.amount,
			unit_amount_decimal: o.unit_amount_decimal ?? o.amount_decimal,
			interval: of.interval, interval_count: of.interval_count,
			usage_type: of.usage_type, lookup_key: o.lookup_key ?? null,
			deleted: bit(more.deleted) };
	}],
	invoice_payments: ['stripe_invoice_payment_id', (o, more) => ({
		stripe_invoice_id: o.invoice, created: o.created,
		stripe_payment_intent_id: o.payment.payment_intent,
		status: o.status, detached: bit(more.deleted),
		amount_paid: o.amount_paid, amount_requested: o.amount_requested,
		currency: o.currency, is_default: bit(o.is_default),
		paid_at: o.status_transitions.paid_at })],
};

// Which columns hold times: they are read as unix seconds.
const TIMES = new Set(['created', 'current_period_start',
	'current_period_end', 'cancel_at', 'canceled_at', 'ended_at',
	'trial_start', 'trial_end', 'next_payment_attempt', 'due_date',
	'line_period_start', 'line_period_end', 'finalized_at', 'paid_at',
	'voided_at', 'marked_uncollectible_at', 'succeeded_at',
	'evidence_due_by', 'expires_at']);
const JSONS = new Set(['metadata', 'items', 'pause_collection']);

// The expected rows of a story: 'table id' -> columns. The name is what the
// id's end is in this round.
export function expectedRows(story) {
	const rows = new Map();
	for (const [key, known] of story.truth) {
		const [, columns] = MODEL[known.table];
		rows.set(key, columns(known.object, known));
	}
	return rows;
}

// Columns come as texts; hashes have no order.
const sorted = (_, v) => v !== null && typeof v === 'object' &&
	!Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v;
const canonical = (value) => JSON.stringify(
	typeof value === 'number' ? String(value) : value, sorted);

const quote = (text) => `'${text.replace(/['\\]/g, '\\$&')}'`;

const columnsOf = new Map();
function select(table, ids) {
	const [key] = MODEL[table];
	// As texts of one collation, which JSON_OBJECT() wants.
	const text = (value) => `CAST(${value} AS CHAR CHARACTER SET utf8mb4) ` +
		'COLLATE utf8mb4_bin';
	const columns = columnsOf.get(table).map((name) => {
		const value = text(TIMES.has(name) ?
			`TIMESTAMPDIFF(SECOND, '1970-01-01', \`${name}\`)` :
			`\`${name}\``);
		return `'${name}', ${value}`;
	});
	return `SELECT ${text(`CONCAT('${table} ', ${key})`)} AS id, JSON_OBJECT(${
		columns.join(', ')}) AS columns FROM ${table} WHERE ${key} IN (${
		ids.map(quote).join(', ')})`;
}

// The rows that the database has of these keys ('table id').
export async function storedRows(server, expected) {
	const ids = new Map();
	for (const [key, columns] of expected) {
		const table = key.slice(0, key.indexOf(' '));
		columnsOf.set(table, Object.keys(columns));
		if (!ids.has(table))
			ids.set(table, []);
		ids.get(table).push(key.slice(table.length + 1));
	}
	const rows = await server.sql([...ids]
		.map(([table, list]) => select(table, list)).join(' UNION ALL '));
	return new Map(rows.map(({ id: key, columns }) => {
		const values = JSON.parse(columns);
		for (const name of JSONS)
			if (values[name] != null)
				values[name] = JSON.parse(values[name]);
		return [key, values];
	}));
}

// What differs: [{ key, column, stored, expected }].
export function differences(expected, stored) {
	const result = [];
	for (const [key, columns] of expected) {
		const row = stored.get(key);
		if (row === undefined)
			result.push({ key, column: null, stored: 'no row' });
		for (const [column, value] of row ? Object.entries(columns) : [])
			if (canonical(row[column]) !== canonical(value))
				result.push({ key, column, stored: row[column],
					expected: value });
	}
	return result;
}
