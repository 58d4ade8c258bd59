// The main path: Stripe's own SDK signs, rows appear.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Stripe from 'stripe';
import {
	ROOT, Renamer, makePayment, newId, print, readFixture,
} from './lib/events.mjs';
import { WEBHOOK } from './lib/http.mjs';
import { until } from './lib/processes.mjs';
import { SECRET, Server, run } from './lib/server.mjs';

let server;
before(async () => {
	server = await Server.start();
});
after(async () => {
	const { left } = await server?.stop() ?? {};
	assert.deepEqual(left, []);
});

const stripe = new Stripe('sk_test_unused');
const signBySdk = (payload) =>
	stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET });

const fresh = (fixture) => new Renamer().text(readFixture(fixture));

test('an event signed by the SDK is stored and applied', async () => {
	const body = fresh('payment_intent.succeeded.basil.json');
	const event = JSON.parse(body);
	const answer = await server.deliver(body, { signature: signBySdk(body) });
	assert.equal(answer.status, 200);
	assert.equal(answer.text, '{"received":true}');
	assert.match(answer.headers['content-type'], /^application\/json/);

	const [row] = await server.sql('SELECT * FROM admin_webhook_events ' +
		`WHERE stripe_event_id = '${event.id}'`);
	assert.equal(row.status, 'processed');
	assert.equal(row.event_type, 'payment_intent.succeeded');
	assert.equal(row.deliveries, '1');
	assert.equal(row.error, null);
	const [payment] = await server.sql('SELECT * FROM admin_payments ' +
		`WHERE stripe_payment_intent_id = '${event.data.object.id}'`);
	assert.equal(payment.amount, '15.00');
	assert.equal(payment.status, 'succeeded');
	assert.equal(payment.email, 'jenny.rosen@example.com');
});

test('the same event again is counted, and changes nothing', async () => {
	const event = makePayment();
	const body = print(event);
	for (let i = 0; i < 2; i++) {
		const answer = await server.deliver(body,
			{ signature: signBySdk(body) });
		assert.equal(answer.status, 200);
		assert.equal(answer.text, '{"received":true}');
	}
	const rows = await server.sql('SELECT status, deliveries ' +
		`FROM admin_webhook_events WHERE stripe_event_id = '${event.id}'`);
	assert.deepEqual(rows, [{ status: 'processed', deliveries: '2' }]);
	assert.equal(await server.count('payments',
		`stripe_payment_intent_id = '${event.data.object.id}'`), 1);
});

for (const [what, base, path] of [
	['http, no slash', 'base', '/api/webhooks/stripe'],
	['https', 'secureBase', WEBHOOK],
	['https, no slash', 'secureBase', '/api/webhooks/stripe'],
	['a query', 'base', `${WEBHOOK}?source=test`],
	['a query, no slash', 'base', '/api/webhooks/stripe?source=test'],
])
	test(`delivered by ${what}, without a redirect`, async () => {
		const event = makePayment();
		const answer = await server.deliver(event,
			{ url: server[base] + path });
		assert.equal(answer.status, 200, answer.text);
		assert.equal((await server.event(event.id)).status, 'processed');
	});

test('any Host will do', async () => {
	const answer = await server.deliver(makePayment(),
		{ headers: { Host: 'shop.example:8000' } });
	assert.equal(answer.status, 200);
});

test('the five admin views show what was delivered', async () => {
	const names = new Renamer();
	for (const type of ['customer.created', 'product.created', 'price.created',
		'customer.subscription.created', 'invoice.payment_succeeded'])
		assert.equal((await server.deliver(names.text(
			readFixture(`${type}.basil.json`)))).status, 200, type);
	const [subscription] = await server.sql('SELECT * FROM ' +
		'admin_user_subscriptions LIMIT 1');
	assert.deepEqual(Object.keys(subscription).slice(0, 4),
		['user', 'plan_id', 'status', 'created_at']);
	assert.equal(subscription.user, '42');
	const [invoice] = await server.sql('SELECT * FROM admin_invoices LIMIT 1');
	assert.deepEqual(Object.keys(invoice).slice(0, 4),
		['stripe_invoice_id', 'customer_email', 'amount', 'status']);
	assert.equal(invoice.status, 'paid');
	const [plan] = await server.sql('SELECT * FROM admin_plans LIMIT 1');
	assert.deepEqual(Object.keys(plan).slice(0, 4),
		['name', 'price', 'billing_interval', 'is_active']);
	const [payment] = await server.sql('SELECT * FROM admin_payments LIMIT 1');
	assert.deepEqual(Object.keys(payment).slice(0, 4),
		['stripe_payment_intent_id', 'user', 'amount', 'status']);
	const [event] = await server.sql(
		'SELECT * FROM admin_webhook_events LIMIT 1');
	assert.deepEqual(Object.keys(event).slice(0, 4),
		['stripe_event_id', 'event_type', 'status', 'created_at']);
	assert.ok(!('payload' in event));
});

test('scripts/sql reads as the admin, and as the owner', async () => {
	const sql = (...args) => run('scripts/sql', args,
		{ cwd: ROOT, env: server.env });
	const admin = await sql('-BN', '-e',
		'SELECT COUNT(*) > 0 FROM admin_webhook_events');
	assert.equal(admin.stdout, '1\n', admin.stderr);
	const denied = await sql('-BN', '-e', 'SELECT payload FROM webhook_events');
	assert.notEqual(denied.code, 0);
	const owner = await sql('--owner', '-BN', '-e',
		'SELECT COUNT(*) > 0 FROM webhook_events WHERE payload IS NOT NULL');
	assert.equal(owner.stdout, '1\n', owner.stderr);
});

test('a line in the log for each delivery, without payload', async () => {
	const event = makePayment({ receipt_email: 'nobody.logs@example.com' });
	await server.deliver(event);
	// It is answered first.
	await until(() => server.log().includes(event.id), 'its line');
	const lines = server.log().split('\n')
		.filter((line) => line.includes(event.id));
	assert.equal(lines.length, 1, server.log().slice(-500));
	assert.match(lines[0], /payment_intent\.succeeded processed 200 \d+\.\d+ ms/);
	assert.ok(!server.log().includes('nobody.logs'));
});

test('an id nobody knows has no row', async () => {
	assert.equal(await server.event(newId('evt')), undefined);
});
