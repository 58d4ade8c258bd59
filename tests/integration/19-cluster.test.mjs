// A Galera cluster of three nodes and two hosts that use it: nothing is lost
// and rows are right, whichever host and node it came to, and whatever becomes
// of a node.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cluster } from './lib/cluster.mjs';
import { MAKE_ACCOUNTS } from './lib/database.mjs';
import { makePayment } from './lib/events.mjs';
import { Load } from './lib/load.mjs';
import { signal, sleep, until } from './lib/processes.mjs';
import { statusPath } from './lib/push.mjs';
import { Background, Sender, playRounds } from './lib/rounds.mjs';
import { Server } from './lib/server.mjs';

const SEED = Number(process.env.SEED ?? 1);
const PATIENCE_MS = 120000;

// A host whose first node is its own; the test reads on that, too.
class Host extends Server {
	get socket() {
		return this.node.socket;
	}

	sql(text, options) {
		return super.sql(`SET SESSION wsrep_sync_wait = 1; ${text}`, options);
	}
}

let cluster;
const hosts = [];
const migrate = (n) => cluster.ctl(n, ['migrate']);
before(async () => {
	cluster = await new Cluster().start();
	await cluster.nodes[0].sql(MAKE_ACCOUNTS);
});
after(async () => {
	for (const host of hosts) {
		const { left } = await host.stop();
		assert.deepEqual(left, [], 'nothing is left running');
	}
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
		for (const { code, stdout, stderr } of await Promise.all(
			[migrate(2), cluster.ctl(1, ['prune'])]))
			assert.equal(code, 0, stdout + stderr);
		assert.equal(await cluster.nodes[2].sql('SELECT COUNT(*) FROM ' +
			"stripehook.tool_state WHERE name LIKE 'lock.%' AND value = ''"),
		'2');
	});
});

test('two hosts start', async () => {
	for (const n of [0, 1]) {
		const host = await Host.start({ env: cluster.settings(n) });
		host.node = cluster.nodes[n];
		hosts.push(host);
	}
});

// Loads on both hosts at once, who send some of the same events.
function begin(connections = 12) {
	const recent = [];
	const make = () => {
		if (recent.length > 20 && Math.random() < 0.3)
			return recent[Math.floor(Math.random() * recent.length)];
		const event = makePayment();
		recent.push(event);
		if (recent.length > 40)
			recent.shift();
		return event;
	};
	return hosts.map((host) => new Load(host, { connections, make }).start());
}

const acked = (loads) => loads.reduce((n, { acked: { size } }) => n + size, 0);

// Everything was taken, and each node has it.
async function settle(loads) {
	for (const load of loads)
		await load.stop();
	for (const load of loads) {
		await until(async () => await load.resend() === 0, 'resent',
			PATIENCE_MS);
		assert.deepEqual((await load.audit()).slice(0, 10), []);
		assert.ok([...load.statuses.keys()].every((s) =>
			[200, 503].includes(s)), JSON.stringify([...load.statuses]));
		assert.equal(load.withoutRetryAfter, 0);
	}
	const sums = await Promise.all(cluster.nodes.map((node) => node.sql(
		'SET SESSION wsrep_sync_wait = 1; USE stripehook; ' +
		'SELECT COUNT(*), SUM(deliveries), SUM(CRC32(stripe_event_id)) ' +
		'FROM event_journal; SELECT COUNT(*), SUM(CRC32(payload)) FROM ' +
		'event_payloads; SELECT COUNT(*), SUM(amount), SUM(ties) FROM ' +
		'payments')));
	assert.equal(new Set(sums).size, 1, sums.join('\n'));
}

const both = {
	get base() {
		this.n = 1 - (this.n ?? 0);
		return hosts[this.n].base;
	},
	clock: () => hosts[0].clock(),
	get secret() {
		return hosts[0].secret;
	},
	sql: (...args) => hosts[0].sql(...args),
};

test('the same events to both hosts: each is stored once', async () => {
	const loads = begin();
	await sleep(3000);
	await settle(loads);
	const journal = await hosts[0].count('event_journal');
	const ids = new Set(loads.flatMap(({ acked: ids }) => [...ids.keys()]));
	assert.equal(journal, ids.size);
	const answers = loads.flatMap(({ acked: ids }) => [...ids.values()]);
	assert.equal(Number(await hosts[0].value('SELECT SUM(deliveries) FROM ' +
		'event_journal')), answers.reduce((sum, n) => sum + n, 0));
});

test('lifecycles in any order, over both', async (t) => {
	const sender = new Sender(both);
	const count = await playRounds(sender, SEED, { rounds: 12,
		what: `SEED=${SEED}, both hosts` });
	sender.close();
	t.diagnostic(`${count.deliveries} deliveries, ${sender.refused} refused`);
	const { code, stdout } = await hosts[1].ctl(['rebuild', '--check']);
	assert.equal(code, 0, stdout.slice(0, 2000));
});

