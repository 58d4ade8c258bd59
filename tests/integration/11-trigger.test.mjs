// stripehookctl trigger: what it makes is what Stripe's SDK takes and the
// server applies, the same rows come of the same events, and it goes nowhere
// but to this machine.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import Stripe from 'stripe';
import { SECRET, Server } from './lib/server.mjs';

const stripe = new Stripe('sk_test_unused');

let server;
before(async () => {
	server = await Server.start();
});
after(() => server?.stop());

const trigger = (...args) => server.ctl(['trigger', ...args]);

// What --json says of a run that must have this exit status.
async function deliver(code, ...args) {
	const run = await trigger('--json', ...args);
	assert.equal(run.code, code, run.stderr + run.stdout);
	return JSON.parse(run.stdout);
}

// [{ signature, body, event }] of --print --header.
async function printed(...args) {
	const { code, stdout, stderr } = await trigger('--print', '--header',
		...args);
	assert.equal(code, 0, stderr);
	return stdout.split(/^Stripe-Signature: /m).slice(1).map((part) => {
		const end = part.indexOf('\n');
		const body = part.slice(end + 1, -1);
		return { signature: part.slice(0, end), body,
			event: JSON.parse(body) };
	});
}

const failed = () => server.count('admin_webhook_events',
	"status = 'failed'");

async function empty() {
	const tables = await server.sql('SELECT table_name AS name FROM ' +
		"information_schema.tables WHERE table_schema = 'stripehook' AND " +
		"table_type = 'BASE TABLE' AND (table_name LIKE 'event\\_%' OR " +
		"table_name = 'links' OR table_name IN (SELECT table_name FROM " +
		"information_schema.columns WHERE table_schema = 'stripehook' AND " +
		"column_name = 'order_key'))");
	assert.ok(tables.length > 12);
	await server.sql(tables.map(({ name }) => `TRUNCATE ${name}`).join(';'));
}

// Every row of every object table, and the links.
async function dump() {
	const columns = await server.sql('SELECT c.table_name AS t, ' +
		"GROUP_CONCAT(IF(c.data_type LIKE '%binary', CONCAT('HEX(`', " +
		"c.column_name, '`)'), CONCAT('`', c.column_name, '`')) ORDER BY " +
		'c.ordinal_position) AS list FROM information_schema.columns c JOIN ' +
		"information_schema.tables USING (table_schema, table_name) WHERE " +
		"c.table_schema = 'stripehook' AND table_type = 'BASE TABLE' AND " +
		"(c.table_name = 'links' OR c.table_name IN (SELECT table_name FROM " +
		"information_schema.columns WHERE table_schema = 'stripehook' AND " +
		"column_name = 'order_key')) GROUP BY 1");
	const tables = {};
	for (const { t, list } of columns)
		tables[t] = await server.sql(
			`SELECT ${list} FROM ${t} ORDER BY 1, 2, 3`);
	return tables;
}

function assertSame(a, b) {
	for (const [table, rows] of Object.entries(a)) {
		assert.equal(rows.length, b[table].length, table);
		rows.forEach((row, i) => assert.deepEqual(row, b[table][i], table));
	}
}

describe('the list', () => {
	test('one type a line', async () => {
		const { code, stdout } = await trigger();
		assert.equal(code, 0);
		const types = stdout.trimEnd().split('\n');
		assert.ok(types.length > 60);
		for (const type of ['payment_intent.succeeded', 'invoice_payment.paid',
			'customer.subscription.trial_will_end', 'charge.dispute.closed'])
			assert.ok(types.includes(type), type);
		assert.deepEqual(JSON.parse((await trigger('--json')).stdout), types);
	});
});

