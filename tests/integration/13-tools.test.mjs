// The journal's tools: events, event, replay, dismiss, prune, redact.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeEvent, makePayment, newId, now, print, readFixture }
	from './lib/events.mjs';
import { Server } from './lib/server.mjs';
import { Session } from './lib/session.mjs';
import { Stopped } from './lib/stopped.mjs';

let server;
before(async () => {
	server = await Server.start();
});
after(() => server?.stop());

const lines = (text) => text.trim() === '' ? [] :
	text.trim().split('\n').map((line) => JSON.parse(line));

async function ctl(...args) {
	const { code, stdout, stderr } = await server.ctl(args);
	return { code, stdout, stderr };
}

async function deliver(event) {
	const { status } = await server.deliver(event);
	assert.equal(status, 200);
	return event;
}

const subscription = (id, values = {}) => ({
	...JSON.parse(readFixture('customer.subscription.updated.basil.json'))
		.data.object, id, ...values });

// What no mapping takes.
const broken = () => makePayment({ amount: 'much' });

// As if a later version understood it.
const mend = (event) => server.sql('UPDATE event_payloads SET payload = ' +
	`REPLACE(payload, '"amount": "much"', '"amount": 1234') ` +
	`WHERE stripe_event_id = '${event.id}'`);

// As if events had come so long ago.
async function age(days, ...ids) {
	const list = ids.map((id) => `'${id}'`).join(', ');
	await server.sql('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;' +
		['event_journal', 'event_payloads'].map((table) =>
			`UPDATE ${table} SET created_at = created_at - INTERVAL ` +
			`${days} DAY WHERE stripe_event_id IN (${list});`).join(''));
}

const status = async (id) => (await server.event(id)).status;
const attempts = (id) => server.sql('SELECT status, error, actor FROM ' +
	`event_attempts WHERE stripe_event_id = '${id}' ORDER BY attempted_at`);
const payload = async (id) => (await server.event(id)).payload?.toString();

// All object rows as text, whoever wrote them.
async function dump() {
	let text = '';
	for (const { name } of await server.sql("SELECT table_name AS name FROM " +
		"information_schema.columns WHERE table_schema = 'stripehook' AND " +
		"column_name = 'order_key' AND table_name IN (SELECT table_name " +
		"FROM information_schema.tables WHERE table_type = 'BASE TABLE') " +
		'ORDER BY 1'))
		text += name + JSON.stringify(await server.sql(
			`SELECT * FROM ${name} ORDER BY 1, account, livemode`)) + '\n';
	return text + JSON.stringify(await server.sql(
		'SELECT * FROM links ORDER BY 1, 2, 3'));
}

async function rebuildIsClean() {
	const { code, stdout, stderr } = await ctl('rebuild', '--check');
	assert.equal(code, 0, stdout + stderr);
}

