// Right whatever the order: lifecycles made at random, delivered in random
// orders with duplicates, over many connections, while workers are killed and
// rows are locked; then rebuild, which must agree.
//
// SEED=n repeats what an earlier run printed; ROUNDS=n sets how often the
// lifecycles are delivered (default: for a minute); ROUNDS_KILL=n likewise
// while workers are killed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { makeEvent, makePayment, newId, print, sign } from './lib/events.mjs';
import { WEBHOOK, request, stripeHeaders } from './lib/http.mjs';
import { EVENT, ROUND, Random, makeLifecycles } from './lib/lifecycles.mjs';
import { differences, expectedRows, storedRows } from './lib/model.mjs';
import { signal, sleep, until } from './lib/processes.mjs';
import { Server } from './lib/server.mjs';

const SEED = Number(process.env.SEED ?? Date.now() % 0x7fffffff);
const SECONDS = 60;		// without ROUNDS
const SAME = 10;		// rounds until other lifecycles are made
const CONNECTIONS = 16;

let server;
let agent;
before(async () => {
	server = await Server.start();
	agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
});
after(async () => {
	agent?.destroy();
	const { left } = await server?.stop() ?? { left: [] };
	assert.deepEqual(left, [], 'nothing is left running');
});

// Delivers until it is answered 2xx, as Stripe would. Returns how often it
// wasn't.
async function deliver(body) {
	for (let refused = 0; ; refused++) {
		let status = 0;
		try {
			({ status } = await request(server.base + WEBHOOK, {
				method: 'POST', body, agent,
				headers: stripeHeaders(body, sign(body, server.secret)),
			}));
		} catch { /* no answer */ }
		if (status === 200)
			return refused;
		assert.ok(status === 0 || status === 503, `answered ${status}`);
		assert.ok(refused < 200, 'refused 200 times');
		await sleep(30);
	}
}

// Over that many connections at once, in the order of the list.
async function deliverAll(bodies, connections = CONNECTIONS) {
	let next = 0;
	let refused = 0;
	const loop = async () => {
		while (next < bodies.length)
			refused += await deliver(bodies[next++]);
	};
	await Promise.all(Array.from({ length: connections }, loop));
	return refused;
}

const renamed = (text, name) => text.replaceAll(ROUND, name);

// One delivery of the lifecycles in an order of its own, with new ids.
class Round {
	constructor(stories, random) {
		this.name = `R${random.text(10)}`;
		this.expected = new Map();
		const lists = [];
		for (const story of stories) {
			const list = [];
			for (const event of story.events)
				this.#add(list, event, random);
			lists.push(list);
			for (const [key, columns] of expectedRows(story))
				this.expected.set(renamed(key, this.name), JSON.parse(
					renamed(JSON.stringify(columns), this.name)));
		}
		// All among each other, or one lifecycle at a time, so that its
		// events come together.
		this.deliveries = random.chance(0.4) ? random.shuffle(lists.flat()) :
			random.shuffle(lists).flatMap((list) => random.shuffle(list));
	}

	#add(list, event, random) {
		const id = `evt_1${random.text(EVENT.length - 5)}`;
		const one = { ...event, id,
			body: renamed(event.body, this.name).replace(EVENT, id) };
		do
			list.push(one);
		while (random.chance(0.3));
	}

	// What the events were that made this row, in the order of delivery.
	story(key) {
		const id = key.slice(key.indexOf(' ') + 1);
		const seen = new Map();
		return this.deliveries
			.filter(({ body }) => body.includes(`"id": "${id}"`))
			.map((one) => {
				const again = seen.has(one.id);
				seen.set(one.id, true);
				return `  ${one.id} ${one.created} ${one.type}${
					renamed(one.object, this.name) === id ? '' : ' (inside)'
				}${again ? ' (again)' : ` ${JSON.stringify(one.previous)}`}`;
			}).join('\n');
	}
}

