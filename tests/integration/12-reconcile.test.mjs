// What Stripe has and we have not: reconcile and backfill against a stand-in
// for Stripe's API.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import {
	makeEvent, makePayment, newId, now, readFixture,
} from './lib/events.mjs';
import { sleep, until } from './lib/processes.mjs';
import { Server } from './lib/server.mjs';
import { StripeApi } from './lib/stripe-api.mjs';

let server;
let api;

before(async () => {
	api = await new StripeApi().listen();
	server = await Server.start();
});
after(async () => {
	await server?.stop();
	api?.close();
});
beforeEach(() => {
	api.events = [];
	api.endpoints = [];
	api.objects.clear();
	api.denied.clear();
	api.faults = [];
	api.requests = [];
	api.delay = 0;
	api.ready = () => {};
	api.clock = () => Date.now();
});

const settings = (extra = {}) => ({ ...server.env,
	STRIPE_SECRET_KEY: api.key, STRIPEHOOK_API_BASE: api.base,
	STRIPEHOOK_API_RATE: '100', ...extra });
const ctl = (args, extra) => server.ctl(args, { env: settings(extra) });

async function report(args, extra) {
	const result = await ctl(['reconcile', '--json', ...args], extra);
	assert.notEqual(result.stdout, '', result.stderr);
	return { ...result, ...JSON.parse(result.stdout) };
}

const template = JSON.parse(
	readFixture('customer.subscription.updated.basil.json'));
const subscription = (id, values = {}) =>
	({ ...template.data.object, id, ...values });

// Two updates of one second that undo each other: no payload can tell.
async function tie({ kept = 'active', created = now() - 100 } = {}) {
	const id = newId('sub');
	const states = ['active', 'past_due'];
	for (const [i, status] of states.entries()) {
		const event = makeEvent('customer.subscription.updated',
			subscription(id, { status }), { created });
		event.data.previous_attributes = { status: states[1 - i] };
		assert.equal((await server.deliver(event)).status, 200);
	}
	assert.equal(await server.value('SELECT open FROM reconcile_marks ' +
		`WHERE object_id = '${id}'`), '1');
	api.put(subscription(id, { status: kept }));
	return id;
}
const statusOf = (id) => server.value('SELECT status FROM ' +
	`user_subscriptions WHERE stripe_subscription_id = '${id}'`);
const isOpen = async (id) => await server.value('SELECT open FROM ' +
	`reconcile_marks WHERE object_id = '${id}'`) === '1';
const unmark = () =>
	server.sql('UPDATE reconcile_marks SET open = 0');

function missing(count, age = 3600) {
	const list = Array.from({ length: count }, (_, i) =>
		makePayment({}, { created: now() - age - i }));
	api.events.push(...list);
	return list;
}