describe('events', () => {
	const customer = newId('cus');
	let sent;
	before(async () => {
		sent = [];
		for (let i = 0; i < 4; i++)
			sent.push(await deliver(makePayment()));
		sent.push(await deliver(makeEvent('tax_rate.created',
			{ id: newId('txr'), object: 'tax_rate' })));
		sent.push(await deliver(makeEvent('customer.created',
			{ id: customer, object: 'customer', created: now() })));
		sent.push(await deliver(broken()));
	});
	const list = async (...args) => {
		const { code, stdout, stderr } = await ctl('events', '--json',
			...args);
		assert.equal(code, 0, stderr);
		return lines(stdout);
	};
	const ids = (events) => events.map((event) => event.stripe_event_id);

	test('newest first', async () => {
		assert.deepEqual(ids(await list()), ids(sent.map((event) =>
			({ stripe_event_id: event.id }))).reverse());
		assert.deepEqual(ids(await list('--limit', '2')),
			[sent[6].id, sent[5].id]);
	});

	test('filters', async () => {
		assert.deepEqual(ids(await list('--status', 'failed')), [sent[6].id]);
		assert.deepEqual(ids(await list('--status', 'ignored')),
			[sent[4].id]);
		assert.equal((await list('--type', 'payment_intent.succeeded'))
			.length, 5);
		assert.deepEqual(ids(await list('--type', '*.created')),
			[sent[5].id, sent[4].id]);
		assert.deepEqual(ids(await list('--type', '*', '--limit', '3')),
			[sent[6].id, sent[5].id, sent[4].id]);
		assert.deepEqual(await list('--type', 'payment%'), []);
		assert.deepEqual(await list('--type', 'no.such.*'), []);
		assert.deepEqual(ids(await list('--type', 'payment_*', '--status',
			'failed')), [sent[6].id]);
		assert.equal((await list('--type', 'payment_*', '--status',
			'processed')).length, 4);
		assert.deepEqual(ids(await list('--object', customer)), [sent[5].id]);
		assert.equal((await list('--since', '1h')).length, 7);
		assert.deepEqual(await list('--since', String(now() + 5)), []);
		const [last] = await list('--limit', '1');
		assert.deepEqual(ids(await list('--since', last.created_at)),
			[last.stripe_event_id]);
	});

	test('what an object holds', async () => {
		const [event] = await list('--status', 'failed');
		assert.equal(event.event_type, 'payment_intent.succeeded');
		assert.match(event.error, /amount/);
		assert.equal(event.deliveries, 1);
		assert.equal(event.livemode, false);
		assert.equal(Date.parse(event.created) / 1000, sent[6].created);
		assert.ok(Math.abs(Date.parse(event.created_at) - Date.now()) < 600e3);
		assert.equal(event.processed_at, null);
	});

	test('a table', async () => {
		const { code, stdout } = await ctl('events');
		assert.equal(code, 0);
		const [title, ...rows] = stdout.trimEnd().split('\n');
		assert.match(title, /^RECEIVED +EVENT +TYPE +STATUS +OBJECT +COUNT +ERROR$/);
		assert.equal(rows.length, 7);
		for (const name of ['EVENT', 'TYPE', 'STATUS', 'OBJECT'])
			for (const row of rows)
				assert.match(row.slice(title.indexOf(name) - 2), /^ {2}\S/);
		assert.match(rows[0], /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}evt_/);
		assert.match(rows[0], /amount/);
	});

	for (const args of [['--status', 'fine'], ['--since', 'yesterday'],
		['--limit', '0'], ['--limit', 'x'], ['evt_1'], ['--what']])
		test(`usage: ${args.join(' ')}`, async () => {
			const { code, stderr } = await ctl('events', ...args);
			assert.equal(code, 2);
			assert.match(stderr, /usage: stripehookctl events/);
		});
});

describe('event', () => {
	test('shows all but the secret', async () => {
		const event = makePayment({ description: 'first' });
		event.data.object.nested = [{ client_secret: 'seti_1_secret_deep' }];
		event.data.previous_attributes =
			{ client_secret: `${event.data.object.id}_secret_old` };
		await deliver(event);
		for (const args of [['event', event.id],
			['event', event.id, '--json']]) {
			const { code, stdout } = await ctl(...args);
			assert.equal(code, 0);
			const secret = event.data.object.client_secret
				.split('_secret_')[1];
			for (const text of [secret, 'deep', '_secret_old'])
				assert.ok(!stdout.includes(text), text);
			assert.ok(stdout.includes(`${event.data.object.id}_secret_***`));
			assert.ok(stdout.includes('seti_1_secret_***'));
		}
		const { stdout } = await ctl('event', event.id);
		assert.ok(stdout.includes(print(event).split('client_secret')[0]),
			'the payload as it was sent');
		assert.match(stdout, /payments pi_\w+: decided by this event/);
		const shown = JSON.parse((await ctl('event', event.id, '--json'))
			.stdout);
		assert.equal(shown.payload.data.object.description, 'first');
		assert.deepEqual(shown.rows.map((row) => [row.table, row.id,
			row.decides]), [['payments', event.data.object.id, true]]);
		assert.deepEqual(shown.attempts, []);
	});

	test('which rows it decides, and what it links', async () => {
		const id = newId('sub');
		const old = await deliver(makeEvent('customer.subscription.updated',
			subscription(id), { created: now() - 50 }));
		const later = await deliver(makeEvent('customer.subscription.updated',
			subscription(id), { created: now() - 40 }));
		const row = async (event) => {
			const shown = JSON.parse((await ctl('event', event.id, '--json'))
				.stdout);
			return [shown.rows.find((r) => r.table === 'user_subscriptions'),
				shown.links];
		};
		const [first] = await row(old);
		assert.equal(first.decides, false);
		assert.equal(first.source_event_id, later.id);
		const [second, links] = await row(later);
		assert.equal(second.decides, true);
		assert.ok(links.length > 0 && links.every((link) =>
			link.from_id && link.to_id && link.kind));
	});

	test('one that is not there', async () => {
		const { code, stdout, stderr } = await ctl('event', 'evt_none');
		assert.equal(code, 1);
		assert.equal(stdout, '');
		assert.match(stderr, /no event 'evt_none'/);
		assert.equal((await ctl('event')).code, 2);
		assert.equal((await ctl('event', 'a', 'b')).code, 2);
	});
});