describe('delivered', () => {
	for (const shape of ['acacia', 'basil'])
		test(`every type of ${shape}: stored, none failed`, async () => {
			const types = (await trigger()).stdout.trimEnd().split('\n');
			const result = await deliver(0, '*', '--shape', shape);
			assert.equal(result.events, types.length);
			assert.deepEqual(result.answered, { 200: types.length });
			assert.equal(await failed(), 0);
			const rows = await server.sql('SELECT DISTINCT event_type AS t ' +
				'FROM webhook_events WHERE api_version LIKE ' +
				`'%.${shape}' ORDER BY 1`);
			assert.deepEqual(rows.map(({ t }) => t), [...types].sort());
		});

	test('the line in the end', async () => {
		const { code, stdout } = await trigger('product.created',
			'price.created', '--duplicate', '1');
		assert.equal(code, 0);
		assert.match(stdout, /^2 events, 4 deliveries: 4 answered 200, 0 failed, \d+\/s\n$/);
	});

	test('what belongs together refers to each other', async () => {
		await empty();
		await deliver(0, 'customer.created', 'customer.subscription.created',
			'invoice.paid', 'payment_intent.succeeded', 'charge.succeeded',
			'--user', '4711');
		const [row] = await server.sql('SELECT s.user_id, i.status, ' +
			'p.status AS paid FROM user_subscriptions s JOIN customers c ' +
			'USING (stripe_customer_id) JOIN invoices i USING ' +
			'(stripe_subscription_id) JOIN payments p ON ' +
			'p.stripe_customer_id = c.stripe_customer_id JOIN charges h ' +
			'USING (stripe_payment_intent_id)');
		assert.deepEqual(row, { user_id: '4711', status: 'paid',
			paid: 'succeeded' });
	});

	test('over https, with the certificate that scripts/run made',
		async () => {
			await deliver(0, 'product.created', '--to', server.secureBase);
		});

	test('live events', async () => {
		await deliver(0, 'payment_intent.succeeded', '--live');
		assert.equal(await server.count('payments', 'livemode = 1'), 1);
	});

	test('no faster than the rate', async () => {
		const result = await deliver(0, 'product.created', '--count', '10',
			'--rate', '20');
		assert.ok(result.seconds > 0.4, `${result.seconds} s`);
	});
});

describe('refused', () => {
	for (const option of ['--wrong-secret', '--stale'])
		test(option, async () => {
			const before = await server.count('event_journal');
			const result = await deliver(1, 'product.created', 'price.created',
				option);
			assert.deepEqual(result.answered, { 400: 2 });
			assert.equal(result.failed, 2);
			assert.equal(await server.count('event_journal'), before);
		});

	test('again after a 503, not after a 500', async () => {
		const answers = [503, 200, 500];
		const stub = http.createServer((req, res) => {
			req.resume().on('end', () => {
				res.writeHead(answers.shift() ?? 200);
				res.end();
			});
		});
		await new Promise((resolve) => stub.listen(0, '127.0.0.1', resolve));
		const to = `http://127.0.0.1:${stub.address().port}/hook`;
		const first = await deliver(0, 'product.created', '--to', to);
		assert.deepEqual(first.answered, { 200: 1 });
		assert.equal(first.retries, 1);
		const second = await deliver(1, 'product.created', '--to', to);
		assert.deepEqual(second.answered, { 500: 1 });
		stub.closeAllConnections();
		stub.close();
	});

	test('nobody listens', async () => {
		const { code, stderr } = await trigger('product.created', '--to',
			'http://127.0.0.1:9/');
		assert.equal(code, 3);
		assert.match(stderr, /127\.0\.0\.1:9/);
	});
});

