// rebuild: agrees with what deliveries made, names what was changed by hand,
// repairs it, and isn't disturbed by deliveries that go on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeEvent, makePayment, newId, randomText } from './lib/events.mjs';
import { until } from './lib/processes.mjs';
import { Background, Sender, playRounds } from './lib/rounds.mjs';
import { Server } from './lib/server.mjs';
import { Session } from './lib/session.mjs';

const SEED = Number(process.env.SEED ?? 1);
const ROUNDS = 6;
const LOAD_MS = 12000;	// at least
const WAIT_MS = 150000;		// for a rebuild on a machine that is busy

let server;
before(async () => {
	server = await Server.start();
	const sender = new Sender(server);
	await playRounds(sender, SEED, { rounds: ROUNDS,
		what: `SEED=${SEED}, rebuild` });
	sender.close();
});
after(async () => {
	for (const session of Session.open)
		await session.end();
	const { left } = await server?.stop() ?? { left: [] };
	assert.deepEqual(left, [], 'nothing is left running');
});

const check = async (...more) => {
	const result = await server.ctl(['rebuild', '--check', ...more]);
	return { ...result, lines: result.stdout.split('\n').filter(Boolean) };
};

test('rebuild --check finds nothing', async () => {
	const { code, stdout, stderr } = await check();
	assert.equal(code, 0, stdout.slice(0, 2000) + stderr);
	const events = await server.count('event_journal');
	assert.match(stdout, new RegExp(`^${events} events, 0 rows differ$`, 'm'));
});

test('rebuild --check during load reports no false difference', async (t) => {
	const load = new Background(server, SEED + 2);
	const end = Date.now() + LOAD_MS;
	let n = 0;
	try {
		while (Date.now() < end || n < 3) {
			const { code, stdout, stderr } = await check();
			assert.equal(code, 0,
				`run ${n}: ${stdout.slice(0, 2000)}${stderr}`);
			n++;
		}
	} finally {
		t.diagnostic(`${n} runs, ${await load.stop()} rounds meanwhile`);
	}
});

// A change by hand, of a column of each kind.
const byHand = [
	['payments', 'stripe_payment_intent_id', 'status', "'canceled?'"],
	['payments', 'stripe_payment_intent_id', 'amount', 'amount + 1'],
	['payments', 'stripe_payment_intent_id', 'succeeded_at',
		"'2001-02-03 04:05:06'"],
	['payments', 'stripe_payment_intent_id', 'client_secret_sha256',
		"REPEAT('x', 32)"],
	['user_subscriptions', 'stripe_subscription_id', 'metadata', "'{}'"],
	['user_subscriptions', 'stripe_subscription_id', 'current_period_end',
		'NULL'],
	['user_subscriptions', 'stripe_subscription_id', 'items', "'[]'"],
	['customers', 'stripe_customer_id', 'email', 'UPPER(email)'],
	['plans', 'plan_id', 'lookup_key', "'other'"],
	['plans', 'plan_id', 'nickname', "CONCAT(nickname, ' ')"],
	['invoices', 'stripe_invoice_id', 'deleted', '1 - deleted'],
	['charges', 'stripe_charge_id', 'ties', 'ties + 1'],
	['charges', 'stripe_charge_id', 'order_key', "CONCAT(X'ff', order_key)"],
];

// Changes another row for each, that no delivery touches any more. Returns
// what check must say of them.
async function changeByHand() {
	const changed = [];
	const ids = new Set(['']);
	for (const [table, key, column, value] of byHand) {
		const id = await server.value(`SELECT ${key} FROM ${table} WHERE ` +
			`NOT BINARY ${column} <=> BINARY (${value}) AND ${key} NOT IN ('${
				[...ids].join("', '")}') AND ${key} NOT LIKE 'price\\_busy%' ` +
			`ORDER BY created, ${key} LIMIT 1`);
		assert.ok(id, `${table} has no row`);
		await server.sql(`UPDATE ${table} SET ${column} = ${value} ` +
			`WHERE ${key} = '${id}'`);
		ids.add(id);
		changed.push(`${table} ${id} ${column}`);
	}
	return changed.sort();
}

const named = (lines) => lines.filter((line) => line.includes(': stored '))
	.map((line) => line.slice(0, line.indexOf(': '))).sort();