describe('replay', () => {
	test('a failed event whose mapping was fixed', async () => {
		const event = await deliver(broken());
		const reason = (await server.event(event.id)).error;
		assert.equal(await status(event.id), 'failed');
		const first = await ctl('replay', event.id);
		assert.equal(first.code, 1);
		assert.match(first.stdout, /failed as before: .*amount/);
		assert.match(first.stdout, /1 failed/);
		assert.equal(await status(event.id), 'failed');

		await mend(event);
		const second = await ctl('replay', event.id);
		assert.equal(second.code, 0, second.stderr);
		assert.match(second.stdout, /failed -> processed/);
		const stored = await server.event(event.id);
		assert.equal(stored.status, 'processed');
		assert.equal(stored.error, null);
		assert.equal(stored.deliveries, '1');
		assert.equal(await server.value('SELECT amount FROM payments WHERE ' +
			`stripe_payment_intent_id = '${event.data.object.id}'`), '1234');
		assert.equal(await server.value('SELECT processed_at > created_at ' +
			`FROM event_journal WHERE stripe_event_id = '${event.id}'`), '1');

		const tried = await attempts(event.id);
		assert.deepEqual(tried.map((a) => a.status),
			['failed', 'failed', 'processed']);
		assert.equal(tried[0].actor, 'delivery');
		assert.equal(tried[0].error, reason);
		assert.match(tried[1].actor, /@/);
		assert.equal(JSON.parse((await ctl('event', event.id, '--json'))
			.stdout).attempts.length, 3);
	});

	test('all that failed', async () => {
		const events = [];
		for (let i = 0; i < 70; i++)
			events.push(await deliver(broken()));
		for (const event of events.slice(0, 69))
			await mend(event);
		const { code, stdout } = await ctl('replay', '--status', 'failed',
			'--type', 'payment_*', '--json');
		assert.equal(code, 1);
		const results = lines(stdout);
		const counts = results.pop();
		assert.ok(counts.processed >= 69);
		assert.ok(counts.failed >= 1);
		for (const event of events.slice(0, 69))
			assert.equal(await status(event.id), 'processed');
		assert.equal(await status(events[69].id), 'failed');
		const one = results.find((r) => r.stripe_event_id === events[69].id);
		assert.equal(one.status, 'failed');
		assert.match(one.error, /amount/);
		await mend(events[69]);
		assert.equal((await ctl('replay', '--status', 'failed', '--type',
			'payment_*')).code, await server.count('event_journal',
			"status = 'failed'") === 0 ? 0 : 1);
	});

	test('is idempotent, ties included', async () => {
		const id = newId('sub');
		const created = now() - 30;
		for (const state of ['active', 'past_due', 'unpaid'])
			await deliver(makeEvent('customer.subscription.updated',
				subscription(id, { status: state }), { created }));
		await deliver(makePayment());
		const before = await dump();
		for (let i = 0; i < 2; i++) {
			const { code, stdout } = await ctl('replay', '--since', '1h');
			assert.match(stdout, /processed as before/);
			assert.equal(code, await server.count('event_journal',
				"status = 'failed'") === 0 ? 0 : 1, stdout);
			assert.equal(await dump(), before);
		}
		await rebuildIsClean();
	});

	test('brings a lost row back', async () => {
		const event = await deliver(makePayment());
		await server.sql('DELETE FROM payments WHERE ' +
			`stripe_payment_intent_id = '${event.data.object.id}'`);
		assert.equal((await ctl('replay', event.id)).code, 0);
		assert.equal(await server.count('payments',
			`stripe_payment_intent_id = '${event.data.object.id}'`), 1);
	});

	test('an ignored event of a type now known', async () => {
		const event = await deliver({ ...makePayment(), type: 'some.day' });
		assert.equal(await status(event.id), 'ignored');
		assert.equal((await ctl('replay', event.id)).code, 0);
		assert.equal(await status(event.id), 'ignored');
		await server.sql('UPDATE event_payloads SET payload = ' +
			"REPLACE(payload, 'some.day', 'payment_intent.succeeded') " +
			`WHERE stripe_event_id = '${event.id}'`);
		const { stdout } = await ctl('replay', event.id);
		assert.match(stdout, /ignored -> processed/);
		assert.equal(await server.count('payments',
			`source_event_id = '${event.id}'`), 1);
	});

	test('one that no longer works stays processed', async () => {
		const event = await deliver(makePayment({ amount: 77 }));
		await server.sql('UPDATE event_payloads SET payload = REPLACE(' +
			`payload, '"amount": 77', '"amount": "x"') WHERE ` +
			`stripe_event_id = '${event.id}'`);
		const { code, stdout } = await ctl('replay', event.id);
		assert.equal(code, 1);
		assert.match(stdout, /processed as before: .*amount/);
		assert.equal(await status(event.id), 'processed');
		assert.deepEqual((await attempts(event.id)).map((a) => a.status),
			['failed']);
		await server.sql('UPDATE event_payloads SET payload = REPLACE(' +
			`payload, '"amount": "x"', '"amount": 77') WHERE ` +
			`stripe_event_id = '${event.id}'`);
	});

	test('without a payload, or an event', async () => {
		const event = await deliver(makePayment());
		await server.sql('DELETE FROM event_payloads WHERE ' +
			`stripe_event_id = '${event.id}'`);
		const { code, stdout } = await ctl('replay', event.id, 'evt_none');
		assert.equal(code, 1);
		assert.match(stdout, /evt_none there is no such event/);
		assert.match(stdout, /payload is gone/);
		const shown = JSON.parse((await ctl('event', event.id, '--json'))
			.stdout);
		assert.equal(shown.payload, null);
		assert.equal(shown.rows[0].decides, true);
	});

	test('only one at a time', async () => {
		const other = new Session(server);
		await other.run("SELECT GET_LOCK('stripehook.payloads.stripehook', 5)");
		const { code, stderr } = await ctl('replay', '--status', 'failed');
		await other.end();
		assert.equal(code, 3);
		assert.match(stderr, /another/);
	});

	test('who has lost the lock writes nothing more', async () => {
		const event = await deliver(makePayment());
		// It can't be done before it is stopped: it waits for this table.
		const other = new Session(server);
		await other.run('LOCK TABLES event_journal WRITE');
		const holder = new Stopped(server, ['replay', event.id]);
		await holder.at(() => server.value(
			"SELECT IS_USED_LOCK('stripehook.payloads.stripehook') " +
			'FROM information_schema.PROCESSLIST ' +
			"WHERE STATE = 'Waiting for table metadata lock'"),
		(id) => id > 0);
		await server.sql(`KILL ${holder.seen}`);
		await other.end();
		const { code, stderr } = await holder.goOn();
		assert.equal(code, 3, stderr);
		assert.match(stderr, /lock payloads: lost with the connection/);
		assert.equal((await attempts(event.id)).length, 0);
	});

	for (const args of [[], ['--type', 'a'], ['evt_1', '--since', '1h'],
		['--status', 'fine'], ['--since', '']])
		test(`usage: ${args.join(' ')}`, async () => {
			assert.equal((await ctl('replay', ...args)).code, 2);
		});
});