describe('usage', () => {
	for (const url of ['http://192.0.2.1/', 'https://shop.invalid/hook',
		'http://[2001:db8::1]/', 'http://0.0.0.0:8000/'])
		test(`not to ${url}`, async () => {
			const { code, stderr } = await trigger('product.created', '--to',
				url);
			assert.equal(code, 2);
			assert.match(stderr, /another machine.*--i-mean-it/);
		});

	for (const args of [['product.crated'], ['nothing.*'], ['--lifecycle',
		'payd'], ['--count', '0', 'product.created'], ['--shape', 'clover',
		'product.created'], ['--seed', '-1', 'product.created'],
	['product.created', '--to', 'localhost:8000'], ['--header',
		'product.created'], ['--no-such-option']])
		test(args.join(' '), async () => {
			const { code, stdout, stderr } = await trigger(...args);
			assert.equal(code, 2, stdout);
			assert.notEqual(stderr, '');
		});

	test('what may be meant is named', async () => {
		assert.match((await trigger('product.crated')).stderr,
			/did you mean 'product\.created'/);
	});

	test('no secret labelled live signs', async () => {
		const env = (value) => ({ env: { ...server.env,
			STRIPE_WEBHOOK_SECRET: value } });
		const only = await server.ctl(['trigger', 'product.created'],
			env(`live:${SECRET}`));
		assert.equal(only.code, 3);
		assert.match(only.stderr, /labelled 'live:'/);
		assert.ok(!only.stderr.includes(SECRET));
		const second = await server.ctl(['trigger', 'product.created'],
			env(`live:whsec_0123456789abcdef0123456789abcdef,test:${SECRET}`));
		assert.equal(second.code, 0, second.stderr);
	});
});

describe('printed', () => {
	test('the SDK takes what is signed', async () => {
		const events = await printed('*', '--shape', 'basil');
		assert.ok(events.length > 60);
		for (const { signature, body, event } of events) {
			const checked = stripe.webhooks.constructEvent(body, signature,
				SECRET);
			assert.deepEqual(checked, event);
			assert.ok(!body.endsWith('\n'));
			assert.match(event.id, /^evt_[0-9A-Za-z]{24}$/);
		}
	});

	test('but not what is wrong, or stale', async () => {
		for (const option of ['--wrong-secret', '--stale']) {
			const [{ signature, body }] = await printed('product.created',
				option);
			assert.throws(() => stripe.webhooks.constructEvent(body, signature,
				SECRET), /signature|tolerance/);
		}
	});

	test('the same seed, the same bytes', async () => {
		const print = async (...args) => (await trigger('--print',
			...args)).stdout;
		const args = ['--lifecycle', '--count', '5', '--shuffle',
			'--duplicate', '0.5', '--seed'];
		const one = await print(...args, '1');
		assert.ok(one.length > 10000);
		assert.equal(await print(...args, '1'), one);
		assert.notEqual(await print(...args, '2'), one);
	});

	test('without a seed it is said, and times are recent', async () => {
		const { stdout, stderr } = await trigger('--print', 'charge.refunded');
		assert.match(stderr, /^seed \d+\n$/);
		const age = Date.now() / 1000 - JSON.parse(stdout).created;
		assert.ok(age >= 0 && age < 600, `${age} s old`);
	});

	test('all of a lifecycle in one second', async () => {
		const events = await printed('--lifecycle', 'paid', '--same-second');
		const times = new Set(events.map(({ event }) => event)
			.filter(({ type }) => !/^(product|price|plan)\./.test(type))
			.map(({ created }) => created));
		assert.equal(times.size, 1);
	});
});

test('the same events make the same rows, whatever the order', async () => {
	const args = ['--lifecycle', '--count', '300', '--seed', '1'];
	await empty();
	const first = await deliver(0, ...args, '--shuffle', '--duplicate', '0.3');
	const rows = await dump();
	assert.equal(await failed(), 0);
	assert.ok(first.events > 4000);
	assert.ok(first.deliveries > first.events * 1.2);
	assert.ok(rows.user_subscriptions.length > 200);

	await empty();
	const second = await deliver(0, ...args, '--shuffle', '--duplicate',
		'0.3', '--connections', '32');
	assert.equal(second.deliveries, first.deliveries);
	assertSame(await dump(), rows);

	await empty();
	const third = await deliver(0, ...args, '--connections', '1');
	assert.equal(third.deliveries, first.events);
	assertSame(await dump(), rows);
});
