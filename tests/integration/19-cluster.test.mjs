// A Galera cluster of three nodes and two hosts that use it: each event is
// stored once and rows are right, whichever host and node it came to.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster } from './lib/cluster.mjs';
import { MAKE_ACCOUNTS } from './lib/database.mjs';
import { makePayment } from './lib/events.mjs';
import { Hosts, PATIENCE_MS } from './lib/hosts.mjs';
import { sleep, until } from './lib/processes.mjs';
import { statusPath } from './lib/push.mjs';
import { Background, Sender, playRounds } from './lib/rounds.mjs';

const SEED = Number(process.env.SEED ?? 1);
// What the coverage is measured with needn't take its time.
const SHORT = process.env.STRIPEHOOK_TEST_SHORT !== undefined;
const ROUNDS = SHORT ? 3 : 12;
const REPAIRS = SHORT ? 1 : 4;

let cluster, both;
const migrate = (n) => cluster.ctl(n, ['migrate']);
before(async () => {
	cluster = await new Cluster().start();
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

test('lifecycles in any order, over both', async (t) => {
	const sender = new Sender(both);
	const count = await playRounds(sender, SEED, { rounds: ROUNDS,
		what: `SEED=${SEED}, both hosts` });
	sender.close();
	t.diagnostic(`${count.deliveries} deliveries, ${sender.refused} refused`);
	const { code, stdout } = await both.list[1].ctl(['rebuild', '--check']);
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
	} finally {
		await background.stop();
	}
	await until(async () => (await both.list[0].ctl(['rebuild', '--restart']))
		.code === 0, 'all repaired');
	const { code, stdout } = await both.list[1].ctl(['rebuild', '--check']);
	assert.equal(code, 0, stdout.slice(0, 2000));
	assert.equal(await both.list[0].count('payments', "currency = 'xxx'"), 0);
});
