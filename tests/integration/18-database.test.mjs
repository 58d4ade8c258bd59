// A database over TCP: several hosts, encryption that can't be argued away, and
// what is said of a server whose settings lose events.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ProxyThread } from '../chaos/proxy.mjs';
import { ACCOUNTS, Database, MAKE_ACCOUNTS, settingsOf } from
	'./lib/database.mjs';
import { makeEvent, makePayment, newId, now } from './lib/events.mjs';
import { sleep, until } from './lib/processes.mjs';
import { BUILD, SECRET, Server, freePort, run, runSync } from './lib/server.mjs';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-test-db-'));

// A certificate of its own authority, DIR/NAME.pem and .key.
function certificate(name, subject, ...options) {
	const { status, stderr } = runSync('openssl', ['req', '-x509', '-nodes',
		'-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
		'-days', '2', '-subj', `/CN=${subject}`, ...options,
		'-keyout', path.join(dir, `${name}.key`),
		'-out', path.join(dir, `${name}.pem`)]);
	assert.equal(status, 0, stderr);
}

const file = (name) => path.join(dir, name);
const TLS = () => [`--ssl-cert=${file('server.pem')}`,
	`--ssl-key=${file('server.key')}`];

let database;
const start = (...options) => database.start('--log-bin=bin', ...options);
const settings = (extra = {}) => ({
	...settingsOf('127.0.0.1', database.port), ...extra });