// Delivers it, and compares all rows.
async function play(round, what) {
	const refused = await deliverAll(round.deliveries.map(({ body }) => body));
	const stored = await storedRows(server, round.expected);
	const wrong = differences(round.expected, stored);
	if (wrong.length === 0)
		return refused;
	const [{ key }] = wrong;
	const id = key.slice(key.indexOf(' ') + 1);
	const journal = await server.sql('SELECT stripe_event_id, status, error, ' +
		`deliveries FROM event_journal WHERE object_id = '${id}'`);
	assert.fail(`${what}: ${wrong.length} wrong columns, the first of\n${key
	}\n${wrong.filter((one) => one.key === key).map((one) =>
		`  ${one.column}: ${JSON.stringify(one.stored)}, but it must be ${
			JSON.stringify(one.expected)}`).join('\n')}\ndelivered\n${
		round.story(key)}\nstored row ${JSON.stringify(stored.get(key))
	}\njournal ${JSON.stringify(journal)}\nall wrong rows: ${[...new Set(wrong
		.map((one) => one.key))].join(', ')}`);
}

// Rounds until there were so many, or the time is over.
async function playRounds(seed, rounds, seconds, what) {
	const random = new Random(seed);
	const end = Date.now() + seconds * 1000;
	const count = { rounds: 0, deliveries: 0, refused: 0 };
	let stories;
	while (rounds ? count.rounds < rounds : Date.now() < end) {
		if (count.rounds % SAME === 0)
			stories = makeLifecycles(random.int(1, 1e9));
		const round = new Round(stories, random);
		count.refused += await play(round,
			`SEED=${SEED}, ${what}, round ${count.rounds}`);
		count.rounds++;
		count.deliveries += round.deliveries.length;
	}
	return count;
}

const say = (t, count) => t.diagnostic(`SEED=${SEED}: ${count.rounds} rounds, ${
	count.deliveries} deliveries, ${count.refused} refused`);

test('lifecycles in any order, with duplicates', async (t) => {
	const count = await playRounds(SEED, Number(process.env.ROUNDS ?? 0),
		SECONDS, 'any order');
	say(t, count);
	assert.ok(count.rounds >= 3, `only ${count.rounds} rounds`);
});

test('the same while workers are killed', async (t) => {
	let kills = 0;
	let going = true;
	const random = new Random(SEED);
	const killer = (async () => {
		while (going) {
			await sleep(300);
			const workers = server.workers();
			if (workers.length > 0) {
				signal(random.pick(workers), 'SIGKILL');
				kills++;
			}
		}
	})();
	let count;
	try {
		count = await playRounds(SEED + 1,
			Number(process.env.ROUNDS_KILL ?? 0), 20, 'killed');
	} finally {
		going = false;
		await killer;
	}
	say(t, count);
	t.diagnostic(`${kills} workers killed`);
	assert.ok(kills >= 5, `only ${kills} workers were killed`);
	await until(() => server.workers().length === 2, 'two workers');
});

// What payloads tell leaves no mark, though at times it looked like a tie.
test('no object is left marked whose events tell the order', async () => {
	const marks = await server.sql('SELECT object_id, table_name, reason ' +
		"FROM reconcile_marks WHERE open AND reason = 'tie' LIMIT 5");
	assert.deepEqual(marks, []);
	assert.equal(await server.count('event_journal', "status <> 'processed'"),
		0);
});

const permutations = (list) => list.length <= 1 ? [list] :
	list.flatMap((one, i) => permutations(list.toSpliced?.(i, 1) ??
		[...list.slice(0, i), ...list.slice(i + 1)])
		.map((others) => [one, ...others]));

// Events of one second; each { id: its rank among them, object, previous }.
function tie(type, object, events) {
	const start = newId('evt').slice(0, -1);
	const created = Math.floor(Date.now() / 1000) - 100;
	return events.map((one, i) => makeEvent(type, { ...object, created,
		...one.object }, { id: `${start}${one.id ?? i}`, created,
		data: { object: { ...object, created, ...one.object },
			...(one.previous ? { previous_attributes: one.previous } :
				{}) } }));
}

const mark = async (id) => (await server.sql('SELECT open, reason, table_name ' +
	`FROM reconcile_marks WHERE object_id = '${id}'`))[0];