test('what one host has taken, the other one tells', async () => {
	for (let i = 0; i < 200; i++) {
		const event = makePayment();
		const [taker, teller] = i % 2 === 0 ? hosts : [hosts[1], hosts[0]];
		assert.equal((await taker.deliver(event)).status, 200);
		const { id, client_secret: secret } = event.data.object;
		const { json } = await teller.get(statusPath(id),
			{ headers: { Authorization: `Bearer ${secret}` } });
		assert.equal(json.state, 'succeeded', `after ${i}`);
	}
});

// Until no delivery is in its way.
const spoil = () => until(() => hosts[0].sql(
	"UPDATE payments SET currency = 'xxx', amount = amount + 1 " +
	'WHERE RAND() < 0.5; UPDATE user_subscriptions SET quantity = 77 ' +
	'WHERE RAND() < 0.5').then(() => true, () => false), 'wrong rows');

// Its locks mean nothing to other nodes; conflicts are found at COMMIT.
test('rebuild repairs while the other host takes deliveries', async () => {
	const background = new Background(both, SEED + 1000,
		{ patience: PATIENCE_MS });
	try {
		for (let i = 0; i < 4; i++) {
			await sleep(700);
			await spoil();
			const { code, stdout, stderr } = await hosts[1].ctl(
				['rebuild', '--restart', '--json']);
			assert.ok([0, 1].includes(code), stdout.slice(-500) + stderr);
		}
	} finally {
		await background.stop();
	}
	await until(async () => (await hosts[0].ctl(['rebuild', '--restart']))
		.code === 0, 'all repaired');
	const { code, stdout } = await hosts[1].ctl(['rebuild', '--check']);
	assert.equal(code, 0, stdout.slice(0, 2000));
	assert.equal(await hosts[0].count('payments', "currency = 'xxx'"), 0);
});

// The cluster's writes stand still until it has given the node up.
async function back(loads, since) {
	const before = acked(loads);
	await until(() => acked(loads) > before + 300, 'deliveries go on',
		PATIENCE_MS);
	return Date.now() - since;
}

test('kill -9 of a node', async (t) => {
	const loads = begin();
	await sleep(1000);
	const [node] = cluster.nodes;
	const since = Date.now();
	await node.stop('SIGKILL');
	t.diagnostic(`back after ${await back(loads, since)} ms`);
	await node.rejoin();
	await settle(loads);
	await hosts[0].ready();
});

test('a node that stands still', async (t) => {
	const loads = begin();
	await sleep(1000);
	const [, node] = cluster.nodes;
	const { pid } = node;
	const since = Date.now();
	signal(pid, 'SIGSTOP');
	try {
		t.diagnostic(`back after ${await back(loads, since)} ms`);
	} finally {
		signal(pid, 'SIGCONT');
	}
	// It learns only now that the others have given it up.
	await until(() => cluster.nodes[0].variable('wsrep_cluster_size') === '3',
		'the others take it again', PATIENCE_MS);
	await node.synced();
	await settle(loads);
});

test('a node that ends in an orderly way, and comes again', async () => {
	const loads = begin();
	await sleep(1000);
	const node = cluster.nodes[2];
	await node.stop();
	await back(loads, 0);
	const { code, stdout } = await hosts[0].ctl(['check']);
	assert.equal(code, 1);
	assert.match(stdout, /durability +wrong\n.*127\.0\.0\.3/);
	node.begin();
	await node.synced();
	await settle(loads);
});

test('without a majority: 503, and back when there is one', async () => {
	const loads = begin(4);
	await sleep(1000);
	const [last, ...others] = cluster.nodes;
	await Promise.all(others.map((node) => node.stop('SIGKILL')));
	await until(() => last.variable('wsrep_cluster_status') === 'non-Primary',
		'alone');
	const { status, json, headers } = await hosts[0].deliver(makePayment());
	assert.equal(status, 503);
	assert.match(json.error.code, /^database_/);
	assert.ok(headers['retry-after'] >= 1);
	await until(async () => (await hosts[0].get('/readyz')).status === 503,
		'/readyz');
	const { code, stdout } = await hosts[0].ctl(['check']);
	assert.equal(code, 1);
	assert.match(stdout, /127\.0\.0\.1: the node is not ready/);
	await last.sql("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'");
	await back(loads, 0);
	for (const node of others)
		await node.rejoin();
	await settle(loads);
	assert.equal((await hosts[0].ctl(['check'])).stdout
		.match(/durability +ok/)?.length, 1);
});
