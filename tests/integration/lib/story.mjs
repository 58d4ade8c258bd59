// A lifecycle while it is told: objects as Stripe makes them, the events in the
// order in which things happened, and what is true in the end.
import { readFixture } from './events.mjs';

// Stand for what is new at each delivery: the ids' ends, and events' ids.
export const ROUND = 'XXROUND00XX';
export const EVENT = 'evt_1XXEVENTXXEVENTXXEVEN';

const isOld = (version) => version < '2025-03-31';

// Random numbers, the same for the same seed (mulberry32).
export class Random {
	constructor(seed) {
		this.state = seed >>> 0;
	}

	next() {
		this.state = this.state + 0x6d2b79f5 >>> 0;
		let t = this.state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	}

	// From least to most, both included.
	int(least, most) {
		return least + Math.floor(this.next() * (most - least + 1));
	}

	chance(p) {
		return this.next() < p;
	}

	pick(list) {
		return list[this.int(0, list.length - 1)];
	}

	text(length) {
		let text = '';
		while (text.length < length)
			text += this.next().toString(36).slice(2);
		return text.slice(0, length);
	}

	shuffle(list) {
		const result = [...list];
		for (let i = result.length - 1; i > 0; i--) {
			const j = this.int(0, i);
			[result[i], result[j]] = [result[j], result[i]];
		}
		return result;
	}
}

const templates = new Map();
function template(type, version) {
	const name = `${type}.${isOld(version) ? '2024-06-20' : 'basil'}.json`;
	if (!templates.has(name))
		templates.set(name, JSON.parse(readFixture(name)).data.object);
	return structuredClone(templates.get(name));
}

const isHash = (value) => value !== null && typeof value === 'object' &&
	!Array.isArray(value);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// What data.previous_attributes says: of hashes the changed keys alone, all
// else whole; what was not there was null.
export function past(was, is) {
	const result = {};
	for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
		const a = was[key] ?? null;
		const b = is[key] ?? null;
		if (!same(a, b))
			result[key] = isHash(a) && isHash(b) ? past(a, b) : a;
	}
	return result;
}

export function assign(object, changes) {
	for (const [key, value] of Object.entries(changes))
		if (isHash(value) && isHash(object[key]))
			assign(object[key], value);
		else
			object[key] = structuredClone(value);
}

// Which table and row tells of an object.
const TABLES = {
	subscription: 'user_subscriptions', invoice: 'invoices',
	payment_intent: 'payments', charge: 'charges', refund: 'refunds',
	dispute: 'disputes', 'checkout.session': 'checkout_sessions',
	setup_intent: 'setup_intents', customer: 'customers',
	product: 'products', price: 'plans', plan: 'plans',
	invoice_payment: 'invoice_payments',
};

// One lifecycle while it is told.
export class Story {
	events = [];		// { type, created, body, object, previous, ids }
	truth = new Map();	// 'table id' -> { table, id, object, ... }

	constructor(name, version, random) {
		Object.assign(this, { name, version, random });
		this.old = isOld(version);
		// Two in one second are the rule in some stories.
		this.haste = random.pick([0.2, 0.5, 0.9, 1]);
		// It may end in the middle: what is true then?
		this.limit = random.chance(0.5) ? random.int(4, 16) : Infinity;
		this.now = 1767960000 + random.int(0, 10000000);
	}

	id(prefix) {
		return `${prefix}_1${this.random.text(13)}${ROUND}`;
	}

	// Time goes on, or maybe not.
	pass(least = 0, most = 5000) {
		if (least > 0 || !this.random.chance(this.haste))
			this.now += this.random.int(Math.max(least, 1), most);
		return this;
	}

	// Events that belong together, in any order: [type, object, previous].
	tellAll(list) {
		if (this.events.length >= this.limit)
			return;
		for (const [type, object, previous] of this.random.shuffle(list))
			this.#tell(type, object, previous);
	}

	tell(...event) {
		this.tellAll([event]);
	}

