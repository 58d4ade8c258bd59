// stripehookctl migrate: from nothing, again, twice at once, interrupted; and
// what the schema promises.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makePayment } from './lib/events.mjs';
import { sleep } from './lib/processes.mjs';
import { Server } from './lib/server.mjs';

let server;
before(async () => {
	server = await Server.start();
});
after(() => server?.stop());

let count = 0;
const newDatabase = () => `schema_test_${++count}`;

const migrate = (database) => server.ctl(['migrate'],
	{ env: { ...server.env, STRIPEHOOK_DB_NAME: database } });

// All that makes a schema, as text: what two of them are compared by.
async function shape(database) {
	const rows = [];
	for (const sql of [
		'SELECT table_name, column_name, column_type, is_nullable, ' +
			'column_default, collation_name, ordinal_position FROM columns ' +
			'WHERE table_schema = DATABASE_NAME ORDER BY 1, 7',
		'SELECT table_name, index_name, non_unique, seq_in_index, ' +
			'column_name FROM statistics ' +
			'WHERE table_schema = DATABASE_NAME ORDER BY 1, 2, 4',
		'SELECT table_name, view_definition FROM views ' +
			'WHERE table_schema = DATABASE_NAME ORDER BY 1'])
		rows.push(...await server.sql(
			sql.replace('DATABASE_NAME', `'${database}'`),
			{ database: 'information_schema' }));
	return JSON.stringify(rows).replaceAll(database, 'DB');
}

describe('migrate', () => {
	let clean;
	test('from nothing, and again', async () => {
		const database = newDatabase();
		const first = await migrate(database);
		assert.equal(first.code, 0, first.stderr);
		clean = await shape(database);
		assert.ok(clean.includes('event_journal'));
		const second = await migrate(database);
		assert.equal(second.code, 0, second.stderr);
		assert.equal(await shape(database), clean);
	});

	test('five at once', async () => {
		const database = newDatabase();
		const runs = await Promise.all(
			Array.from({ length: 5 }, () => migrate(database)));
		for (const { code, stderr } of runs)
			assert.equal(code, 0, stderr);
		assert.equal(await shape(database), clean);
	});

	test('killed at any moment, then run to its end', async () => {
		const database = newDatabase();
		for (let ms = 5; ms <= 200; ms += 15) {
			const child = spawn(path.join(server.build, 'stripehookctl'),
				[...server.configArguments, 'migrate'], { stdio: 'ignore',
					env: { ...server.env, STRIPEHOOK_DB_NAME: database } });
			const end = new Promise((resolve) => child.on('exit', resolve));
			await sleep(ms);
			child.kill('SIGKILL');
			await end;
		}
		const { code, stderr } = await migrate(database);
		assert.equal(code, 0, stderr);
		assert.equal(await shape(database), clean);
	});

	test('a migration that was changed afterwards is refused', async () => {
		const database = newDatabase();
		await migrate(database);
		const [column] = await server.sql('SELECT column_name AS name, ' +
			'data_type AS type FROM information_schema.columns WHERE ' +
			`table_schema = '${database}' AND table_name = ` +
			"'schema_migrations' AND column_name LIKE '%checksum%'");
		assert.ok(column, 'checksums are recorded');
		await server.sql(`UPDATE schema_migrations SET ${column.name} = ` +
			`REVERSE(${column.name}) LIMIT 1`, { database });
		const { code, stderr } = await migrate(database);
		assert.equal(code, 1, stderr);
		assert.match(stderr, /migration \d+ \w+ was applied with/);
	});

	test('a schema newer than the program: it goes on', async () => {
		await server.sql('INSERT INTO schema_migrations (version, name, ' +
			"checksum, applied_at) VALUES (9999, 'later', REPEAT('0', 64), " +
			'UTC_TIMESTAMP())');
		try {
			await server.ready();
			const event = makePayment();
			assert.equal((await server.deliver(event)).status, 200);
			const check = await server.ctl(['check']);
			assert.equal(check.code, 0, check.stderr);
			assert.match(check.stdout, /schema +ok\n.*version 9999; this program/);
			const { code, stderr } = await migrate('stripehook');
			assert.equal(code, 1);
			assert.match(stderr, /the schema is at version 9999, this program/);
		} finally {
			await server.sql(
				'DELETE FROM schema_migrations WHERE version = 9999');
		}
	});

	test('the owner\'s account is asked for where it is wrong', async () => {
		for (const command of ['migrate', 'rebuild', 'prune', 'redact']) {
			const { code, stderr } = await server.ctl([command], { env:
				{ ...server.env, STRIPEHOOK_OWNER_DB_USER: 'nobody' } });
			assert.equal(code, 3, command);
			assert.match(stderr, /nobody.*\nSTRIPEHOOK_OWNER_DB_USER and/);
		}
	});

	test('the operator\'s own users view stays', async () => {
		await server.sql('CREATE TABLE auth_user (id INT PRIMARY KEY, ' +
			'username VARCHAR(150), email VARCHAR(254)); ' +
			"INSERT INTO auth_user VALUES (42, 'jenny', 'j@shop.example'); " +
			'CREATE OR REPLACE VIEW users AS ' +
			'SELECT id, username, email FROM auth_user');
		const { code, stderr } = await server.ctl(['migrate']);
		assert.equal(code, 0, stderr);
		const event = makePayment({ metadata: { user_id: '42' } });
		const other = makePayment({ metadata: { user_id: '42abc' } });
		await server.deliver(event);
		await server.deliver(other);
		const username = (id) => server.value('SELECT username FROM ' +
			`admin_payments WHERE stripe_payment_intent_id = '${id}'`);
		assert.equal(await username(event.data.object.id), 'jenny');
		assert.notEqual(await username(other.data.object.id), 'jenny');
	});

	test('no database to be reached: exit status 3', async () => {
		const { code, stderr } = await server.ctl(['migrate'],
			{ env: { ...server.env, STRIPEHOOK_DB_SOCKET: '/nowhere' } });
		assert.equal(code, 3);
		assert.match(stderr, /nowhere/);
	});
});