describe('events that the journal lacks', () => {
	test('300 on three pages, past 429, 500 and a reset', async () => {
		const list = missing(300);
		const known = makePayment({}, { created: now() - 4000 });
		assert.equal((await server.deliver(known)).status, 200);
		api.events.push(known);
		api.faults = [429, 500, 'reset'];
		const before = await server.count('event_journal');

		const first = await ctl(['reconcile']);
		assert.match(first.stdout, /^missing 300, stored 0, /m);
		assert.equal(first.code, 1);
		assert.equal(await server.count('event_journal'), before);
		assert.equal(await server.count('tool_state'), 0);
		assert.deepEqual(api.asked('/v1/events').map((r) => r.status),
			[429, 500, 'reset', 200, 200, 200, 200]);
		assert.equal(api.asked('/v1/events').at(-1).query.get('limit'), '100');

		api.faults = ['reset', 429, 500];
		const second = await ctl(['reconcile', '--repair']);
		assert.match(second.stdout, /^missing 300, stored 300, /m);
		assert.equal(second.code, 0, second.stderr);
		assert.equal(await server.count('event_journal', "origin = 'api'"),
			300);
		for (const { id } of list.slice(0, 3)) {
			const stored = await server.event(id);
			assert.equal(stored.status, 'processed');
			assert.deepEqual(JSON.parse(stored.payload),
				list.find((event) => event.id === id));
		}
		assert.equal(await server.count('payments'), 301);

		for (const args of [['reconcile'], ['reconcile', '--repair']]) {
			const again = await ctl(args);
			assert.match(again.stdout, /^missing 0, stored 0, /m);
			assert.equal(again.code, 0, again.stderr);
		}
	});

	test('one that fails is stored as failed, and told', async () => {
		const good = missing(1);
		const bad = makePayment({ amount: 'much' },
			{ created: now() - 3500 });
		api.events.push(bad);
		const result = await report(['--repair', '--since', '2h']);
		assert.equal(result.stored, 2);
		assert.match(result.notes.join(), new RegExp(
			`${bad.id} is stored as failed: data.object.amount`));
		assert.equal((await server.event(bad.id)).status, 'failed');
		assert.equal((await server.event(good[0].id)).status, 'processed');
	});

	test('those of a mode that isn\'t wanted are kept, not applied',
		async () => {
			const [event] = missing(1);
			const result = await report(['--repair', '--since', '2h'],
				{ STRIPEHOOK_LIVEMODE: 'live' });
			assert.equal(result.stored, 1);
			const stored = await server.event(event.id);
			assert.equal(stored.status, 'ignored');
			assert.match(stored.error, /STRIPEHOOK_LIVEMODE/);
			assert.equal(await server.count('payments',
				`stripe_payment_intent_id = '${event.data.object.id}'`), 0);
		});

	test('what is no event ends it, and nothing is skipped later',
		async () => {
			const list = missing(3);
			const { data, ...rest } = makePayment({}, { created: now() - 3500 });
			api.events.push(rest);
			const result = await ctl(['reconcile', '--repair',
				'--since', '2h']);
			assert.equal(result.code, 3);
			assert.match(result.stderr, /is no event: 'data.object' must be/);
			api.events.pop();
			assert.equal((await report(['--repair', '--since', '2h'])).code, 0);
			for (const { id } of list)
				assert.equal((await server.event(id)).status, 'processed');
		});

	test('a database that is read-only for a while loses none', async () => {
		const list = missing(400);
		const ids = list.map(({ id }) => `'${id}'`).join();
		const stored = () => server.count('event_journal',
			`stripe_event_id IN (${ids}) AND status = 'processed'`);
		let goOn;
		const locked = new Promise((resolve) => {
			goOn = resolve;
		});
		api.ready = (path) => path === '/v1/events' &&
			api.asked(path).length >= 2 ? locked : undefined;
		const result = ctl(['reconcile', '--repair', '--since', '2h']);
		await until(async () => await stored() >= 100, 'the first batch');
		await server.sql('SET GLOBAL read_only = 1');
		try {
			goOn();
			const had = await stored();
			await sleep(4000);
			assert.equal(await stored(), had);
			assert.ok(had < 400);
		} finally {
			goOn();
			await server.sql('SET GLOBAL read_only = 0');
		}
		const { code, stdout, stderr } = await result;
		assert.equal(code, 0, stderr);
		assert.match(stdout, /^missing 400, stored 400, /m);
		assert.equal(await stored(), 400);
		await server.ready();
	});

	test('a delivery that comes late is a duplicate', async () => {
		const [event] = missing(1);
		assert.equal((await report(['--repair', '--since', '2h'])).stored, 1);
		assert.equal((await server.deliver(event)).status, 200);
		assert.equal((await server.event(event.id)).deliveries, '2');
	});

	test('the last five minutes are left to the webhook', async () => {
		missing(1, 60);
		assert.equal((await report([])).missing, 0);
		const { query } = api.asked('/v1/events')[0];
		assert.ok(Math.abs(Number(query.get('created[lte]')) -
			(now() - 300)) < 60);
	});

	test('from the last complete run on, at most 30 days', async () => {
		await server.sql("DELETE FROM tool_state WHERE name LIKE 'rec%'");
		const from = async (...args) => {
			api.requests = [];
			await report(args);
			return now() - Number(api.asked('/v1/events')[0].query
				.get('created[gte]'));
		};
		const near = (value, wanted) =>
			assert.ok(Math.abs(value - wanted) < 120, `${value} ${wanted}`);
		near(await from(), 30 * 86400);
		near(await from('--since', '2h'), 7200);
		near(await from('--repair', '--since', '2h'), 7200);
		near(await from('--repair'), 30 * 86400);	// 2h left a gap
		near(await from(), 300 + 600);
		near(await from('--since', '90d'), 30 * 86400);
		assert.equal((await ctl(['reconcile', '--since', 'later'])).code, 2);
	});

	test('the types that the endpoint is subscribed to, 20 a call', async () => {
		const types = Array.from({ length: 45 }, (_, i) => `some.type${i}`);
		types.push('payment_intent.succeeded');
		api.endpoints = [
			{ id: 'we_1', url: 'https://else.example/hook', status: 'enabled',
				enabled_events: ['charge.updated'] },
			{ id: 'we_2', url: 'https://shop.example/api/webhooks/stripe/',
				status: 'enabled', enabled_events: types },
		];
		missing(2);
		api.events.push(makeEvent('some.type44', { id: 'x_1', object: 'x' },
			{ created: now() - 3600 }));
		api.events.push(makeEvent('charge.updated', { id: 'ch_1',
			object: 'charge' }, { created: now() - 3600 }));
		const found = await report(['--since', '2h']);
		assert.equal(found.missing, 3);
		assert.deepEqual(api.asked('/v1/events').map(({ query }) =>
			query.getAll('types[]').length), [20, 20, 6]);
		const set = await report(['--since', '2h'], {
			STRIPEHOOK_RECONCILE_TYPES: 'some.type44,some.type43' });
		assert.equal(set.missing, 1);
	});

	test('Connect accounts are listed each by itself', async () => {
		const account = newId('acct');
		const event = makePayment({}, { account, created: now() - 4000 });
		assert.equal((await server.deliver(event)).status, 200);
		const other = makePayment({}, { account, created: now() - 4000 });
		api.events.push(other);
		assert.equal((await report(['--repair', '--since', '2h'])).stored, 1);
		assert.ok(api.asked('/v1/events').some(({ headers }) =>
			headers['stripe-account'] === account));
		assert.equal((await server.event(other.id)).account, account);
	});
});