describe('dismiss', () => {
	test('a failed event', async () => {
		const event = await deliver(broken());
		const { code, stdout } = await ctl('dismiss', event.id, '--reason',
			"nobody's fault: it's a 'test'");
		assert.equal(code, 0);
		assert.match(stdout, /failed -> dismissed/);
		const stored = await server.event(event.id);
		assert.equal(stored.status, 'dismissed');
		assert.equal(stored.error, "nobody's fault: it's a 'test'");
		const tried = await attempts(event.id);
		assert.deepEqual(tried.map((a) => a.status), ['failed', 'dismissed']);
		assert.match(tried[0].error, /amount/);
		assert.equal(await server.count('admin_failed_events',
			`stripe_event_id = '${event.id}'`), 0);
		// It is given up for good, unless it is asked for by name.
		assert.equal((await ctl('dismiss', event.id, '--reason', 'x')).code,
			1);
		await mend(event);
		await ctl('replay', '--since', '1h');
		assert.equal(await status(event.id), 'dismissed');
		await ctl('replay', event.id);
		assert.equal(await status(event.id), 'processed');
	});

	test('nothing else', async () => {
		const event = await deliver(makePayment());
		const { code, stderr } = await ctl('dismiss', event.id, '--reason',
			'x');
		assert.equal(code, 1);
		assert.match(stderr, /is processed/);
		assert.equal(await status(event.id), 'processed');
		assert.equal((await ctl('dismiss', 'evt_none', '--reason', 'x')).code,
			1);
		assert.equal((await ctl('dismiss', event.id)).code, 2);
		assert.equal((await ctl('dismiss', event.id, '--reason', ' ')).code,
			2);
	});
});