test('what payloads cannot tell: one row, and a mark', async () => {
	const rows = new Set();
	for (const order of permutations([0, 1, 2])) {
		const id = newId('sub');
		const events = tie('customer.subscription.updated', { id,
			object: 'subscription', status: 'active', customer: 'cus_1',
			items: { object: 'list', data: [] } }, [
			{ id: 5, object: { cancel_at_period_end: true },
				previous: { cancel_at_period_end: false } },
			{ id: 3, object: { cancel_at_period_end: false },
				previous: { cancel_at_period_end: true } },
			{ id: 4, object: { cancel_at_period_end: true },
				previous: { cancel_at_period_end: false } },
		]);
		for (const i of [...order, order[0]])
			await deliver(print(events[i]));
		const [row] = await server.sql('SELECT status, cancel_at_period_end, ' +
			'ties, RIGHT(source_event_id, 1) AS source FROM ' +
			`user_subscriptions WHERE stripe_subscription_id = '${id}'`);
		rows.add(JSON.stringify(row));
		assert.deepEqual(await mark(id), { open: '1', reason: 'tie',
			table_name: 'user_subscriptions' });
	}
	assert.equal(rows.size, 1, [...rows].join(' '));
});

test('a mark is closed by the event that tells the order', async () => {
	for (const order of permutations([0, 1, 2])) {
		const id = newId('ch');
		const events = tie('charge.updated', { id, object: 'charge' }, [
			{ id: 9, object: { amount: 1 }, previous: { amount: 0 } },
			{ id: 8, object: { amount: 2 }, previous: { amount: 1 } },
			{ id: 7, object: { amount: 3 }, previous: { amount: 2 } },
		]);
		for (const i of order)
			await deliver(print(events[i]));
		assert.equal(await server.value('SELECT amount FROM charges WHERE ' +
			`stripe_charge_id = '${id}'`), '3');
		assert.notEqual((await mark(id))?.open, '1', `order ${order}`);
	}
});

test('a tie of prices decides the lookup key, too', async () => {
	for (const order of permutations([0, 1, 2])) {
		const id = newId('price');
		const events = tie('price.updated', { id, object: 'price',
			recurring: null, type: 'one_time' }, [
			{ id: 6, object: { lookup_key: 'a' },
				previous: { lookup_key: null } },
			{ id: 8, object: { lookup_key: 'b' },
				previous: { lookup_key: 'a' } },
			{ id: 7, object: { lookup_key: 'c' },
				previous: { lookup_key: 'b' } },
		]);
		for (const i of order)
			await deliver(print(events[i]));
		assert.equal(await server.value('SELECT lookup_key FROM plans WHERE ' +
			`plan_id = '${id}'`), 'c', `order ${order}`);
	}
});

test('a mark is closed by what comes in a later second', async () => {
	const id = newId('ch');
	const events = tie('charge.updated', { id, object: 'charge' }, [
		{ object: { amount: 1 }, previous: { amount: 2 } },
		{ object: { amount: 2 }, previous: { amount: 1 } },
	]);
	const later = structuredClone(events[1]);
	Object.assign(later, { id: newId('evt'), created: later.created + 1 });
	later.data.object.amount = 5;
	for (const event of events)
		await deliver(print(event));
	assert.equal((await mark(id)).open, '1');
	await deliver(print(later));
	assert.equal((await mark(id)).open, '0');
});

test('an invoice that went back from paid to open is marked', async () => {
	for (const order of permutations([0, 1])) {
		const id = newId('in');
		const events = tie('invoice.updated', { id, object: 'invoice' }, [
			{ object: { status: 'paid' } }, { object: { status: 'open' },
				previous: { status: 'paid' } }]);
		events[1].created++;
		for (const i of order)
			await deliver(print(events[i]));
		assert.equal(await server.value('SELECT status FROM invoices WHERE ' +
			`stripe_invoice_id = '${id}'`), 'open');
		assert.equal((await mark(id))?.open, '1', `order ${order}`);
	}
});

// Deliveries that go on until stop(): lifecycles, whose rows are compared at
// the end, and events about a few rows that many contribute to.
class Background {
	constructor(seed) {
		this.random = new Random(seed);
		this.stories = makeLifecycles(seed);
		this.rounds = [];
		this.going = true;
		this.done = this.#run();
		this.done.catch(() => {});
	}