describe('ties that no payload can settle', () => {
	for (const kept of ['active', 'past_due'])
		test(`are settled to what the API says: ${kept}`, async () => {
			const id = await tie({ kept });
			const seen = await report([]);
			assert.equal(seen.marked, 1);
			assert.equal(seen.settled, 0);
			assert.equal(seen.code, 1);
			assert.equal(await isOpen(id), true);

			const { code, settled, stderr } = await report(['--repair']);
			assert.equal(settled, 1, stderr);
			assert.equal(code, 0);
			assert.equal(await statusOf(id), kept);
			assert.equal(await isOpen(id), false);
			const [event] = await server.sql('SELECT stripe_event_id AS id, ' +
				'payload, origin FROM event_journal JOIN event_payloads USING ' +
				`(stripe_event_id) WHERE object_id = '${id}' AND ` +
				"event_type = 'stripehook.snapshot'");
			assert.equal(event.origin, 'snapshot');
			const body = JSON.parse(event.payload);
			assert.equal(body.id, `snap_${id}_${body.created}`);
			assert.equal(body.api_version, '2025-08-27.basil');
			assert.deepEqual(body.data.object, api.objects.get(id));
			assert.equal(await server.value('SELECT source_event_id FROM ' +
				'user_subscriptions WHERE stripe_subscription_id = ' +
				`'${id}'`), event.id);
			assert.equal((await report(['--repair'])).marked, 0);
			const check = await server.ctl(['rebuild', '--check']);
			assert.equal(check.code, 0, check.stdout);
		});

	test('a snapshot of the very second settles nothing yet', async () => {
		const created = now() - 1000;
		const id = await tie({ kept: 'past_due', created });
		const { data: { object } } = JSON.parse((await server.event(
			await server.value('SELECT source_event_id FROM ' +
			`user_subscriptions WHERE stripe_subscription_id = '${id}'`)))
			.payload);
		api.put(subscription(id, { status: object.status === 'active' ?
			'past_due' : 'active' }));
		api.clock = () => created * 1000;
		const first = await report(['--repair']);
		assert.equal(first.settled, 0);
		assert.equal(first.code, 1);
		assert.match(first.notes.join(), /will be fetched again/);
		assert.equal(await isOpen(id), true);
		api.clock = () => (created + 1) * 1000;
		assert.equal((await report(['--repair'])).settled, 1);
		assert.notEqual(await statusOf(id), object.status);
	});

	test('an event that came since needs no fetching', async () => {
		const id = await tie();
		assert.equal((await server.deliver(makeEvent(
			'customer.subscription.updated',
			subscription(id, { status: 'unpaid' })))).status, 200);
		api.requests = [];
		assert.equal((await report(['--repair'])).code, 0);
		assert.equal(api.asked(`/v1/subscriptions/${id}`).length, 0);
		assert.equal(await isOpen(id), false);
		assert.equal(await statusOf(id), 'unpaid');
	});

	test('of a Connect account are asked for in its name', async () => {
		const account = newId('acct');
		const id = newId('sub');
		const created = now() - 1000;
		for (const [status, other] of [['active', 'past_due'],
			['past_due', 'active']]) {
			const event = makeEvent('customer.subscription.updated',
				subscription(id, { status }), { created, account });
			event.data.previous_attributes = { status: other };
			assert.equal((await server.deliver(event)).status, 200);
		}
		api.put(subscription(id, { status: 'active' }));
		assert.equal((await report(['--repair'])).settled, 1);
		assert.equal(api.asked(`/v1/subscriptions/${id}`)[0]
			.headers['stripe-account'], account);
	});

	test('gone: a product is, a subscription never', async () => {
		const sub = await tie();
		api.objects.clear();
		const id = newId('prod');
		const created = now() - 1000;
		for (const [name, other] of [['A', 'B'], ['B', 'A']]) {
			const event = makeEvent('product.updated', { id, name,
				object: 'product', active: true, created,
				livemode: false, metadata: {} }, { created });
			event.data.previous_attributes = { name: other };
			assert.equal((await server.deliver(event)).status, 200);
		}
		// Nothing that came is in the key's sight: it may be another's.
		const blind = await report(['--repair']);
		assert.equal(blind.gone, 2);
		assert.equal(blind.code, 1);
		assert.match(blind.notes.join(), /of another account/);
		assert.equal(await isOpen(id), true);

		api.events.push({ created: now() - 600, id: await server.value('SELECT stripe_event_id ' +
			"FROM event_journal WHERE origin = 'webhook' AND account = '' " +
			'ORDER BY created_at DESC LIMIT 1') });
		const seen = await report(['--repair', '--since', '1h']);
		assert.equal(seen.gone, 2);
		assert.equal(seen.settled, 1);
		assert.equal(seen.code, 1);
		const [row] = await server.sql(
			`SELECT name, deleted FROM products WHERE product_id = '${id}'`);
		assert.equal(row.deleted, '1');
		assert.match(row.name, /^[AB]$/);
		assert.equal(await isOpen(sub), true);
		await unmark();
	});
});

