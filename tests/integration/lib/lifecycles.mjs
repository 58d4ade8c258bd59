// Lifecycles of Stripe's objects, made at random: many things happen within one
// second, as test clocks make them. Two of one second whose order no payload
// tells are not made.
import { ROUND, Random, Story, assign, past, planOf } from './story.mjs';

const VERSIONS = ['2024-06-20', '2025-08-27.basil', '2026-09-30.endive'];

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
			story.tellAll(list);
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
