// A right or a table taken away while events come is no event's fault: 503,
// nothing marked failed, and all is well when it is given back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, afterEach, before, test } from 'node:test';
import { makePayment } from './lib/events.mjs';
import { Load } from './lib/load.mjs';
import { sleep, until } from './lib/processes.mjs';
import { Server, metric } from './lib/server.mjs';

let server;
let account;
before(async () => {
	server = await Server.start();
	account = await server.value("SELECT CONCAT(QUOTE(user), '@', QUOTE(host))" +
		" FROM mysql.user WHERE user = 'stripehook_ingest'");
});
after(() => server?.stop());
// Workers that lost their connections make them anew within a second.
afterEach(() => until(async () => metric(await server.metrics(),
	'stripehook_database_up') === 2, 'both workers connected'));

const tableRights = async (table) => server.value(
	"SELECT GROUP_CONCAT(privilege_type SEPARATOR ', ') FROM " +
	'information_schema.table_privileges WHERE ' +
	`grantee = ${JSON.stringify(account)} AND table_name = '${table}'`);

// Takes something away under load, and gives it back.
async function without(take, give) {
	const load = new Load(server, { connections: 32 }).start();
	try {
		await sleep(600);
		assert.ok(load.acked.size > 0);
		await server.sql(take);
		try {
			await until(() => (load.statuses.get(503) ?? 0) > 0, '503');
			await sleep(700);
			const quick = await server.deliver(load.make().body);
			assert.equal(quick.status, 503);
			assert.ok(quick.headers['retry-after'] >= 1);
		} finally {
			await server.sql(give);
		}
		const after = load.acked.size;
		await until(() => load.acked.size > after + 200, 'service is back');
	} finally {
		await load.stop();
	}
	assert.ok([...load.statuses.keys()].every((s) => [200, 503].includes(s)),
		JSON.stringify([...load.statuses]));
	assert.equal(load.withoutRetryAfter, 0);
	assert.equal(await server.count('event_journal', "status = 'failed'"), 0);
	await until(async () => await load.resend() === 0, 'resent');
	assert.deepEqual((await load.audit()).slice(0, 10), []);
	assert.doesNotMatch(server.log(), / \(0\)/, 'errors have their words');
}

for (const table of ['payments', 'event_journal', 'event_payloads', 'links'])
	test(`the right to insert into ${table}`, async () => {
		const rights = await tableRights(table);
		// Where the right is one on the whole database, a table's can't go.
		const on = rights ? `stripehook.${table}` : 'stripehook.*';
		await without(`REVOKE INSERT ON ${on} FROM ${account}`,
			`GRANT INSERT ON ${on} TO ${account}`);
	});

test('the right to update payments', async () => {
	const on = await tableRights('payments') ? 'stripehook.payments' :
		'stripehook.*';
	const columns = await server.value('SELECT COUNT(*) FROM ' +
		'information_schema.column_privileges WHERE ' +
		`grantee = ${JSON.stringify(account)} AND table_name = 'payments'`);
	assert.equal(columns, '0', 'rights are by table');
	await without(`REVOKE UPDATE ON ${on} FROM ${account}`,
		`GRANT UPDATE ON ${on} TO ${account}`);
});

test('the table payments', () => without(
	'RENAME TABLE payments TO payments_away',
	'RENAME TABLE payments_away TO payments'));

test('the table event_journal', () => without(
	'RENAME TABLE event_journal TO journal_away',
	'RENAME TABLE journal_away TO event_journal'));

test('a column', () => without(
	'ALTER TABLE payments RENAME COLUMN currency TO currency_away',
	'ALTER TABLE payments RENAME COLUMN currency_away TO currency'));

test('a read-only database', async () => {
	// Who may write even so (SUPER, READ_ONLY ADMIN) is not the ingest account.
	await without('SET GLOBAL read_only = 1', 'SET GLOBAL read_only = 0');
});

test('a row that another client holds: late or 503, never lost', async () => {
	const event = makePayment();
	const id = event.data.object.id;
	await server.deliver(event);
	const other = spawn('mariadb', ['--no-defaults', '--user=root',
		`--socket=${server.socket}`, '--unbuffered', '--batch', 'stripehook'],
	{ stdio: ['pipe', 'pipe', 'inherit'] });
	const locked = new Promise((resolve) => other.stdout.once('data', resolve));
	other.stdin.write('BEGIN; SELECT status FROM payments WHERE ' +
		`stripe_payment_intent_id = '${id}' FOR UPDATE;\n`);
	await locked;
	const again = makePayment({ id, status: 'canceled' },
		{ type: 'payment_intent.canceled', created: event.created + 60 });
	const [held, ...others] = await Promise.all([server.deliver(again),
		...Array.from({ length: 20 }, () => server.deliver(makePayment()))]);
	// A refusal is the workers' own: nginx has not given them up.
	for (const { status, text } of [held, ...others])
		assert.match(`${status} ${text}`,
			/^(200 |503 .*"code":"database_(busy|down)")/);
	other.stdin.end('ROLLBACK;\n');
	await new Promise((resolve) => other.on('close', resolve));
	if (held.status === 503)
		assert.equal(await server.event(again.id), undefined);
	await until(async () => (await server.deliver(again)).status === 200,
		'taken when the lock is gone');
	assert.equal((await server.event(again.id)).status, 'processed');
	assert.equal(await server.value('SELECT status FROM payments WHERE ' +
		`stripe_payment_intent_id = '${id}'`), 'canceled');
	assert.equal(await server.count('event_journal', "status = 'failed'"), 0);
});

test('killed connections are made anew', async () => {
	const load = new Load(server, { connections: 16 }).start();
	for (let i = 0; i < 5; i++) {
		await sleep(300);
		for (const { id } of await server.sql('SELECT id FROM ' +
			'information_schema.processlist WHERE user = \'stripehook_ingest\''))
			await server.sql(`KILL ${id}`).catch(() => {});
	}
	await sleep(300);
	await load.stop();
	assert.equal(load.failures, 0, JSON.stringify([...load.statuses]));
	assert.deepEqual((await load.audit()).slice(0, 10), []);
});