	#tell(type, object, previous) {
		const event = {
			id: EVENT, object: 'event', api_version: this.version,
			created: this.now,
			data: { object, ...(previous && Object.keys(previous).length > 0 ?
				{ previous_attributes: previous } : {}) },
			livemode: false, pending_webhooks: 1,
			request: { id: null, idempotency_key: null }, type,
		};
		this.events.push({ type, created: this.now, previous,
			object: object.id, body: JSON.stringify(event, null, 2) });
		this.#remember(type, object);
		for (const item of object.items?.data ?? [])
			if (!this.truth.get(`plans ${item.price.id}`)?.own)
				this.#know('plans', item.price, { own: false });
	}

	#know(table, object, more = {}) {
		const key = `${table} ${object.id}`;
		this.truth.set(key, { deleted: false, ...this.truth.get(key),
			table, id: object.id, object: structuredClone(object), ...more });
	}

	#remember(type, object) {
		const table = TABLES[object.object];
		const known = this.truth.get(`${table} ${object.id}`);
		const more = { own: true };
		// What is told of a plan is told of its price, too.
		if (object.object === 'plan' && known?.object.object === 'price')
			return;
		if (/\.(deleted|detached)$/.test(type))
			more.deleted = true;
		else if (/\.created$/.test(type))
			more.deleted = false;
		if (type === 'payment_intent.succeeded')
			more.succeeded_at ??= this.now;
		this.#know(table, object, more);
	}

	// Changes the object and tells so: the first type names the past.
	update(types, object, changes) {
		const was = structuredClone(object);
		assign(object, changes);
		const previous = past(was, object);
		const [first, ...others] = [].concat(types);
		this.tellAll([[first, object, previous],
			...others.map((type) => [type, object])]);
	}

	// An object of its template, or of these members alone.
	make(type, fields) {
		const object = { ...template(type, this.version), ...fields,
			livemode: false, created: this.now };
		if (this.version >= '2026')
			Object.assign(object, { status_details: null,
				new_in_endive: { enabled: false, list: [] } });
		return object;
	}

	customer(fields = {}) {
		return this.make('customer.created', { id: this.id('cus'),
			metadata: { user_id: String(this.random.int(1, 9999)) },
			email: `${this.random.text(8)}@example.com`, ...fields });
	}

	price(fields = {}) {
		const amount = this.random.int(1, 99) * 100;
		return this.make('price.created', { id: this.id('price'),
			product: this.id('prod'), unit_amount: amount,
			unit_amount_decimal: String(amount),
			nickname: this.random.text(8), lookup_key: null, ...fields });
	}

	subscription(price, fields = {}) {
		const object = this.make('customer.subscription.created', {
			id: this.id('sub'), customer: this.id('cus'),
			latest_invoice: this.id('in'), start_date: this.now, ...fields,
		});
		object.metadata = { user_id: String(this.random.int(1, 9999)) };
		object.items.data[0].id = this.id('si');
		object.items.data[0].subscription = object.id;
		this.setPrice(object, price);
		assign(object, this.period(object, this.now));
		return object;
	}

	setPrice(object, price) {
		const item = object.items.data[0];
		const plan = planOf(price);
		delete item.plan;
		Object.assign(item, { price: structuredClone(price), plan });
		object.plan = structuredClone(plan);
	}

	// Changes that give a subscription the period from this time on.
	period(object, start) {
		const fields = { current_period_start: start,
			current_period_end: start + 30 * 86400 };
		if (this.old)
			return fields;
		const [item] = object.items.data;
		return { items: { data: [{ ...item, ...fields }] } };
	}

	invoice(fields = {}) {
		const amount = this.random.int(1, 99) * 100;
		const object = this.make('invoice.payment_succeeded', {
			id: this.id('in'), customer: this.id('cus'), status: 'draft',
			number: null, amount_due: amount, amount_remaining: amount,
			amount_paid: 0, subtotal: amount, total: amount,
			attempt_count: 0, attempted: false, hosted_invoice_url: null,
			invoice_pdf: null, metadata: {}, status_transitions: {
				finalized_at: null, marked_uncollectible_at: null,
				paid_at: null, voided_at: null }, ...fields,
		});
		const subscription = this.id('sub');
		if (this.old)
			Object.assign(object, { subscription, paid: false,
				charge: null, payment_intent: null });
		else
			object.parent.subscription_details.subscription = subscription;
		return object;
	}

	payment(fields = {}) {
		const id = this.id('pi');
		const amount = this.random.int(1, 99) * 100;
		const object = this.make('payment_intent.succeeded', {
			id, client_secret: `${id}_secret_${this.random.text(24)}`,
			customer: this.id('cus'), amount, amount_received: 0,
			status: 'requires_payment_method', latest_charge: null,
			payment_method: null, metadata: {}, ...fields,
		});
		if (this.old)
			object.invoice = null;
		return object;
	}

	charge(fields = {}) {
		const amount = this.random.int(10, 99) * 100;
		return this.make('charge.refunded', { id: this.id('ch'), amount,
			amount_captured: amount, amount_refunded: 0, refunded: false,
			payment_intent: this.id('pi'), customer: this.id('cus'),
			metadata: {}, ...fields });
	}

	refund(charge, amount, fields = {}) {
		return { id: this.id('re'), object: 'refund', amount,
			balance_transaction: this.id('txn'), charge: charge.id,
			created: this.now, currency: charge.currency, metadata: {},
			payment_intent: charge.payment_intent, reason: null,
			receipt_number: null, status: 'succeeded', ...fields };
	}

	dispute(charge) {
		return { id: this.id('du'), object: 'dispute',
			amount: charge.amount, balance_transactions: [],
			charge: charge.id, created: this.now, currency: charge.currency,
			evidence: {}, evidence_details: { due_by: this.now + 864000,
				has_evidence: false, past_due: false, submission_count: 0 },
			is_charge_refundable: false, livemode: false, metadata: {},
			payment_intent: charge.payment_intent, reason: 'fraudulent',
			status: 'needs_response' };
	}

	session(fields = {}) {
		const id = `cs_test_a1${this.random.text(40)}${ROUND}`;
		return this.make('checkout.session.completed', { id,
			customer: this.id('cus'), mode: 'payment', invoice: null,
			subscription: null, payment_intent: this.id('pi'),
			status: 'open', payment_status: 'unpaid',
			client_secret: `${id}_secret_${this.random.text(30)}`,
			...fields });
	}

	setupIntent() {
		const id = this.id('seti');
		return { id, object: 'setup_intent', cancellation_reason: null,
			client_secret: `${id}_secret_${this.random.text(24)}`,
			created: this.now, customer: this.id('cus'),
			last_setup_error: null, livemode: false, metadata: {},
			payment_method: null, status: 'requires_payment_method',
			usage: 'off_session' };
	}
}

// The plan that goes with a price: of the same id.
export function planOf(price) {
	return { id: price.id, object: 'plan', active: price.active,
		amount: price.unit_amount,
		amount_decimal: price.unit_amount_decimal,
		billing_scheme: 'per_unit', created: price.created,
		currency: price.currency, interval: price.recurring.interval,
		interval_count: price.recurring.interval_count, livemode: false,
		metadata: structuredClone(price.metadata), nickname: price.nickname,
		product: price.product, tiers_mode: null, transform_usage: null,
		trial_period_days: null, usage_type: price.recurring.usage_type };
}
