// Events that are not the ordinary case: of connected accounts, of unknown
// kinds, thin, impossible to apply, big, many at once.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
	FIXTURES, Renamer, makeEvent, makePayment, newId, now, print, randomText,
	readFixture, readJson, shuffle,
} from './lib/events.mjs';
import { until } from './lib/processes.mjs';
import { Server, metric } from './lib/server.mjs';

const MiB = 1024 * 1024;
// Under a sanitizer all is many times slower.
const MANY = process.env.STRIPEHOOK_TEST_SLOW ? 10 : 40;

let server;
before(async () => {
	server = await Server.start();
});
after(() => server?.stop());

const payment = async (id) => (await server.sql('SELECT * FROM payments ' +
	`WHERE stripe_payment_intent_id = '${id}'`))[0];

// An event of exactly so many bytes.
function sized(bytes) {
	const event = makePayment({ description: '' });
	const length = Buffer.byteLength(print(event));
	event.data.object.description = 'x'.repeat(bytes - length);
	const body = print(event);
	assert.equal(Buffer.byteLength(body), bytes);
	return { event, body };
}

describe('kinds', () => {
	test('of a connected account', async () => {
		const event = makePayment({}, { account: 'acct_1Connected' });
		assert.equal((await server.deliver(event)).status, 200);
		const stored = await server.event(event.id);
		assert.equal(stored.status, 'processed');
		assert.equal(stored.account, 'acct_1Connected');
		const row = await payment(event.data.object.id);
		assert.equal(row.account, 'acct_1Connected');
	});

	test('one price id in two accounts is two plans', async () => {
		const { data } = JSON.parse(readFixture('price.created.basil.json'));
		const id = `price_${randomText(12)}`;
		for (const [account, nickname] of [['acct_1A', 'A'], ['acct_1B', 'B']])
			assert.equal((await server.deliver(makeEvent('price.created',
				{ ...data.object, id, nickname }, { account }))).status, 200);
		assert.deepEqual(await server.sql('SELECT account, nickname FROM ' +
			`plans WHERE plan_id = '${id}' ORDER BY account`),
		[{ account: 'acct_1A', nickname: 'A' },
			{ account: 'acct_1B', nickname: 'B' }]);
	});

	test('of live mode', async () => {
		const event = makePayment({ livemode: true }, { livemode: true });
		assert.equal((await server.deliver(event)).status, 200);
		assert.equal((await server.event(event.id)).livemode, '1');
	});

	test('of an unknown type: ignored', async () => {
		const event = makeEvent('radar.early_fraud_warning.created',
			{ id: 'issfr_1', object: 'radar.early_fraud_warning' });
		const answer = await server.deliver(event);
		assert.equal(answer.status, 200);
		assert.equal(answer.text, '{"received":true}');
		const stored = await server.event(event.id);
		assert.equal(stored.status, 'ignored');
		assert.equal(stored.object_id, 'issfr_1');
		assert.ok(stored.payload.equals(Buffer.from(print(event))));
	});

	test('whose object has no id: no row, no failure', async () => {
		const { data } = JSON.parse(
			readFixture('invoice.payment_failed.basil.json'));
		const event = makeEvent('invoice.upcoming',
			{ ...data.object, id: undefined });
		const before = await server.count('invoices');
		assert.equal((await server.deliver(event)).status, 200);
		assert.notEqual((await server.event(event.id)).status, 'failed');
		assert.equal(await server.count('invoices'), before);
	});

	test('thin: ignored, and the operator learns what to change', async () => {
		const event = { ...readJson('fixtures/thin/v1.invoice.paid.json'),
			id: newId('evt') };
		assert.equal(event.object, 'v2.core.event', FIXTURES);
		assert.equal((await server.deliver(event)).status, 200);
		const stored = await server.event(event.id);
		assert.equal(stored.status, 'ignored');
		assert.match(stored.error, /[Ss]napshot/);
		assert.match(stored.error, /[Tt]hin/);
	});

	test('an unknown status is not refused', async () => {
		const event = makePayment({ status: 'requires_a_miracle' });
		assert.equal((await server.deliver(event)).status, 200);
		assert.equal((await server.event(event.id)).status, 'processed');
		assert.equal((await payment(event.data.object.id)).status,
			'requires_a_miracle');
	});

	test('big amounts, other currencies, far dates', async () => {
		const event = makePayment({ amount: 999999999999,
			amount_received: 999999999999, currency: 'idr',
			canceled_at: 4102444800 });
		assert.equal((await server.deliver(event)).status, 200);
		const row = await payment(event.data.object.id);
		assert.equal(row.amount, '999999999999');
		assert.equal(row.canceled_at, '2100-01-01 00:00:00');
		for (const [currency, amount, shown] of [['jpy', 1500, '1500'],
			['kwd', 1500, '1.500'], ['usd', 5, '0.05']]) {
			const other = makePayment({ amount, currency });
			await server.deliver(other);
			assert.equal(await server.value('SELECT amount FROM admin_payments' +
				` WHERE stripe_payment_intent_id = '${other.data.object.id}'`),
			shown);
		}
	});

	test('unicode arrives as it was sent', async () => {
		const name = 'Zoë Ǿ 🐘 \u202e«»';
		const event = makeEvent('customer.created', {
			...JSON.parse(readFixture('customer.created.basil.json')).data.object,
			id: newId('cus'), name, email: 'zoë@exämple.com' });
		assert.equal((await server.deliver(event)).status, 200);
		const row = (await server.sql('SELECT * FROM customers WHERE ' +
			`stripe_customer_id = '${event.data.object.id}'`))[0];
		assert.equal(row.name, name);
		assert.equal(row.email, 'zoë@exämple.com');
	});
});