describe('what it could not do', () => {
	const cases = [
		['no key', {}, { STRIPE_SECRET_KEY: '' },
			/STRIPE_SECRET_KEY is not set/],
		['a key that is no good', {}, { STRIPE_SECRET_KEY: 'sk_test_other' },
			/refuses STRIPE_SECRET_KEY \(401\).*copy the key anew/],
		['a key without the right', { denied: ['/v1/events'] }, {},
			/\/v1\/events: .*has not the right.*'Events: Read'/],
		['no answer', {}, { STRIPEHOOK_API_BASE: 'http://127.0.0.1:1' },
			/127\.0\.0\.1:1 can't be reached/],
		['a key in plain text', {}, { STRIPEHOOK_API_BASE:
			'http://stripe.example' }, /must begin with https/],
		['no end of 500s', { faults: Array(9).fill(500) }, {},
			/Stripe answered 500/],
	];
	for (const [name, { denied = [], faults = [] }, env, message] of cases)
		test(name, async () => {
			api.denied = new Set(denied);
			api.faults = [...faults];
			for (const args of [['reconcile', '--repair'],
				...denied.length > 0 ? [] : [['backfill', 'products']]]) {
				api.faults = [...faults];
				const result = await ctl(args, env);
				assert.equal(result.code, 3, result.stdout + result.stderr);
				assert.match(result.stderr, message);
				for (const key of ['sk_test_other', api.key])
					assert.ok(!(result.stdout + result.stderr).includes(key));
			}
		});

	test('the endpoints may be out of the key\'s sight', async () => {
		api.denied.add('/v1/webhook_endpoints');
		missing(1);
		assert.equal((await report(['--repair', '--since', '2h'])).stored, 1);
	});

	test('one kind may be: its mark stays, the others are settled', async () => {
		const id = await tie();
		api.denied.add('/v1/subscriptions');
		const { code, notes, settled } = await report(['--repair']);
		assert.equal(code, 3);
		assert.equal(settled, 0);
		assert.match(notes.join(), /'Subscriptions: Read'/);
		assert.equal(await isOpen(id), true);
		api.denied.clear();
		assert.equal((await report(['--repair'])).settled, 1);
	});

	test('the database', async () => {
		const result = await ctl(['reconcile'],
			{ STRIPEHOOK_DB_SOCKET: '/nonexistent' });
		assert.equal(result.code, 3);
		assert.match(result.stderr, /database \/nonexistent/);
	});

	test('objects of the other mode', async () => {
		const id = await tie();
		api.key = 'sk_live_integration';
		const live = await report(['--repair']);
		api.key = 'sk_test_integration';
		assert.equal(live.code, 1);
		assert.match(live.notes.join(), /is of test mode/);
		assert.equal(await isOpen(id), true);
		assert.equal((await report(['--repair'])).settled, 1);
	});
});

describe('rows that differ from Stripe\'s objects', () => {
	test('are named column by column, and repaired', async () => {
		const id = newId('sub');
		const object = subscription(id, { status: 'active' });
		assert.equal((await server.deliver(makeEvent(
			'customer.subscription.updated', object,
			{ created: now() - 100 }))).status, 200);
		api.put({ ...object });
		const payment = makePayment({}, { created: now() - 100 });
		assert.equal((await server.deliver(payment)).status, 200);
		api.put(payment.data.object);
		const since = ['--objects', '--since', String(now() - 20)];
		const of = ({ differences }) => differences.filter(({ object: o }) =>
			o === id || o === payment.data.object.id);
		assert.deepEqual(of(await report(since)), []);

		api.put({ ...object, cancel_at_period_end: true, metadata: {
			...object.metadata, note: 'x' }, cancel_at: 1790000000 });
		await server.sql('UPDATE payments SET amount = 1, latest_charge = ' +
			`NULL WHERE stripe_payment_intent_id = '${payment.data.object.id}'`);
		const found = await report(since);
		assert.equal(found.code, 1);
		assert.deepEqual(of(found).map(({ object: o, column }) =>
			`${o === id ? 'sub' : 'pi'}.${column}`).sort(),
		['pi.amount', 'pi.latest_charge', 'sub.cancel_at',
			'sub.cancel_at_period_end', 'sub.metadata']);
		assert.equal(of(found).find(({ column }) => column === 'amount')
			.stored, '1');
		const text = await ctl(['reconcile', ...since]);
		assert.match(text.stdout, new RegExp(
			`^user_subscriptions ${id} cancel_at: stored NULL, at Stripe ` +
			'2026-09-21 14:13:20$', 'm'));

		await report([...since, '--repair']);
		assert.deepEqual(of(await report(since)), []);
		assert.equal(await server.value('SELECT amount FROM payments WHERE ' +
			`stripe_payment_intent_id = '${payment.data.object.id}'`),
		String(payment.data.object.amount));
		const check = await server.ctl(['rebuild', '--check']);
		assert.equal(check.code, 0, check.stdout);
	});
});

describe('backfill', () => {
	const customers = (count) => {
		const { data: { object } } = JSON.parse(
			readFixture('customer.created.basil.json'));
		const list = Array.from({ length: count }, (_, i) => ({ ...object,
			id: newId('cus'), email: `c${i}@example.com`,
			created: 1700000000 + i }));
		api.put(...list);
		return list;
	};

	test('every kind, and what events told stays', async () => {
		const [one] = customers(3);
		// The shop's webhook already knows this customer better.
		assert.equal((await server.deliver(makeEvent('customer.updated',
			{ ...one, email: 'new@example.com' },
			{ created: now() + 5 }))).status, 200);
		const charge = JSON.parse(
			readFixture('charge.refunded.basil.json')).data.object;
		const { data: { object: paid } } = makePayment({ created: 1700000000 });
		api.put({ ...paid, latest_charge: { ...charge, id: newId('ch'),
			created: 1700000003 } }, subscription(newId('sub'),
			{ status: 'canceled' }));
		const result = await ctl(['backfill']);
		assert.equal(result.code, 0, result.stderr);
		assert.match(result.stdout, /^customers: fetched 3, stored 3$/m);
		assert.match(result.stdout, /^subscriptions: fetched 1, stored 1$/m);
		assert.equal(api.asked('/v1/subscriptions')[0].query.get('status'),
			'all');
		assert.equal(await server.value('SELECT email FROM customers WHERE ' +
			`stripe_customer_id = '${one.id}'`), 'new@example.com');
		const [payment] = await server.sql('SELECT status, succeeded_at, ' +
			'latest_charge FROM payments WHERE stripe_payment_intent_id = ' +
			`'${paid.id}'`);
		assert.equal(payment.status, 'succeeded');
		assert.match(payment.latest_charge, /^ch_/);
		assert.equal(payment.succeeded_at, '2023-11-14 22:13:23');

		const again = await ctl(['backfill', 'customers']);
		assert.match(again.stderr, /by an earlier run; --restart/);
		const anew = JSON.parse((await ctl(['backfill', 'customers',
			'--restart', '--json'])).stdout);
		assert.deepEqual([anew.kinds[0].kind, anew.kinds[0].fetched],
			['customers', 3]);
		assert.equal((await ctl(['backfill', 'cats'])).code, 2);
	});

	test('goes on where it was killed', async () => {
		const list = customers(1000);
		api.ready = (path) => api.asked(path).length < 5 ? undefined :
			new Promise(() => {});
		const child = spawn(path.join(server.build, 'stripehookctl'),
			[...server.configArguments, 'backfill', 'customers', '--restart'],
			{ env: settings(), cwd: server.root, stdio: 'ignore' });
		const ended = new Promise((resolve) => child.on('close', resolve));
		await until(() => api.asked('/v1/customers').length >= 5,
			'five pages');
		child.kill('SIGKILL');
		await ended;
		api.ready = () => {};
		const place = await server.value('SELECT value FROM tool_state ' +
			"WHERE name LIKE 'backfill.test.%.customers'");
		assert.match(place, /^cus_/);
		api.requests = [];
		const result = await ctl(['backfill', 'customers']);
		assert.equal(result.code, 0, result.stderr);
		assert.equal(api.asked('/v1/customers')[0].query
			.get('starting_after'), place);
		assert.ok(api.asked('/v1/customers').length <= 7);
		const ids = list.map(({ id }) => `'${id}'`).join();
		assert.equal(await server.count('customers',
			`stripe_customer_id IN (${ids})`), 1000);
	});
});

test('its own rate limit', async () => {
	missing(700);
	const start = Date.now();
	assert.equal((await report(['--since', '2h'],
		{ STRIPEHOOK_API_RATE: '5' })).missing, 700);
	assert.ok(Date.now() - start >= 200 * (api.requests.length - 1));
	assert.match(api.requests[0].headers['user-agent'], /^stripehook\/\d/);
	assert.equal(api.requests[0].headers['stripe-version'], undefined);
	api.requests = [];
	await report([], { STRIPEHOOK_API_VERSION: '2025-08-27.basil' });
	assert.equal(api.requests[0].headers['stripe-version'], '2025-08-27.basil');
});