before(async () => {
	certificate('server', 'localhost',
		'-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
	certificate('other', 'localhost',
		'-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
	certificate('named', 'elsewhere.example');
	database = await new Database(dir, '127.0.0.1', await freePort())
		.create();
	await start(...TLS());
	await database.sql(MAKE_ACCOUNTS);
});
after(async () => {
	await database?.stop();
	fs.rmSync(dir, { recursive: true, force: true });
});

// What the daemon would do with these settings: stripehookd -n.
async function check(extra) {
	const env = { PATH: process.env.PATH, STRIPE_WEBHOOK_SECRET: SECRET,
		...settings(extra) };
	return run(path.join(BUILD, 'stripehookd'), ['-n'], { env, cwd: dir });
}

test('the first host that is there', async () => {
	const server = await Server.start({ env:
		settings({ STRIPEHOOK_DB_HOST: '127.0.0.2,127.0.0.1' }) });
	try {
		const event = makePayment();
		assert.equal((await server.deliver(event)).status, 200);
		assert.equal(await database.sql('SELECT status FROM ' +
			`stripehook.event_journal WHERE stripe_event_id = '${event.id}'`),
		'processed');
		const { code, stderr } = await server.ctl(['events']);
		assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
	} finally {
		await server.stop();
	}
});

test('a check leaves no log file behind', async () => {
	const file = path.join(dir, 'logs', 'webhooks.log');
	const log = (name) => check({ STRIPEHOOK_LOG_FILE: name });
	assert.equal((await log(file)).code, 0);
	assert.ok(!fs.existsSync(path.dirname(file)));
	assert.equal((await log(path.join(dir, 'a/b/c.log'))).code, 78);
	const { code, stderr } = await log(dir);
	assert.equal(code, 78);
	assert.match(stderr, /STRIPEHOOK_LOG_FILE: cannot open .*: Is a directory/);
});

// Five fit; ids come in no order, and half-full pages cost twice.
test('payloads of a batch fill their pages', async () => {
	const server = await Server.start({ env:
		settings({ STRIPEHOOK_INGEST_WORKERS: '1' }) });
	const deliver = async () => {
		const body = JSON.stringify(makePayment());
		const { status } = await server.deliver(
			body + ' '.repeat(2500 - body.length));
		assert.equal(status, 200);
	};
	try {
		for (let round = 0; round < 12; round++) {
			const locked = database.sql('LOCK TABLES ' +
				'stripehook.event_journal READ; DO SLEEP(0.3)');
			await Promise.all(Array.from({ length: 64 }, deliver));
			await locked;
		}
	} finally {
		await server.stop();
	}
	const perPage = await database.sql('SELECT AVG(number_records) FROM ' +
		'information_schema.INNODB_BUFFER_PAGE WHERE table_name = ' +
		"'`stripehook`.`event_payloads`' AND data_size > 2000 * " +
		'number_records');
	assert.ok(Number(perPage) > 4.5, `${perPage} on a page`);
});

// Statements of a batch don't wait for each other's answers.
describe('a database that is far away', () => {
	let server, proxy;
	const count = async (name) => Number((await database.sql('SHOW GLOBAL ' +
		`STATUS LIKE '${name}'`)).split('\t')[1]);
	const stored = async (event) => (await database.sql('SELECT status, ' +
		'deliveries, HEX(payload) FROM stripehook.webhook_events WHERE ' +
		`stripe_event_id = '${event.id}'`)).split('\t');
	const deliver = async (events) => (await Promise.all(events.map((event) =>
		server.deliver(JSON.stringify(event))))).map(({ status }) => status);

	// Holds the rows of payments, and no gap between them, while the statements
	// run.
	const locker = (...statements) => database.sql('USE stripehook; ' +
		'SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ' +
		'START TRANSACTION; UPDATE payments SET amount = amount + 1; ' +
		`${statements.join('; ')}; ROLLBACK`);
	const runs = async (statement) => {
		let id = '';
		await until(async () => (id = await database.sql('SELECT id FROM ' +
			`information_schema.processlist WHERE info LIKE '${statement}'`)) !==
			'', statement);
		return id.split('\n')[0];
	};

	before(async () => {
		const port = await freePort();
		proxy = await ProxyThread.start({ port,
			socket: database.socket });
		await proxy.set({ delay: 5 });
		server = await Server.start({ env:
			settings({ STRIPEHOOK_DB_PORT: String(port),
				STRIPEHOOK_INGEST_WORKERS: '1' }) });
		assert.deepEqual(await deliver([makePayment()]), [200]);
	});
	after(async () => {
		await server?.stop();
		await proxy?.close();
	});

	test('all of a new event is sent before the first answer', async () => {
		const event = makePayment();
		const before = await count('Com_stmt_execute');
		await proxy.set({ mode: 'mute' });
		const answered = deliver([event]);
		await until(async () => await count('Com_stmt_execute') >= before + 3,
			'journal, payload and payment');
		assert.deepEqual(await stored(event), ['']);
		await proxy.set({ mode: 'pass' });
		await proxy.reset();
		assert.deepEqual(await answered, [200]);
		assert.deepEqual((await stored(event)).slice(0, 2), ['processed', '1']);
	});

	describe('further connections', () => {
		const helpers = async (at) => (await at.metrics())
			.get('stripehook_committer_helpers');
		const oneByOne = async (at, n) => {
			for (let i = 0; i < n; i++)
				assert.equal((await at.deliver(makePayment())).status, 200);
		};
		const durable = (yes) => database.sql('SET GLOBAL ' +
			`innodb_flush_log_at_trx_commit = ${yes}, sync_binlog = ${yes}`);

		test('help it', async () => {
			await oneByOne(server, 8);
			await until(async () => await helpers(server) === 3, 'helpers');
		});

		// A database that has much to do is slow for a while, too.
		test('wait longer if it was near', async () => {
			const port = await freePort();
			const near = await ProxyThread.start({ port,
				socket: database.socket });
			await durable(0);
			const other = await Server.start({ env:
				settings({ STRIPEHOOK_DB_PORT: String(port),
					STRIPEHOOK_INGEST_WORKERS: '1' }) });
			try {
				await oneByOne(other, 10);
				await near.set({ delay: 5 });
				await oneByOne(other, 40);
				assert.equal(await helpers(other), 0);
				await oneByOne(other, 40);
				await until(async () => await helpers(other) === 3,
					'helpers');
			} finally {
				await durable(1);
				await other.stop();
				await near.close();
			}
		});
	});

	test('what is sent twice is stored once', async () => {
		const before = await count('Com_rollback');
		const events = Array.from({ length: 60 }, () =>
			makePayment({ description: 'it\'s "\\\u0000" \u2028 €' }));
		const statuses = await deliver([...events, ...events.slice(0, 30)]);
		assert.deepEqual([...new Set(statuses)], [200]);
		assert.ok(await count('Com_rollback') > before);
		for (const [i, event] of events.entries()) {
			const [status, deliveries, payload] = await stored(event);
			assert.deepEqual([status, deliveries],
				['processed', i < 30 ? '2' : '1']);
			assert.equal(Buffer.from(payload, 'hex').toString(),
				JSON.stringify(event));
		}
	});

	// Its log line is what is left to do when it is answered.
	test('a batch ends while the next one waits for the database',
		async () => {
			const payment = makePayment(), first = makePayment();
			const next = { ...payment, id: newId('evt') };
			assert.deepEqual(await deliver([payment]), [200]);
			const row = locker('DO SLEEP(30)');
			const holder = await runs('DO SLEEP(30)');
			const table = database.sql('LOCK TABLES ' +
				'stripehook.event_journal READ; DO SLEEP(1)');
			await runs('DO SLEEP(1)');
			const firstAnswer = deliver([first]);
			await runs('INSERT INTO event_journal%');
			const nextAnswer = deliver([next]);
			await table;
			assert.deepEqual(await firstAnswer, [200]);
			await until(() => server.log().includes(first.id), 'log line');
			assert.deepEqual(await stored(next), ['']);
			await database.sql(`KILL QUERY ${holder}`);
			await Promise.allSettled([row]);
			assert.deepEqual(await nextAnswer, [200]);
		});

	test('events of one second are settled by their payloads', async () => {
		const created = now();
		const id = newId('sub');
		const event = (quantity) => makeEvent(
			'customer.subscription.updated', null, { created, data: {
				object: { id, object: 'subscription', status: 'active',
					customer: 'cus_1', quantity,
					items: { object: 'list', data: [] } },
				previous_attributes: { quantity: quantity - 1 } } });
		for (const events of [[event(2)], [event(3), event(4)]])
			assert.deepEqual([...new Set(await deliver(events))], [200]);
		assert.equal(await database.sql('SELECT quantity FROM stripehook.' +
			`user_subscriptions WHERE stripe_subscription_id = '${id}'`), '4');
		const { code, stdout } = await server.ctl(['rebuild', '--check']);
		assert.equal(code, 0, stdout);
	});

	// The row waits for another's lock, with statements behind it on the way.
	describe('an error in the middle', () => {
		const arrives = async (event) => {
			const [status] = await deliver([event]);
			assert.equal(status, 200);
			assert.deepEqual((await stored(event)).slice(0, 2),
				['processed', '1']);
			assert.equal(Buffer.from((await stored(event))[2], 'hex')
				.toString(), JSON.stringify(event));
		};
		let payment, again;

		beforeEach(async () => {
			payment = makePayment();
			await arrives(payment);
			again = { ...payment, id: newId('evt') };
		});

		test('deadlock: the transaction is repeated', async () => {
			const before = await count('Innodb_deadlocks');
			const locked = locker('DO SLEEP(0.6)', 'SELECT COUNT(*) FROM ' +
				`event_journal WHERE stripe_event_id = '${again.id}' ` +
				'FOR UPDATE');
			await sleep(200);
			await arrives(again);
			await locked;
			assert.ok(await count('Innodb_deadlocks') > before);
		});

		test('killed: it is repeated on another connection', async () => {
			const locked = locker('DO SLEEP(1.2)');
			await sleep(200);
			const arrived = arrives(again);
			const id = await runs('INSERT INTO `payments`%');
			await database.sql(`KILL QUERY ${id}`);
			await arrived;
			await locked;
		});
	});

	test('no event without its payload', async () => {
		const bad = makePayment(), twice = makePayment();
		const events = [bad, twice, ...Array.from({ length: 19 }, () =>
			makePayment())];
		assert.deepEqual(await deliver([twice]), [200]);
		await database.sql('CREATE TRIGGER stripehook.refuse BEFORE INSERT ' +
			'ON stripehook.event_payloads FOR EACH ROW CASE ' +
			`NEW.stripe_event_id WHEN '${bad.id}' THEN ` +
			`SET NEW.payload = NULL; WHEN '${twice.id}' THEN SIGNAL ` +
			"SQLSTATE '45000'; ELSE DO 1; END CASE");
		// A duplicate's payload isn't wanted, so that it can't be refused;
		// and after so many new events no duplicate is expected.
		for (let i = 0; i < 20; i++)
			assert.deepEqual(await deliver([makePayment()]), [200]);
		assert.deepEqual(await deliver([twice]), [200]);
		await deliver(events);
		const [status] = await deliver([bad]);
		assert.equal(status, 503);
		assert.deepEqual(await stored(bad), ['']);
		await database.sql('DROP TRIGGER stripehook.refuse');
		assert.deepEqual([...new Set(await deliver(events))], [200]);
		for (const event of events)
			assert.equal((await stored(event))[0], 'processed');
		const [journal, payloads, pairs] = (await database.sql('SELECT ' +
			'(SELECT COUNT(*) FROM stripehook.event_journal), ' +
			'(SELECT COUNT(*) FROM stripehook.event_payloads), ' +
			'(SELECT COUNT(*) FROM stripehook.event_journal JOIN ' +
			'stripehook.event_payloads USING (created_at, ' +
			'stripe_event_id))')).split('\t');
		assert.deepEqual([payloads, pairs], [journal, journal]);
	});
});

describe('TLS', () => {
	const ca = (name) => ({ STRIPEHOOK_DB_TLS_CA: file(`${name}.pem`) });
	const require = (how) => database.sql(ACCOUNTS.map((name) =>
		`ALTER USER stripehook_${name}@'%' REQUIRE ${how}`).join('; '));

	test('is what an account can require', async () => {
		await require('SSL');
		const plain = await check();
		assert.notEqual(plain.code, 0);
		assert.match(plain.stderr, /Access denied/);
		const tls = await check(ca('server'));
		assert.equal(tls.code, 0, tls.stderr);
		const server = await Server.start({ env: settings(ca('server')) });
		try {
			const event = makePayment();
			assert.equal((await server.deliver(event)).status, 200);
			const { id, client_secret: secret } = event.data.object;
			assert.equal((await server.get(`/api/webhooks/status/${id}`,
				{ headers: { Authorization: `Bearer ${secret}` } }))
				.json.state, 'succeeded');
		} finally {
			await server.stop();
			await require('NONE');
		}
	});

	test('of another authority', async () => {
		const { code, stderr } = await check(ca('other'));
		assert.notEqual(code, 0);
		assert.match(stderr, /database 127\.0\.0\.1 as .*(TLS|SSL)/);
	});

	test('of another host', async () => {
		await database.stop();
		await start(`--ssl-cert=${file('named.pem')}`,
			`--ssl-key=${file('named.key')}`);
		const { code, stderr } = await check(ca('named'));
		assert.notEqual(code, 0);
		assert.match(stderr, /(TLS|SSL)/);
	});

	// Falling back to plain text would show the password to who listens.
	test('that the server hasn\'t', async () => {
		await database.stop();
		await start('--skip-ssl');
		const { code, stderr } = await check(ca('server'));
		assert.notEqual(code, 0);
		assert.match(stderr, /(TLS|SSL)/);
		const plain = await check();
		assert.equal(plain.code, 0, plain.stderr);
	});
});

test('settings that lose events are named', async () => {
	await database.sql('SET GLOBAL innodb_flush_log_at_trx_commit = 2, ' +
		'sync_binlog = 0, binlog_format = STATEMENT, ' +
		'max_allowed_packet = 1048576');
	const server = await Server.start({ env: settings() });
	try {
		await until(() => /max_allowed_packet is/.test(server.log()), 'notes');
		for (const note of [/innodb_flush_log_at_trx_commit is 2: a crash/,
			/sync_binlog is 0: after a crash/,
			/binlog_format is STATEMENT, unsafe/,
			/max_allowed_packet is 1048576 bytes, less than twice/])
			assert.match(server.log(), note);
		assert.equal((await server.metrics())
			.get('stripehook_database_unsafe'), server.workers().length);
	} finally {
		await server.stop();
	}
	await database.sql('SET GLOBAL read_only = 1');
	const { code, stderr } = await check();
	await database.sql('SET GLOBAL read_only = 0');
	assert.notEqual(code, 0);
	assert.match(stderr, /the server is read-only.*point STRIPEHOOK_DB_HOST/);
});