describe('prune', () => {
	// Payments whose state moves on, and whose first success is kept.
	async function lifecycle() {
		const pi = newId('pi');
		const at = now() - 120 * 86400;
		const make = (type, state, seconds, extra = {}) => deliver({
			...makePayment({ id: pi, status: state, created: at, ...extra },
				{ created: at + seconds }), type: `payment_intent.${type}` });
		return [await make('created', 'requires_payment_method', 1),
			await make('processing', 'processing', 2),
			await make('succeeded', 'succeeded', 3),
			await make('succeeded', 'succeeded', 9)];
	}

	test('keeps what decides', async () => {
		const events = await lifecycle();
		const id = newId('sub');
		const created = now() - 110 * 86400;
		const tied = [];
		for (const state of ['active', 'past_due'])
			tied.push(await deliver(makeEvent('customer.subscription.updated',
				subscription(id, { status: state, created: created - 5 }),
				{ created })));
		// As reconcile does; else the mark alone would keep them.
		await server.sql('UPDATE reconcile_marks SET open = 0');
		const older = await deliver(makeEvent('customer.subscription.updated',
			subscription(id, { created: created - 5 }),
			{ created: created - 1 }));
		const failed = await deliver(broken());
		const ignored = await deliver(makeEvent('tax_rate.created',
			{ id: newId('txr'), object: 'tax_rate' }));
		const young = await deliver(makeEvent('tax_rate.created',
			{ id: newId('txr'), object: 'tax_rate' }));
		await age(100, ...[...events, ...tied, older, failed, ignored]
			.map((event) => event.id));
		const before = await dump();
		const counted = await server.count('event_payloads');

		const dry = await ctl('prune', '--dry-run', '--json');
		assert.equal(dry.code, 0, dry.stderr);
		assert.equal(await server.count('event_payloads'), counted);
		const planned = JSON.parse(dry.stdout);
		assert.equal(planned.dry_run, true);

		const { code, stdout, stderr } = await ctl('prune', '--json',
			'--batch', '3');
		assert.equal(code, 0, stderr);
		const done = JSON.parse(stdout);
		assert.equal(done.deleted, planned.deleted);
		assert.equal(await server.count('event_payloads'),
			counted - done.deleted);
		assert.equal(done.kept.failed, 1);
		const gone = async (event) => await payload(event.id) === undefined;
		assert.ok(await gone(events[0]));
		assert.ok(await gone(events[1]));
		assert.ok(!await gone(events[2]), 'the first success');
		assert.ok(!await gone(events[3]), 'the newest');
		for (const event of tied)
			assert.ok(!await gone(event), 'tied');
		assert.ok(await gone(older));
		assert.ok(!await gone(failed));
		assert.ok(await gone(ignored));
		assert.ok(!await gone(young));
		assert.equal(await dump(), before);
		await rebuildIsClean();
		const repaired = await ctl('rebuild');
		assert.equal(repaired.code, 0, repaired.stderr);
		assert.equal(await dump(), before);

		// A late redelivery is a duplicate, and brings nothing back.
		await deliver(events[0]);
		assert.equal((await server.event(events[0].id)).deliveries, '2');
		assert.ok(await gone(events[0]));
		assert.equal(await dump(), before);
	});

	test('goes on where it was, and anew if told', async () => {
		const again = JSON.parse((await ctl('prune', '--json')).stdout);
		assert.equal(again.deleted, 0);
		assert.equal(again.kept.deciding, 0);
		const anew = JSON.parse((await ctl('prune', '--json', '--anew'))
			.stdout);
		assert.equal(anew.deleted, 0);
		assert.ok(anew.kept.deciding >= 4);
	});

	test('of marked objects nothing goes', async () => {
		const id = newId('sub');
		const today = now();
		const events = [];
		for (const [state, days] of [['active', 120], ['active', 110],
			['past_due', 110]])
			events.push(await deliver(makeEvent(
				'customer.subscription.updated', subscription(id,
					{ status: state, created: 1700000000 }),
				{ created: today - days * 86400 })));
		assert.equal(await server.count('reconcile_marks',
			`object_id = '${id}' AND open`), 1);
		await age(100, ...events.map((event) => event.id));
		const { stdout } = await ctl('prune', '--json', '--anew');
		assert.equal(JSON.parse(stdout).kept.marked, 3);
		for (const event of events)
			assert.notEqual(await payload(event.id), undefined);
	});

	test('what decided once can go later', async () => {
		const id = newId('sub');
		const make = (days) => deliver(makeEvent(
			'customer.subscription.updated', subscription(id,
				{ created: 1700000000, items: { data: [] } }),
			{ created: now() - days * 86400 }));
		const first = await make(140);
		await age(140, first.id);
		await ctl('prune');
		assert.notEqual(await payload(first.id), undefined);
		const second = await make(100);
		await age(100, second.id);
		const { stdout } = await ctl('prune', '--anew', '--json');
		assert.equal(JSON.parse(stdout).deleted, 1);
		assert.equal(await payload(first.id), undefined);
		assert.notEqual(await payload(second.id), undefined);
	});

	test('refuses what is young', async () => {
		for (const older of ['29d', '1h', String(now()), 'x']) {
			const { code } = await ctl('prune', '--older-than', older);
			assert.equal(code, 2, older);
		}
		assert.equal((await ctl('prune', '--older-than', '30d')).code, 0);
		assert.equal((await ctl('prune', '--batch', '0')).code, 2);
	});
});