describe('the schema', () => {
	test('each table\'s only unique key is its primary key', async () => {
		const rows = await server.sql('SELECT t.table_name AS name, ' +
			'(SELECT COUNT(DISTINCT s.index_name) FROM statistics s WHERE ' +
			's.table_schema = t.table_schema AND s.table_name = t.table_name ' +
			'AND s.non_unique = 0) AS n, (SELECT MAX(s.index_name) FROM ' +
			'statistics s WHERE s.table_schema = t.table_schema AND ' +
			's.table_name = t.table_name AND s.non_unique = 0) AS k, ' +
			"t.engine FROM tables t WHERE t.table_schema = 'stripehook' AND " +
			"t.table_type = 'BASE TABLE' AND t.table_name <> 'auth_user'",
		{ database: 'information_schema' });
		assert.ok(rows.length >= 15);
		for (const { name, n, k, engine } of rows) {
			assert.equal(n, '1', name);
			assert.equal(k, 'PRIMARY', name);
			assert.equal(engine, 'InnoDB', name);
		}
	});

	test('the four accounts are there', async () => {
		const rows = await server.sql('SELECT user AS name FROM mysql.user ' +
			"WHERE user LIKE 'stripehook%' ORDER BY user");
		assert.deepEqual(rows.map(({ name }) => name),
			['stripehook_admin', 'stripehook_app', 'stripehook_ingest',
				'stripehook_status']);
	});

	for (const view of ['admin_user_subscriptions', 'admin_webhook_events',
		'admin_invoices', 'admin_plans', 'admin_payments',
		'admin_failed_events', 'admin_unlinked', 'admin_subscription_items',
		'admin_daily_revenue', 'admin_active_subscriptions',
		'admin_invoice_payments', 'webhook_events', 'users'])
		test(`${view} can be read`, async () => {
			await server.sql(`SELECT * FROM ${view} LIMIT 5`);
			assert.ok(await server.count(view) >= 0);
		});
});
