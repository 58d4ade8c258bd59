// A Galera cluster of three nodes and two hosts that use it: each event is
// stored once and rows are right, whichever host and node it came to.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster } from './lib/cluster.mjs';
import { MAKE_ACCOUNTS } from './lib/database.mjs';
import { makePayment, newId } from './lib/events.mjs';
import { Hosts, PATIENCE_MS } from './lib/hosts.mjs';
import { sleep, until } from './lib/processes.mjs';
import { statusPath } from './lib/push.mjs';
import { Background, Sender, playRounds } from './lib/rounds.mjs';
import { Server } from './lib/server.mjs';
import { Stopped } from './lib/stopped.mjs';

const SEED = Number(process.env.SEED ?? 1);
const ROUNDS = 12;
const REPAIRS = 4;

let cluster, both;
const migrate = (n) => cluster.ctl(n, ['migrate']);
before(async () => {
	cluster = new Cluster();
	await cluster.start();
	await cluster.nodes[0].sql(MAKE_ACCOUNTS);
	both = new Hosts(cluster);
});
after(async () => {
	await both?.stop();
	await cluster?.stop();
});

// Views that two nodes make at once stop a whole cluster for good.
test('three hosts bring the schema up at once', async () => {
	for (let round = 0; round < 3; round++)
		for (const { code, stdout, stderr } of
			await Promise.all([0, 1, 2].map(migrate))) {
			assert.equal(code, 0, stdout + stderr);
			assert.match(stdout, /schema is at version \d+\n/);
		}
});

describe('the lock of a tool', () => {
	const put = (value) => cluster.nodes[0].sql('REPLACE INTO ' +
		'stripehook.tool_state (name, value, updated_at) VALUES ' +
		`('lock.migrate', '${value}', UTC_TIMESTAMP(6)), ` +
		`('lock.payloads', '${value}', UTC_TIMESTAMP(6))`);

	test('that lives: it is waited for, or named', async () => {
		let going = true;
		await put('elsewhere, process 1');
		const holder = (async () => {
			for (; going; await sleep(300))
				await put('elsewhere, process 1');
			await put('');
		})();
		const waiting = migrate(0);
		try {
			const { code, stderr } = await cluster.ctl(1, ['prune']);
			assert.equal(code, 3);
			assert.match(stderr, /another .* \(elsewhere, process 1\)/);
			assert.equal(await Promise.race([waiting.then(() => 'ended'),
				sleep(2000)]), undefined);
		} finally {
			going = false;
			await holder;
		}
		const { stdout } = await waiting;
		assert.match(stdout, /^waiting for .* \(elsewhere, process 1\)/);
		assert.match(stdout, /schema is at version/);
	});

	test('that was stopped, and lost it: it does nothing more', async () => {
		const holder = new Stopped({ configArguments: ['-c', '/dev/null'],
			env: cluster.environment(0) }, ['migrate']);
		await holder.at(() => cluster.nodes[0].sql('SELECT value FROM ' +
			"stripehook.tool_state WHERE name = 'lock.migrate'"),
		(value) => value.includes(`process ${holder.pid},`));
		await put('elsewhere, process 3');
		const { code, stderr } = await holder.goOn();
		assert.equal(code, 1, stderr);
		assert.match(stderr, /lock migrate: lost .* or another .*; run it again/);
		assert.equal(await cluster.nodes[1].sql('SELECT value FROM ' +
			"stripehook.tool_state WHERE name = 'lock.migrate'"),
		'elsewhere, process 3');
	});

	test('that died: it is taken over', async () => {
		await put('elsewhere, process 2');
		const [migrated, pruned] = await Promise.all(
			[migrate(2), cluster.ctl(1, ['prune'])]);
		for (const { code, stdout, stderr } of [migrated, pruned])
			assert.equal(code, 0, stdout + stderr);
		assert.match(pruned.stderr, /^waiting for .*elsewhere, process 2/);
		assert.equal(await cluster.nodes[2].sql('SELECT COUNT(*) FROM ' +
			"stripehook.tool_state WHERE name LIKE 'lock.%' AND value = ''"),
		'2');
	});
});

test('two hosts start', () => both.start());

test('the same events to both hosts: each is stored once', async () => {
	const loads = both.begin();
	await sleep(3000);
	await both.settle(loads);
	const journal = await both.list[0].count('event_journal');
	const ids = new Set(loads.flatMap(({ acked: ids }) => [...ids.keys()]));
	assert.equal(journal, ids.size);
	const answers = loads.flatMap(({ acked: ids }) => [...ids.values()]);
	assert.equal(Number(await both.list[0].value('SELECT SUM(deliveries) FROM ' +
		'event_journal')), answers.reduce((sum, n) => sum + n, 0));
});