test('a change by hand is named, and repaired', async () => {
	const changed = await changeByHand();
	const load = new Background(server, SEED + 3);
	try {
		// Twice: to compare changes nothing.
		for (let i = 0; i < 2; i++) {
			const text = await check();
			assert.equal(text.code, 1, text.stdout + text.stderr);
			assert.deepEqual(named(text.lines), changed);
			assert.match(text.lines.at(-1), / 13 rows differ$/);
		}
		const json = await check('--json');
		assert.equal(json.code, 1);
		const found = json.lines.map((line) => JSON.parse(line));
		assert.deepEqual(found.map((one) =>
			`${one.table} ${one.id} ${one.column}`).sort(), changed);
		for (const one of found)
			assert.notEqual(one.stored, one.computed);
		const repair = await server.ctl(['rebuild']);
		assert.equal(repair.code, 0, repair.stdout + repair.stderr);
		assert.deepEqual(named(repair.stdout.split('\n')), changed);
		const again = await check();
		assert.equal(again.code, 0, again.stdout + again.stderr);
	} finally {
		await load.stop();
	}
	const quiet = await check();
	assert.equal(quiet.code, 0, quiet.stdout + quiet.stderr);
});

test('rows that are gone come back', async () => {
	const before = await server.count('payments');
	const links = await server.count('links');
	await server.sql('DELETE FROM payments ORDER BY created LIMIT 7; ' +
		'DELETE FROM plans ORDER BY created LIMIT 3; ' +
		'DELETE FROM links ORDER BY from_id LIMIT 5');
	const { code, lines } = await check();
	assert.equal(code, 1);
	assert.equal(lines.filter((line) => line.endsWith(': missing')).length, 15);
	assert.equal((await server.ctl(['rebuild'])).code, 0);
	assert.equal((await check()).code, 0);
	assert.equal(await server.count('payments'), before);
	assert.equal(await server.count('links'), links);
});

// Of one second, the row is what its payloads tell, whatever the ids.
test('a plan of an event with the greatest id, which is not the last',
	async () => {
		const at = newId('evt').slice(0, -1);
		const id = newId('price');
		const deliver = async (last, nickname, before) => {
			const { status } = await server.deliver(makeEvent('price.updated',
				{ id, object: 'price', nickname, created: 1700000000 },
				{ id: at + last, created: 1800000000, data: { object: { id,
					object: 'price', nickname, created: 1700000000 },
				previous_attributes: { nickname: before } } }));
			assert.equal(status, 200);
		};
		const nickname = () => server.value(
			`SELECT nickname FROM plans WHERE plan_id = '${id}'`);
		await deliver('9', 'one', 'none');
		await server.sql('CREATE TABLE alone AS SELECT * FROM plans ' +
			`WHERE plan_id = '${id}'`);
		await deliver('1', 'two', 'one');
		assert.equal(await nickname(), 'two');
		await server.sql('REPLACE INTO plans SELECT * FROM alone; ' +
			'DROP TABLE alone');
		const { code, lines } = await check();
		assert.equal(code, 1);
		assert.ok(named(lines).includes(`plans ${id} nickname`), lines.join());
		assert.equal((await server.ctl(['rebuild'])).code, 0);
		assert.equal(await nickname(), 'two');
	});

// Deletes rows of the events that came last, whatever deliveries lock of them.
async function lose(table) {
	for (;;)
		try {
			await server.sql('SET SESSION TRANSACTION ISOLATION LEVEL READ ' +
				`COMMITTED; DELETE FROM ${table} WHERE source_event_id IN ` +
				'(SELECT * FROM (SELECT stripe_event_id FROM event_journal ' +
				'ORDER BY created_at DESC LIMIT 300) latest)');
			return;
		} catch (error) {
			assert.match(error.message, /ERROR (1213|1205) /);
		}
}

test('rows that are gone come back while they are delivered', async () => {
	const load = new Background(server, SEED + 4);
	const end = Date.now() + LOAD_MS;
	// Rows that deliveries change all the while it may have to leave.
	const rebuild = () => until(async () => {
		const { code, stdout, stderr } = await server.ctl(['rebuild']);
		assert.ok(code === 0 || /; run it again\n$/.test(stderr),
			stdout + stderr);
		return code === 0;
	}, 'a rebuild that leaves nothing', WAIT_MS);
	try {
		for (let n = 0; Date.now() < end || n < 2; n++) {
			for (const table of ['payments', 'charges', 'invoices',
				'user_subscriptions', 'customers', 'plans'])
				await lose(table);
			await rebuild();
		}
	} finally {
		await load.stop();
	}
	const { code, stdout, stderr } = await check();
	assert.equal(code, 0, stdout + stderr);
});

const locking = async (what) => Number(await server.value('SELECT count FROM ' +
	`information_schema.innodb_metrics WHERE name = 'lock_${what}'`));
const timeouts = () => locking('timeouts');