describe('what cannot be applied', () => {
	test('an amount that is text: failed, with the reason', async () => {
		const event = makePayment({ amount: '12' });
		const answer = await server.deliver(event);
		assert.equal(answer.status, 200);
		assert.equal(answer.text, '{"received":true}');
		const stored = await server.event(event.id);
		assert.equal(stored.status, 'failed');
		assert.match(stored.error, /amount/);
		assert.ok(stored.payload.equals(Buffer.from(print(event))));
		assert.equal(await payment(event.data.object.id), undefined);
		const [shown] = await server.sql('SELECT * FROM admin_failed_events ' +
			`WHERE stripe_event_id = '${event.id}'`);
		assert.equal(shown.error, stored.error);
		assert.ok(metric(await server.metrics(), 'stripehook_requests_total',
			'outcome="failed"') >= 1);
	});

	const faults = {
		'a fraction of a cent': { amount: 10.5 },
		'more than fits': { amount: 1e19 },
		'a list for a currency': { currency: ['usd'] },
		'a status of 300 characters': { status: 's'.repeat(300) },
		'a customer of 300 characters': { customer: `cus_${'a'.repeat(300)}` },
		'a charge that is not ASCII': { latest_charge: 'ch_ü' },
		'a time before time': { canceled_at: -62135596801 },
		'a time after all time': { canceled_at: 253402300800 },
	};
	for (const [name, object] of Object.entries(faults))
		test(`${name}: failed, with the reason`, async () => {
			const event = makePayment(object);
			assert.equal((await server.deliver(event)).status, 200);
			const stored = await server.event(event.id);
			assert.equal(stored.status, 'failed', stored.error);
			assert.match(stored.error, new RegExp(Object.keys(object)[0]));
		});

	test('the reason holds no client_secret', async () => {
		const id = newId('pi');
		const event = makePayment({ id, amount: `${id}_secret_abcdefghijklmnop` });
		await server.deliver(event);
		const stored = await server.event(event.id);
		assert.equal(stored.status, 'failed');
		assert.ok(!stored.error.includes('abcdefghijklmnop'));
	});

	test('the same failed event again changes nothing', async () => {
		const event = makePayment({ amount: 'x' });
		await server.deliver(event);
		await server.deliver(event);
		const stored = await server.event(event.id);
		assert.equal(stored.status, 'failed');
		assert.equal(stored.deliveries, '2');
	});

	test('a poison event in a batch hurts no other', async () => {
		const events = Array.from({ length: 200 }, (_, i) =>
			makePayment(i % 20 === 7 ? { amount: 'poison' } : {}));
		const answers = await Promise.all(
			events.map((event) => server.deliver(event)));
		assert.ok(answers.every(({ status }) => status === 200));
		const rows = new Map((await server.sql(
			'SELECT stripe_event_id AS id, status FROM event_journal'))
			.map(({ id, status }) => [id, status]));
		for (const event of events)
			assert.equal(rows.get(event.id),
				event.data.object.amount === 'poison' ? 'failed' : 'processed');
	});

	test('what only the database can refuse, likewise', async () => {
		await server.sql('ALTER TABLE payments ADD CONSTRAINT poison ' +
			"CHECK (capture_method <> 'poison')");
		const events = Array.from({ length: 200 }, (_, i) =>
			makePayment(i % 50 === 7 ? { capture_method: 'poison' } : {}));
		const answers = await Promise.all(
			events.map((event) => server.deliver(event)));
		await server.sql('ALTER TABLE payments DROP CONSTRAINT poison');
		await until(async () => metric(await server.metrics(),
			'stripehook_database_up') === 2, 'both workers connected');
		assert.deepEqual([...new Set(answers.map(({ text }) => text))],
			['{"received":true}'], server.log().slice(-2000));
		for (const event of events) {
			const poison = event.data.object.capture_method === 'poison';
			const { status, error } = await server.event(event.id);
			assert.equal(status, poison ? 'failed' : 'processed');
			if (poison)
				assert.match(error, /poison/);
		}
	});
});