	// Prices that the events of one second change again and again, alone and
	// inside subscriptions.
	#busy() {
		const n = this.count++;
		const created = 1800000000 + Math.floor(n / 20);
		const price = { id: `price_busy${Math.floor(n / 40)}`,
			object: 'price', active: true, created: 1700000000,
			currency: 'usd', product: 'prod_busy', lookup_key: `k${n}`,
			metadata: {}, nickname: `n${n}`, type: 'recurring',
			unit_amount: 100, unit_amount_decimal: '100', recurring: {
				interval: 'month', interval_count: 1,
				usage_type: 'licensed' } };
		return print(n % 2 === 0 ?
			makeEvent('price.updated', price, { created,
				data: { object: price, previous_attributes: {
					nickname: `n${n - 2}`, lookup_key: `k${n - 2}` } } }) :
			makeEvent('customer.subscription.updated', { id: newId('sub'),
				object: 'subscription', customer: newId('cus'), created,
				status: 'active', items: { object: 'list', data: [
					{ id: 'si_1', price, quantity: 1 }] } },
			{ created: created + 1 }));
	}

	async #run() {
		this.count = 0;
		while (this.going) {
			const round = new Round(this.random.shuffle(this.stories)
				.slice(0, 6), this.random);
			this.rounds.push(round);
			const bodies = round.deliveries.map(({ body }) => body);
			await deliverAll(this.random.shuffle([...bodies,
				...Array.from({ length: 60 }, () => this.#busy())]), 6);
		}
	}

	async stop() {
		this.going = false;
		await this.done;
		for (const round of this.rounds)
			assert.deepEqual(differences(round.expected,
				await storedRows(server, round.expected)).slice(0, 3), []);
		return this.rounds.length;
	}
}

const check = async (...more) => {
	const result = await server.ctl(['rebuild', '--check', ...more]);
	return { ...result, lines: result.stdout.split('\n').filter(Boolean) };
};

// Numbers of a summary, "12 events, 0 rows differ".
test('rebuild --check finds nothing', async () => {
	const { code, stdout, stderr } = await check();
	assert.equal(code, 0, stdout.slice(0, 2000) + stderr);
	const events = await server.count('event_journal');
	assert.match(stdout, new RegExp(`^${events} events, 0 rows differ$`, 'm'));
});

test('rebuild --check during load reports no false difference', async (t) => {
	const load = new Background(SEED + 2);
	const end = Date.now() + 15000;
	let n = 0;
	try {
		while (Date.now() < end || n < 3) {
			const { code, stdout, stderr } = await check();
			assert.equal(code, 0, `run ${n}: ${stdout.slice(0, 2000)}${stderr}`);
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
];

test('a change by hand is named, and repaired', async () => {
	const load = new Background(SEED + 3);
	try {
		// Another row for each, that no delivery touches any more.
		const changed = [];
		for (const [i, [table, key, column, value]] of byHand.entries()) {
			const where = column === 'email' || column === 'succeeded_at' ?
				`${column} IS NOT NULL` : column === 'metadata' ?
					"metadata <> '{}'" : `${key} NOT LIKE 'price\\_busy%'`;
			const id = await server.value(`SELECT ${key} FROM ${table} WHERE ${
				where} ORDER BY created, ${key} LIMIT 1 OFFSET ${i}`);
			assert.ok(id, `${table} has no row`);
			await server.sql(`UPDATE ${table} SET ${column} = ${value} ` +
				`WHERE ${key} = '${id}'`);
			changed.push(`${table} ${id} ${column}`);
		}
		changed.sort();
		const text = await check();
		assert.equal(text.code, 1, text.stdout + text.stderr);
		assert.deepEqual(text.lines.filter((line) => line.includes(': stored '))
			.map((line) => line.slice(0, line.indexOf(': '))).sort(), changed);
		assert.match(text.lines.at(-1), / 12 rows differ$/);
		const json = await check('--json');
		assert.equal(json.code, 1);
		const found = json.lines.map((line) => JSON.parse(line));
		assert.deepEqual(found.map((one) =>
			`${one.table} ${one.id} ${one.column}`).sort(), changed);
		for (const one of found)
			assert.notEqual(one.stored, one.computed);
		// --check changes nothing.
		assert.deepEqual((await check()).lines, text.lines.slice(0, -1)
			.concat(text.lines.at(-1).replace(/^\d+/, (n) => n)).map((line, i) =>
				i === text.lines.length - 1 ? line : line)
			.slice(0, 12).concat((await check()).lines.at(-1)));
		const repair = await server.ctl(['rebuild']);
		assert.equal(repair.code, 0, repair.stdout + repair.stderr);
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
	await server.sql('DELETE FROM payments ORDER BY created LIMIT 7; ' +
		'DELETE FROM plans ORDER BY created LIMIT 3');
	const { code, lines } = await check();
	assert.equal(code, 1);
	assert.equal(lines.filter((line) => line.endsWith(': missing')).length, 10);
	assert.equal((await server.ctl(['rebuild'])).code, 0);
	assert.equal((await check()).code, 0);
	assert.equal(await server.count('payments'), before);
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

// A session of a client that is none of ours.
class Session {
	constructor() {
		this.child = spawn('mariadb', ['--no-defaults', '--user=root',
			`--socket=${server.socket}`, '--force', '--unbuffered', '--batch',
			'--skip-column-names', 'stripehook'],
		{ env: server.env, stdio: ['pipe', 'pipe', 'pipe'] });
		this.out = '';
		this.errors = '';
		this.child.stdout.on('data', (data) => {
			this.out += data;
		});
		this.child.stderr.on('data', (data) => {
			this.errors += data;
		});
		this.ended = new Promise((resolve) => this.child.on('close', resolve));
		this.n = 0;
	}

	// Runs statements and waits for their end.
	async run(sql) {
		const done = `done-${++this.n}`;
		this.child.stdin.write(`${sql};\nSELECT '${done}';\n`);
		await until(() => this.out.includes(`${done}\n`), sql, 60000);
	}

	async end() {
		this.child.stdin.end('ROLLBACK;\n');
		await this.ended;
	}
}

// Payments that are paid: each body, and the id.
function payments(ids) {
	return ids.map((id) => print(makePayment({ id, status: 'succeeded' })));
}

test('deadlocks and lock waits are a delay, or a 503', async (t) => {
	const random = new Random(SEED + 4);
	const ids = Array.from({ length: 12 }, () => newId('pi')).sort();
	await deliverAll(payments(ids));
	const other = new Session();
	const end = Date.now() + 10000;
	const acked = [];
	const refused = new Map();
	let locking = true;
	// Rows from both ends towards the middle, against the workers' order.
	const locker = (async () => {
		while (Date.now() < end) {
			await other.run('START TRANSACTION');
			for (const id of random.shuffle(ids).slice(0, 6)) {
				await other.run('SELECT status FROM payments WHERE ' +
					`stripe_payment_intent_id = '${id}' FOR UPDATE`);
				await sleep(random.int(0, 20));
			}
			if (random.chance(0.1))
				await sleep(2600);
			await other.run(random.chance(0.5) ? 'COMMIT' : 'ROLLBACK');
		}
		locking = false;
	})();
	const loop = async () => {
		while (locking) {
			const event = makePayment({ id: random.pick(ids),
				status: 'processing' }, { type: 'payment_intent.processing' });
			const body = print(event);
			for (let status = 0; status !== 200;) {
				const start = Date.now();
				({ status } = await server.deliver(body, { agent }));
				assert.ok([200, 503].includes(status), `answered ${status}`);
				assert.ok(Date.now() - start < 12000, 'a long delay');
				if (status === 503)
					refused.set(event.id, (refused.get(event.id) ?? 0) + 1);
			}
			acked.push(event.id);
		}
	};
	await Promise.all([locker, ...Array.from({ length: CONNECTIONS }, loop)]);
	await other.end();
	t.diagnostic(`${acked.length} events, ${refused.size} of them refused ` +
		`first, ${other.errors.split('Deadlock found').length - 1} deadlocks ` +
		`and ${other.errors.split('Lock wait').length - 1} lock waits of the ` +
		'other client');
	assert.ok(acked.length > 50, `only ${acked.length} events`);
	const stored = new Set((await server.sql('SELECT stripe_event_id AS id FROM ' +
		"event_journal WHERE event_type = 'payment_intent.processing' AND " +
		"status = 'processed'")).map(({ id }) => id));
	assert.deepEqual(acked.filter((id) => !stored.has(id)), []);
	assert.equal(await server.count('event_journal', "status = 'failed'"), 0);
	assert.equal((await check()).code, 0);
});