// What makes a chunk wait whose differences were found.
const locks = [
	['what rebuild remembers', () => 'INSERT INTO tool_state ' +
		"VALUES ('rebuild', '', UTC_TIMESTAMP(6)) " +
		'ON DUPLICATE KEY UPDATE updated_at = updated_at'],
	['the row', (id) => 'SELECT 1 FROM charges ' +
		`WHERE stripe_charge_id = '${id}' FOR UPDATE`],
	['a plan', (id, plan) =>
		`SELECT 1 FROM plans WHERE plan_id = '${plan}' FOR UPDATE`],
];

for (const [what, statement] of locks)
	test(`differences are named once, though it waits for ${what}`,
		async () => {
			// Of the first chunk, since each remembers how far it came.
			const id = await server.value(
				'SELECT MIN(stripe_charge_id) FROM charges');
			const plan = await server.value('SELECT MIN(plan_id) FROM plans ' +
				'WHERE nickname IS NOT NULL');
			await server.sql('UPDATE charges SET amount = amount + 1 ' +
				`WHERE stripe_charge_id = '${id}'; UPDATE plans ` +
				`SET nickname = 'other' WHERE plan_id = '${plan}'`);
			const before = await timeouts();
			const other = new Session(server);
			await other.run('START TRANSACTION');
			await other.run(statement(id, plan));
			const rebuild = server.ctl(['rebuild']);
			try {
				await until(async () => await timeouts() > before,
					'rebuild to be kept waiting', WAIT_MS);
			} finally {
				await other.end();
				await rebuild;
			}
			const { code, stdout, stderr } = await rebuild;
			assert.equal(code, 0, stdout + stderr);
			assert.deepEqual(named(stdout.split('\n')),
				[`charges ${id} amount`, `plans ${plan} nickname`], stdout);
			assert.match(stdout, / 2 rows repaired\n$/);
			assert.equal((await check()).code, 0);
		});

test('what is delivered while its chunk waits stays the newest', async () => {
	// Behind all others, so of one chunk: one waits, the other is missing.
	const customer = { id: 'zz_1', object: 'customer', name: 'Jenny',
		created: 1700000000 };
	const payment = (status, created) => makePayment({ id: 'zz_2', status,
		created: 1700000000 }, { type: `payment_intent.${status}`, created });
	for (const event of [makeEvent('customer.created', customer),
		payment('processing', 1700000001)])
		assert.equal((await server.deliver(event)).status, 200);
	await server.sql("UPDATE customers SET name = 'other' WHERE " +
		"stripe_customer_id = 'zz_1'; DELETE FROM payments WHERE " +
		"stripe_payment_intent_id = 'zz_2'");
	const other = new Session(server);
	await other.run('START TRANSACTION');
	await other.run("SELECT 1 FROM customers WHERE stripe_customer_id = 'zz_1' " +
		'FOR UPDATE');
	const rebuild = server.ctl(['rebuild']);
	try {
		await until(() => locking('row_lock_current_waits'),
			'rebuild to wait', WAIT_MS);
		const { status } = await server.deliver(
			payment('succeeded', 1700000002));
		assert.equal(status, 200);
	} finally {
		await other.end();
		await rebuild;
	}
	const { code, stdout, stderr } = await rebuild;
	assert.equal(code, 0, stdout + stderr);
	assert.match(stdout, /^customers zz_1 name: stored other, computed Jenny$/m);
	assert.equal(await server.value('SELECT status FROM payments WHERE ' +
		"stripe_payment_intent_id = 'zz_2'"), 'succeeded');
	assert.equal((await check()).code, 0);
});

test('a plan that changes while rebuild waits for it is compared again',
	async () => {
		const plan = await server.value('SELECT MIN(plan_id) FROM plans ' +
			'WHERE nickname IS NOT NULL');
		const rename = (name) => `UPDATE plans SET nickname = '${name}' ` +
			`WHERE plan_id = '${plan}'`;
		await server.sql(rename('other'));
		const other = new Session(server);
		await other.run('START TRANSACTION');
		await other.run(`SELECT 1 FROM plans WHERE plan_id = '${plan}' ` +
			'FOR UPDATE');
		const rebuild = server.ctl(['rebuild']);
		try {
			await until(() => locking('row_lock_current_waits'),
				'rebuild to wait', WAIT_MS);
			await other.run(`${rename('another')}; COMMIT`);
		} finally {
			await other.end();
			await rebuild;
		}
		const { code, stdout, stderr } = await rebuild;
		assert.equal(code, 0, stdout + stderr);
		assert.deepEqual(named(stdout.split('\n')), [`plans ${plan} nickname`]);
		assert.match(stdout, / nickname: stored another, computed /);
		assert.match(stdout, / 1 rows repaired\n$/);
		assert.equal((await check()).code, 0);
	});