describe('at once', () => {
	test('one event 100 times: one row, 100 deliveries', async () => {
		const event = makePayment();
		const answers = await Promise.all(Array.from({ length: 100 },
			() => server.deliver(event)));
		assert.ok(answers.every(({ status }) => status === 200));
		const stored = await server.event(event.id);
		assert.equal(stored.deliveries, '100');
		assert.equal(stored.status, 'processed');
		assert.equal(await server.count('event_payloads',
			`stripe_event_id = '${event.id}'`), 1);
	});

	test('100 events of one object: the newest stays', async () => {
		const id = newId('cus');
		const start = now() - 1000;
		const events = Array.from({ length: 100 }, (_, i) => makeEvent(
			'customer.updated', { id, object: 'customer', created: start,
				email: `${i}@example.com`, livemode: false },
			{ created: start + i }));
		const answers = await Promise.all(
			shuffle(events, 1).map((event) => server.deliver(event)));
		assert.ok(answers.every(({ status }) => status === 200));
		const [row] = await server.sql('SELECT email, source_event_id FROM ' +
			`customers WHERE stripe_customer_id = '${id}'`);
		assert.deepEqual(row, { email: '99@example.com',
			source_event_id: events[99].id });
	});

	test('many events of few objects: no deadlock shows', async () => {
		const ids = Array.from({ length: 5 }, () => newId('sub'));
		const { data } = JSON.parse(
			readFixture('customer.subscription.updated.basil.json'));
		const answers = await Promise.all(Array.from({ length: 400 },
			(_, i) => server.deliver(makeEvent('customer.subscription.updated',
				{ ...data.object, id: ids[i % 5] },
				{ created: now() - (i * 7919) % 1000 }))));
		assert.ok(answers.every(({ status }) => status === 200));
		assert.equal(await server.count('user_subscriptions',
			`stripe_subscription_id IN ('${ids.join("','")}')`), 5);
	});

	test('two generations of one object, in both orders', async () => {
		for (const order of [['2024-06-20', 'basil'], ['basil', '2024-06-20']]) {
			const names = new Renamer();
			for (const generation of order)
				for (const type of ['invoice.payment_succeeded',
					'payment_intent.succeeded']) {
					const event = JSON.parse(names.text(
						readFixture(`${type}.${generation}.json`)));
					event.id = newId('evt');
					assert.equal((await server.deliver(event)).status, 200);
				}
			const invoice = names.name('in_1iXiLwB7WZ01zgkWFb9NPAyy');
			const intent = names.name('pi_3pmLPgB7WZ01zgkWZsIqbS9A');
			assert.equal(await server.value('SELECT stripe_payment_intent_id ' +
				`FROM admin_invoices WHERE stripe_invoice_id = '${invoice}'`),
			intent, order.join());
			assert.equal(await server.value('SELECT stripe_invoice_id FROM ' +
				`admin_payments WHERE stripe_payment_intent_id = '${intent}'`),
			invoice, order.join());
		}
	});
});

describe('big bodies', () => {
	test('exactly 1 MiB', async () => {
		const { event, body } = sized(MiB);
		assert.equal((await server.deliver(body)).status, 200);
		assert.ok((await server.event(event.id)).payload
			.equals(Buffer.from(body)));
	});

	test('one byte more: 413, nothing stored', async () => {
		const { event, body } = sized(MiB + 1);
		const answer = await server.deliver(body);
		assert.equal(answer.status, 413);
		assert.equal(answer.json.error.code, 'too_large');
		assert.equal(await server.event(event.id), undefined);
	});

	test(`${MANY} of 1 MiB at once`, async () => {
		const workers = server.workers().sort();
		const all = Array.from({ length: MANY }, () => sized(MiB));
		const answers = await Promise.all(
			all.map(({ body }) => server.deliver(body)));
		assert.deepEqual([...new Set(answers.map(({ text }) => text))],
			['{"received":true}']);
		const ours = 'stripe_event_id IN ' +
			`('${all.map(({ event }) => event.id).join("','")}')`;
		assert.equal(await server.count('event_payloads',
			`LENGTH(payload) = ${MiB} AND ${ours}`), MANY);
		assert.equal(await server.count('event_journal',
			`status = 'processed' AND ${ours}`), MANY);
		assert.deepEqual(server.workers().sort(), workers, 'the workers live');
	});
});