// A socket holds a few hundred answers that nobody reads.
test('by a node\'s socket, as many events as a batch takes', async () => {
	const [{ socket }] = cluster.nodes;
	const host = await Server.start({ env: { ...cluster.settings(0),
		STRIPEHOOK_DB_HOST: '', STRIPEHOOK_DB_SOCKET: socket,
		STRIPEHOOK_BATCH_MAX: '1024', STRIPEHOOK_INGEST_WORKERS: '1' } });
	try {
		const payment = makePayment();
		assert.equal((await host.deliver(payment)).status, 200);
		const locked = cluster.nodes[0].sql('START TRANSACTION; SELECT 1 ' +
			'FROM stripehook.payments WHERE stripe_payment_intent_id = ' +
			`'${payment.data.object.id}' FOR UPDATE; DO SLEEP(1)`);
		await sleep(300);
		const first = host.deliver({ ...payment, id: newId('evt') });
		await sleep(300);
		const answers = await Promise.all([first, ...Array.from({ length: 400 },
			() => host.deliver(makePayment()))]);
		await locked;
		assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
		assert.doesNotMatch(host.log(), /gone away|Lost connection/);
		const { code, stdout, stderr } = await host.ctl(['rebuild', '--check']);
		assert.equal(code, 0, stdout.slice(-500) + stderr);
	} finally {
		await host.stop();
	}
});

test('lifecycles in any order, over both', async (t) => {
	const sender = new Sender(both);
	const count = await playRounds(sender, SEED, { rounds: ROUNDS,
		what: `SEED=${SEED}, both hosts` });
	sender.close();
	t.diagnostic(`${count.deliveries} deliveries, ${sender.refused} refused`);
	const { code, stdout } = await cluster.ctl(1, ['rebuild', '--check'], {
		STRIPEHOOK_DB_HOST: '',
		STRIPEHOOK_DB_SOCKET: cluster.nodes[1].socket });
	assert.equal(code, 0, stdout.slice(0, 2000));
});

test('what one host has taken, the other one tells', async () => {
	for (let i = 0; i < 200; i++) {
		const event = makePayment();
		const [taker, teller] = i % 2 === 0 ? both.list : [both.list[1], both.list[0]];
		assert.equal((await taker.deliver(event)).status, 200);
		const { id, client_secret: secret } = event.data.object;
		const { json } = await teller.get(statusPath(id),
			{ headers: { Authorization: `Bearer ${secret}` } });
		assert.equal(json.state, 'succeeded', `after ${i}`);
	}
});

// Until no delivery is in its way.
const spoil = () => until(() => both.list[0].sql(
	"UPDATE payments SET currency = 'xxx', amount = amount + 1 " +
	'WHERE RAND() < 0.5; UPDATE user_subscriptions SET quantity = 77 ' +
	'WHERE RAND() < 0.5').then(() => true, () => false), 'wrong rows');

// Each row that comes or goes where rebuild has locked makes it begin again.
test('rebuild comes to its end beside others that are in its way', async () => {
	const [one, , other] = cluster.nodes;
	await one.sql('CREATE PROCEDURE stripehook.disturb() BEGIN ' +
		'DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; ' +
		'WHILE (SELECT value FROM stripehook.tool_state WHERE name = ' +
		"'test.disturb') = '1' DO SET @id = CONCAT('pi_1', " +
		"SUBSTR(MD5(RAND()), 1, 12)); INSERT INTO stripehook.payments (" +
		'stripe_payment_intent_id, amount, currency, status, livemode, ' +
		"source_event_id, order_key) VALUES (@id, 1, 'usd', 'succeeded', 0, " +
		"'evt_none', 'x'); DELETE FROM stripehook.payments WHERE " +
		'stripe_payment_intent_id = @id; DO SLEEP(0.03); END WHILE; END');
	const tell = (value) => one.sql('REPLACE INTO stripehook.tool_state ' +
		`(name, value, updated_at) VALUES ('test.disturb', '${value}', ` +
		'UTC_TIMESTAMP(6))');
	await tell('1');
	const disturbed = [one, other].map((node) =>
		node.sql('CALL stripehook.disturb()'));
	await until(() => both.list[0].sql('UPDATE payments SET amount = 77')
		.then(() => true, () => false), 'wrong rows');
	const { code, stderr } = await both.list[1].ctl(['rebuild', '--restart']);
	await until(() => tell('0').then(() => true, () => false), 'told');
	await Promise.all(disturbed);
	await until(() => one.sql('DELETE FROM stripehook.payments WHERE ' +
		"source_event_id = 'evt_none'").then(() => true, () => false), 'gone');
	assert.equal(code, 0, stderr);
	assert.equal(await both.list[0].count('payments', 'amount = 77'), 0);
});

// Its locks mean nothing to other nodes; conflicts are found at COMMIT.
test('rebuild repairs while the other host takes deliveries', async () => {
	const background = new Background(both, SEED + 1000,
		{ patience: PATIENCE_MS });
	try {
		for (let i = 0; i < REPAIRS; i++) {
			await sleep(700);
			await spoil();
			const { code, stdout, stderr } = await both.list[1].ctl(
				['rebuild', '--restart', '--json']);
			assert.ok([0, 1].includes(code), stdout.slice(-500) + stderr);
		}
	} catch (err) {
		// What is not repaired then is no news.
		await background.stop().catch(() => {});
		throw err;
	}
	await background.stop();
	await until(async () => (await both.list[0].ctl(['rebuild', '--restart']))
		.code === 0, 'all repaired');
	const { code, stdout } = await both.list[1].ctl(['rebuild', '--check']);
	assert.equal(code, 0, stdout.slice(0, 2000));
	assert.equal(await both.list[0].count('payments', "currency = 'xxx'"), 0);
});