test('statements are small, however large the rows', async () => {
	// As large as Stripe lets metadata be. Of two events of a second, whose
	// tie is settled after each statement, the one with the lesser id is last.
	const metadata = Object.fromEntries(Array.from({ length: 50 },
		(_, i) => [`key_${i}`, randomText(500)]));
	const ids = Array.from({ length: 30 }, (_, i) => `zz_large_${i + 10}`);
	const large = "stripe_payment_intent_id LIKE 'zz\\_large\\_%'";
	for (const id of ids)
		for (const [n, status, previous_attributes] of [[2, 'processing'],
			[1, 'requires_action', { status: 'processing' }]]) {
			const event = makePayment({ id, status, metadata,
				created: 1700000000 }, { id: `evt_${id}_${n}`,
				created: 1700000001, type: `payment_intent.${status}` });
			event.data.previous_attributes = previous_attributes;
			assert.equal((await server.deliver(event)).status, 200);
		}
	assert.equal(await server.count('payments',
		`${large} AND status = 'requires_action'`), ids.length);
	await server.sql(`UPDATE payments SET metadata = '{}' WHERE ${large}`);
	const usual = await server.value('SELECT @@GLOBAL.max_allowed_packet');
	await server.sql('SET GLOBAL max_allowed_packet = 1048576');
	try {
		const { code, stdout, stderr } = await server.ctl(['rebuild']);
		assert.equal(code, 0, stderr);
		assert.deepEqual(named(stdout.split('\n')),
			ids.map((id) => `payments ${id} metadata`));
		assert.equal((await check()).code, 0);
	} finally {
		await server.sql(`SET GLOBAL max_allowed_packet = ${usual}`);
	}
});

// Kills it while it waits for a row that differs; names that one's id.
async function killAt(table, column, key) {
	const id = await server.value(`SELECT MAX(${key}) FROM ${table}`);
	const other = new Session(server);
	const where = `WHERE ${key} = '${id}'`;
	await server.sql(`UPDATE ${table} SET ${column} = 77 ${where}`);
	await other.run('START TRANSACTION');
	await other.run(`SELECT 1 FROM ${table} ${where} FOR UPDATE`);
	const before = await timeouts();
	const child = spawn(path.join(server.build, 'stripehookctl'),
		[...server.configArguments, 'rebuild'], { env: server.env });
	try {
		await until(async () => await timeouts() > before,
			'rebuild to be kept waiting', WAIT_MS);
	} finally {
		child.kill('SIGKILL');
		await other.end();
	}
	return id;
}

test('killed, it goes on where it was', async () => {
	const total = await server.count('event_journal');
	const id = await killAt('user_subscriptions', 'quantity',
		'stripe_subscription_id');
	// Its chunk was not done, those before it were.
	for (const [args, all] of [[[], false], [['--restart'], true], [[], true]]) {
		const { code, stdout, stderr } = await server.ctl(['rebuild', ...args]);
		assert.equal(code, 0, stdout + stderr);
		const events = Number(/^(\d+) events/m.exec(stdout)[1]);
		assert.ok(all ? events === total : events > 0 && events < total / 2,
			`${events} of ${total}`);
		assert.deepEqual(named(stdout.split('\n')),
			all ? [] : [`user_subscriptions ${id} quantity`]);
	}
	assert.equal((await check()).code, 0);
});

test('killed at the plans, it goes on there', async () => {
	const id = await killAt('plans', 'unit_amount', 'plan_id');
	const { code, stdout } = await server.ctl(['rebuild']);
	assert.equal(code, 0);
	assert.match(stdout, /^0 events, 1 rows repaired$/m);
	assert.deepEqual(named(stdout.split('\n')), [`plans ${id} unit_amount`]);
	assert.equal((await check()).code, 0);
});

test('rebuild: how it is called', async () => {
	for (const args of [['--no-such'], ['argument'], ['--check', 'more']]) {
		const { code, stderr } = await server.ctl(['rebuild', ...args]);
		assert.equal(code, 2, args.join(' '));
		assert.match(stderr, /usage/i);
	}
	const { code, stderr } = await server.ctl(['rebuild', '--check'],
		{ env: { ...server.env, STRIPEHOOK_DB_SOCKET: '/nonexistent.sock' } });
	assert.equal(code, 3);
	assert.match(stderr, /nonexistent/);
});
