// Lifecycles of Stripe's objects, made at random: the events in the order in
// which things happened, many of them within one second, as test clocks make
// them, and what is true in the end. Two of one second whose order no payload
// tells are not made.
import { readFixture } from './events.mjs';

// Stand for what is new at each delivery: the ids' ends, and events' ids.
export const ROUND = 'XXROUND00XX';
export const EVENT = 'evt_1XXEVENTXXEVENTXXEVEN';

export const VERSIONS = ['2024-06-20', '2025-08-27.basil',
	'2026-09-30.endive'];
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
function past(was, is) {
	const result = {};
	for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
		const a = was[key] ?? null;
		const b = is[key] ?? null;
		if (!same(a, b))
			result[key] = isHash(a) && isHash(b) ? past(a, b) : a;
	}
	return result;
}

function assign(object, changes) {
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
class Story {
	events = [];		// { type, created, body, object, previous, ids }
	truth = new Map();	// 'table id' -> { table, id, object, ... }

	constructor(name, version, random) {
		Object.assign(this, { name, version, random });
		this.old = isOld(version);
		// Two in one second are the rule in some stories.
		this.haste = random.pick([0.2, 0.5, 0.9, 1]);
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

	tell(type, object, previous) {
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
		const list = [[first, previous], ...others.map((type) => [type])];
		for (const [type, before] of this.random.shuffle(list))
			this.tell(type, object, before);
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
function planOf(price) {
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

// Invoices, payments.

const finalize = (story, invoice) => story.update(
	['invoice.updated', 'invoice.finalized'], invoice, { status: 'open',
		number: `INV-${story.random.int(1, 9999)}`,
		hosted_invoice_url: 'https://invoice.stripe.com/i/x',
		invoice_pdf: 'https://pay.stripe.com/invoice/x/pdf',
		status_transitions: { finalized_at: story.now } });

const failInvoice = (story, invoice) => story.update(
	['invoice.updated', 'invoice.payment_failed'], invoice, {
		attempted: true, attempt_count: invoice.attempt_count + 1,
		next_payment_attempt: story.now + 86400 * (invoice.attempt_count + 1),
	});

const payInvoice = (story, invoice) => story.update(
	['invoice.updated', 'invoice.paid', 'invoice.payment_succeeded'], invoice, {
		status: 'paid', attempted: true, next_payment_attempt: null,
		attempt_count: invoice.attempt_count + 1,
		amount_paid: invoice.amount_due, amount_remaining: 0,
		status_transitions: { paid_at: story.now },
		...(story.old ? { paid: true, charge: story.id('ch'),
			payment_intent: story.id('pi') } : {}) });

// Items are put on a draft.
function amounts(story, invoice, times) {
	for (let i = 0; i < times; i++) {
		const amount = invoice.amount_due + story.random.int(1, 50);
		story.pass().update('invoice.updated', invoice, { amount_due: amount,
			amount_remaining: amount, subtotal: amount, total: amount });
	}
}

// Subscriptions.

const updated = 'customer.subscription.updated';

// Changes none of which brings an old value back.
const changes = {
	quantity: (story, object) => ({ quantity: object.quantity + 1,
		items: { data: [{ ...object.items.data[0],
			quantity: object.quantity + 1 }] } }),
	metadata: (story) => ({ metadata: { [story.random.text(5)]: 'v' } }),
	rewritten: (story, object) => ({ metadata: { note: String(1 +
		Number(object.metadata.note ?? 0)) } }),
	cancelAt: (story, object) => ({ cancel_at: (object.cancel_at ??
		story.now + 86400) + 3600, canceled_at: story.now }),
	invoice: (story) => ({ latest_invoice: story.id('in') }),
	method: (story) => ({ default_payment_method: story.id('pm') }),
	period: (story, object) => story.period(object, story.now +
		story.random.int(1, 1e6)),
};

function change(story, object, name = story.random.pick(
	Object.keys(changes))) {
	story.update(updated, object, changes[name](story, object));
}

function manyChanges(story, object, times) {
	for (let i = 0; i < times; i++)
		change(story.pass(), object);
}

function changePrice(story, object, price) {
	const next = structuredClone(object);
	story.setPrice(next, price);
	story.update(updated, object, { items: next.items, plan: next.plan });
}

// A change by an event that doesn't name its past.
function end(story, type, object, fields = {}) {
	assign(object, fields);
	story.tell(type, object);
}

const cancel = (story, object) => end(story,
	'customer.subscription.deleted', object, { status: 'canceled',
		ended_at: story.now, canceled_at: object.canceled_at ?? story.now,
		cancellation_details: { reason: 'cancellation_requested' } });

const stories = {
	'trial to its end': (story) => {
		const { random } = story;
		const object = story.subscription(story.price(), {
			status: 'trialing', trial_start: story.now,
			trial_end: story.now + 259200 });
		story.tell('customer.subscription.created', object);
		story.pass().tell('customer.subscription.trial_will_end', object);
		manyChanges(story, object, random.int(0, 3));
		story.pass().update(updated, object, { status: 'active' });
		manyChanges(story, object, random.int(0, 3));
		for (let i = random.int(0, 2); i > 0; i--) {
			story.pass(1).update(updated, object, { status: 'past_due',
				latest_invoice: story.id('in') });
			manyChanges(story, object, random.int(0, 2));
			story.pass(1).update(updated, object, { status: 'active' });
		}
		if (random.chance(0.5))
			story.pass(1).update(updated, object, { canceled_at: story.now,
				cancel_at_period_end: true });
		manyChanges(story, object, random.int(0, 2));
		if (random.chance(0.2))
			return;
		cancel(story.pass(), object);
		// Its metadata can still be changed.
		if (random.chance(0.3))
			change(story.pass(1), object, 'metadata');
	},

	'incomplete to active': (story) => {
		const { random } = story;
		const customer = story.customer();
		const invoice = story.invoice({ customer: customer.id });
		const payment = story.payment({ customer: customer.id,
			amount: invoice.amount_due });
		const object = story.subscription(story.price(), {
			customer: customer.id, latest_invoice: invoice.id,
			status: 'incomplete' });
		story.tell('customer.created', customer);
		story.pass().tell('invoice.created', invoice);
		finalize(story.pass(), invoice);
		story.pass().tell('customer.subscription.created', object);
		story.pass().tell('payment_intent.created', payment);
		if (random.chance(0.2)) {
			story.pass(1).update(updated, object,
				{ status: 'incomplete_expired', ended_at: story.now });
			story.update(['invoice.updated', 'invoice.voided'], invoice, {
				status: 'void', status_transitions: {
					voided_at: story.now } });
			end(story, 'payment_intent.canceled', payment, {
				status: 'canceled', canceled_at: story.now,
				cancellation_reason: 'void_invoice' });
			return;
		}
		story.pass();
		end(story, 'payment_intent.succeeded', payment, {
			status: 'succeeded', amount_received: payment.amount,
			latest_charge: story.id('ch') });
		payInvoice(story, invoice);
		story.pass().update(updated, object, { status: 'active',
			default_payment_method: story.id('pm') });
		story.pass().update('customer.updated', customer,
			{ currency: 'eur', name: story.random.text(9) });
		manyChanges(story, object, random.int(0, 4));
	},

	'many changes': (story) => {
		const { random } = story;
		const object = story.subscription(story.price(),
			{ status: 'active' });
		story.tell('customer.subscription.created', object);
		// A chain of one second, whatever the haste.
		story.pass(1);
		const n = random.int(3, 9);
		for (let i = 0; i < n; i++)
			change(story, object);
		if (random.chance(0.5))
			changePrice(story.pass(), object, story.price());
		if (random.chance(0.3)) {
			story.pass(1).update([updated, 'customer.subscription.paused'],
				object, { status: 'paused' });
			story.pass(1).update([updated, 'customer.subscription.resumed'],
				object, { status: 'active' });
		}
		if (random.chance(0.3))
			story.pass(1).update(updated, object, { pause_collection: {
				behavior: 'void', resumes_at: story.now + 86400 } });
		manyChanges(story, object, random.int(0, 6));
		if (random.chance(0.3))
			cancel(story.pass(), object);
	},

	'invoice paid': (story) => {
		const { random } = story;
		const invoice = story.invoice();
		story.tell('invoice.created', invoice);
		amounts(story, invoice, random.int(0, 4));
		finalize(story.pass(), invoice);
		for (let i = random.int(0, 2); i > 0; i--)
			failInvoice(story.pass(), invoice);
		payInvoice(story.pass(), invoice);
		if (story.old || random.chance(0.4))
			return;
		const part = { id: story.id('inpay'), object: 'invoice_payment',
			amount_paid: invoice.amount_due, created: story.now,
			amount_requested: invoice.amount_due, currency: 'usd',
			invoice: invoice.id, is_default: true, livemode: false,
			payment: { payment_intent: story.id('pi'),
				type: 'payment_intent' }, status: 'paid',
			status_transitions: { canceled_at: null, paid_at: story.now } };
		story.tell('invoice_payment.paid', part);
		// The payment is detached, and the invoice open again.
		end(story.pass(1), 'invoice_payment.detached', part);
		story.update('invoice.updated', invoice, { status: 'open',
			amount_paid: 0, amount_remaining: invoice.amount_due,
			status_transitions: { paid_at: null } });
		if (random.chance(0.5))
			payInvoice(story.pass(), invoice);
	},

	'invoice unpaid': (story) => {
		const { random } = story;
		const invoice = story.invoice();
		story.tell('invoice.created', invoice);
		amounts(story, invoice, random.int(2, 7));
		if (random.chance(0.25)) {
			story.pass().tell('invoice.deleted', invoice);
			return;
		}
		finalize(story.pass(), invoice);
		for (let i = random.int(0, 3); i > 0; i--)
			failInvoice(story.pass(), invoice);
		if (random.chance(0.6))
			story.pass().update(['invoice.updated',
				'invoice.marked_uncollectible'], invoice, {
				status: 'uncollectible', status_transitions: {
					marked_uncollectible_at: story.now } });
		if (random.chance(0.4))
			payInvoice(story.pass(), invoice);
		else if (random.chance(0.6))
			story.pass().update(['invoice.updated', 'invoice.voided'],
				invoice, { status: 'void', status_transitions: {
					voided_at: story.now } });
		else
			story.pass().update('invoice.updated', invoice,
				{ metadata: { a: 'b' }, due_date: story.now + 99 });
	},

	'payment': (story) => {
		const { random } = story;
		const object = story.payment();
		const error = { code: 'card_declined', type: 'card_error',
			decline_code: 'insufficient_funds', message: 'No money.' };
		// What isn't final has no order within a second, but is after created.
		let least = 0;
		const state = (type, fields) => {
			end(story.pass(least), `payment_intent.${type}`, object, fields);
			least = 1;
		};
		story.tell('payment_intent.created', object);
		for (let i = random.int(0, 4); i > 0; i--) {
			const charge = story.id('ch');
			if (random.chance(0.5))
				state('requires_action', { status: 'requires_action',
					payment_method: story.id('pm'),
					last_payment_error: null });
			if (random.chance(0.5))
				state('processing', { status: 'processing',
					last_payment_error: null, latest_charge: charge });
			state('payment_failed', { status: 'requires_payment_method',
				last_payment_error: error, latest_charge: charge,
				payment_method: null });
		}
		if (random.chance(0.3))
			state('processing', { status: 'processing',
				last_payment_error: null, latest_charge: story.id('ch') });
		if (random.chance(0.3))
			state('amount_capturable_updated', {
				status: 'requires_capture', last_payment_error: null,
				amount_capturable: object.amount,
				latest_charge: story.id('ch') });
		if (random.chance(0.2)) {
			state('partially_funded', {});
			return;
		}
		story.pass();
		if (random.chance(0.7))
			end(story, 'payment_intent.succeeded', object, {
				status: 'succeeded', amount_received: object.amount,
				amount_capturable: 0, last_payment_error: null,
				latest_charge: object.latest_charge ?? story.id('ch') });
		else
			end(story, 'payment_intent.canceled', object, {
				status: 'canceled', canceled_at: story.now,
				amount_capturable: 0, cancellation_reason: 'abandoned' });
		story.tell('charge.succeeded', story.charge({
			payment_intent: object.id }));
	},

	'refunds': (story) => {
		const { random } = story;
		const charge = story.charge({ status: 'pending', captured: false,
			paid: false });
		story.tell('charge.pending', charge);
		end(story.pass(), 'charge.succeeded', charge,
			{ status: 'succeeded', paid: true });
		end(story.pass(), 'charge.captured', charge, { captured: true });
		for (let i = random.int(0, 2); i > 0; i--)
			story.pass().update('charge.updated', charge,
				{ metadata: { [random.text(4)]: 'x' } });
		const n = random.int(1, 4);
		const refunds = [];
		for (let i = 1; i <= n; i++) {
			const amount = i < n ? random.int(1, 300) :
				charge.amount - charge.amount_refunded;
			const refund = story.pass().refund(charge, amount, {
				status: random.pick(['pending', 'succeeded']) });
			const total = charge.amount_refunded + amount;
			refunds.push(refund);
			story.update('charge.refunded', charge, {
				amount_refunded: total, refunded: total === charge.amount });
			story.tell('refund.created', refund);
		}
		for (const refund of refunds) {
			if (refund.status === 'pending')
				story.pass().update(['refund.updated',
					...(random.chance(0.5) ? ['charge.refund.updated'] : [])],
				refund, { status: 'succeeded' });
			if (random.chance(0.4))
				story.pass().update(['refund.updated', 'refund.failed'],
					refund, { status: 'failed',
						failure_reason: 'expired_or_canceled_card' });
		}
		// The money came back, after all.
		if (refunds.at(-1).status === 'failed')
			story.pass(1).update('charge.updated', charge, {
				refunded: false, amount_refunded: charge.amount_refunded -
					refunds.at(-1).amount });
	},

	'disputes': (story) => {
		const { random } = story;
		const charge = story.charge();
		story.tell('charge.succeeded', charge);
		story.pass();
		const object = story.dispute(charge);
		story.tell('charge.dispute.created', object);
		story.update('charge.updated', charge, { disputed: true,
			dispute: object.id });
		story.pass().tell('charge.dispute.funds_withdrawn', object);
		for (let i = random.int(0, 3); i > 0; i--)
			story.pass().update('charge.dispute.updated', object, {
				evidence: { note: random.text(9) }, evidence_details: {
					submission_count:
						object.evidence_details.submission_count + 1,
					due_by: object.evidence_details.due_by + 100 } });
		story.pass().update('charge.dispute.updated', object,
			{ status: 'under_review' });
		end(story.pass(), 'charge.dispute.closed', object,
			{ status: random.pick(['won', 'lost']) });
		// An appeal.
		if (story.version > '2026' && random.chance(0.7)) {
			story.pass(1).update('charge.dispute.updated', object,
				{ status: 'appeal_under_review' });
			end(story.pass(), 'charge.dispute.closed', object,
				{ status: 'won' });
		}
		if (random.chance(0.5))
			story.pass(1).tell('charge.dispute.funds_reinstated', object);
	},

	'checkout': (story) => {
		const { random } = story;
		const slow = random.chance(0.5);
		const object = story.session();
		if (random.chance(0.2))
			end(story, 'checkout.session.expired', object,
				{ status: 'expired' });
		else
			end(story, 'checkout.session.completed', object, {
				status: 'complete', payment_status: slow ? 'unpaid' :
					'paid' });
		if (object.status === 'complete' && slow) {
			const well = random.chance(0.7);
			end(story.pass(), `checkout.session.async_payment_${
				well ? 'succeeded' : 'failed'}`, object,
			well ? { payment_status: 'paid' } : {});
		}
		const intent = story.pass().setupIntent();
		story.tell('setup_intent.created', intent);
		end(story.pass(), 'setup_intent.requires_action', intent,
			{ status: 'requires_action' });
		if (random.chance(0.5))
			end(story.pass(1), 'setup_intent.setup_failed', intent, {
				status: 'requires_payment_method', last_setup_error: {
					code: 'card_declined', decline_code: 'lost_card',
					message: 'No.' } });
		if (random.chance(0.7))
			end(story.pass(), 'setup_intent.succeeded', intent, {
				status: 'succeeded', last_setup_error: null,
				payment_method: story.id('pm') });
		else
			end(story.pass(), 'setup_intent.canceled', intent, {
				status: 'canceled', cancellation_reason: 'abandoned' });
	},

	'catalogue': (story) => {
		const { random } = story;
		const plans = random.chance(0.6);
		const prices = !plans || random.chance(0.7);
		const ids = { price: `gold-monthly-${random.text(4)}-${ROUND}`,
			product: `gold-${random.text(4)}-${ROUND}`,
			customer: `cus_shop-${random.text(4)}-${ROUND}` };
		let price;
		let subscription;
		const tellPrice = (type, was) => {
			const list = [];
			if (prices)
				list.push([`price.${type}`, price,
					was && past(was, price)]);
			if (plans)
				list.push([`plan.${type}`, planOf(price),
					was && past(planOf(was), planOf(price))]);
			for (const args of random.shuffle(list))
				story.tell(...args);
		};
		// Once, or deleted and made anew.
		for (let life = random.int(1, 2); life > 0; life--) {
			const product = story.make('product.created', {
				id: ids.product, name: random.text(8),
				default_price: null, metadata: {} });
			const customer = story.customer({ id: ids.customer });
			price = story.price({ id: ids.price, product: product.id,
				lookup_key: prices ? random.text(6) : null });
			story.tell('product.created', product);
			story.tell('customer.created', customer);
			tellPrice('created');
			for (let i = random.int(0, 2); i > 0; i--) {
				const was = structuredClone(price);
				story.pass();
				assign(price, { nickname: random.text(8),
					lookup_key: prices ? random.text(6) : null,
					metadata: { [`n${i}`]: 'x' } });
				tellPrice('updated', was);
			}
			if (random.chance(0.5))
				story.pass().update('product.updated', product, {
					name: random.text(8), default_price: price.id });
			if (random.chance(0.5))
				story.pass().update('customer.updated', customer,
					{ email: `${random.text(8)}@example.com` });
			if (!subscription && random.chance(0.7)) {
				subscription = story.pass().subscription(price,
					{ status: 'active' });
				story.tell('customer.subscription.created', subscription);
			}
			if (life === 1 && random.chance(0.5))
				break;
			story.pass(1);
			tellPrice('deleted');
			story.tell('product.deleted', product);
			story.tell('customer.deleted', customer);
			// The subscription goes on with what was deleted.
			if (subscription && random.chance(0.5))
				change(story.pass(), subscription, 'metadata');
			story.pass();
		}
	},
};

// Ten lifecycles of each version, of 4 to 25 events.
export function makeLifecycles(seed) {
	const random = new Random(seed);
	const result = [];
	for (const version of VERSIONS)
		for (const [name, tell] of Object.entries(stories)) {
			let story;
			do {
				story = new Story(name, version, random);
				tell(story);
			} while (story.events.length < 4 || story.events.length > 25);
			result.push(story);
		}
	return result;
}