describe('redact', () => {
	test('blanks, records, and touches nothing else', async () => {
		const customer = newId('cus');
		const object = { id: customer, object: 'customer',
			created: now() - 50 * 86400, email: 'jane@example.com',
			name: 'Jane "J" D\u00f6', phone: null, balance: 1.50,
			address: { line1: 'Street }1', city: 'Town' },
			shipping: { name: 'Jane', address: { city: 'Town' } },
			metadata: { user_id: 'u1', note: 'call jane@example.com' } };
		const event = makeEvent('customer.updated', object,
			{ created: now() - 50 * 86400 });
		event.data.previous_attributes = { email: 'old@example.com' };
		const body = print(event).replace('"balance": 1.5', '"balance": 1.50');
		assert.equal((await server.deliver(body)).status, 200);
		const other = await deliver(makePayment());
		const failed = await deliver(broken());
		await age(40, event.id, failed.id);
		const before = await dump();
		const failedBody = await payload(failed.id);

		const dry = JSON.parse((await ctl('redact', '--dry-run', '--json'))
			.stdout);
		assert.ok(dry.redacted >= 1);
		assert.equal(await payload(event.id), body);
		const { code, stdout, stderr } = await ctl('redact', '--json');
		assert.equal(code, 0, stderr);
		const done = JSON.parse(stdout);
		assert.equal(done.redacted, dry.redacted);
		assert.ok(done.failed >= 1);

		const expected = body
			.replace(/"email": "[^"]*"/g, '"email": "[redacted]"')
			.replace(/"name": "Jane \\"J\\" D\u00f6"/, '"name": "[redacted]"')
			.replace(/"address": \{[^{]*city": "Town"\s*\},\s*"ship/,
				(text) => `"address": {}${text.slice(text.lastIndexOf('},') + 1)}`)
			.replace(/"shipping": \{[\s\S]*?\}\s*\}/, '"shipping": {}');
		assert.equal(await payload(event.id), expected);
		assert.equal(await payload(failed.id), failedBody);
		assert.match(await payload(other.id), /_secret_/);
		assert.equal(await dump(), before);
		assert.match(await server.value('SELECT paths FROM redactions WHERE ' +
			`stripe_event_id = '${event.id}'`), /email,.*client_secret/);

		// Rows don't become what was blanked.
		await rebuildIsClean();
		assert.equal((await ctl('rebuild')).code, 0);
		const { stdout: replayed } = await ctl('replay', event.id);
		assert.match(replayed, /redacted/);
		assert.equal(await dump(), before);
		assert.equal(JSON.parse((await ctl('event', event.id, '--json'))
			.stdout).redacted.split(',')[0], 'email');

		const second = JSON.parse((await ctl('redact', '--json', '--anew'))
			.stdout);
		assert.equal(second.redacted, 0);
		assert.ok(second.clean >= 1);
	});

	test('other paths', async () => {
		const event = makePayment({ description: 'for Jane',
			metadata: { note: 'x', secret_note: 'y' } });
		await deliver(event);
		await age(5, event.id);
		const { code } = await ctl('redact', '--older-than', '4d', '--path',
			'/data/object/metadata/note', '--path', 'description');
		assert.equal(code, 0);
		const { data: { object } } = JSON.parse(await payload(event.id));
		assert.equal(object.description, '[redacted]');
		assert.deepEqual(object.metadata, { note: '[redacted]',
			secret_note: 'y' });
		assert.equal(object.client_secret, event.data.object.client_secret);
	});

	test('what was blanked comes back as missing', async () => {
		const event = await deliver({ ...makePayment(
			{ receipt_email: 'jane@example.com' }), type: 'some.day' });
		await age(40, event.id);
		await ctl('redact', '--anew');
		await server.sql('UPDATE event_payloads SET payload = ' +
			"REPLACE(payload, 'some.day', 'payment_intent.succeeded') " +
			`WHERE stripe_event_id = '${event.id}'`);
		assert.equal((await ctl('replay', event.id)).code, 0);
		const [row] = await server.sql('SELECT receipt_email, status, ' +
			'client_secret_sha256 FROM payments WHERE ' +
			`source_event_id = '${event.id}'`);
		assert.equal(row.receipt_email, null);
		assert.equal(row.client_secret_sha256, null);
		assert.equal(row.status, 'succeeded');
	});

	for (const path of ['', '/', 'a,b'])
		test(`usage: --path '${path}'`, async () => {
			assert.equal((await ctl('redact', '--path', path)).code, 2);
		});
});
