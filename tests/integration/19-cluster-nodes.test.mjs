// A node of a Galera cluster dies, hangs, goes; most of them die: nothing that
// was answered 2xx is lost, and service comes back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from './lib/cluster.mjs';
import { MAKE_ACCOUNTS } from './lib/database.mjs';
import { makePayment } from './lib/events.mjs';
import { Hosts, PATIENCE_MS } from './lib/hosts.mjs';
import { signal, sleep, until } from './lib/processes.mjs';

let cluster, both;
before(async () => {
	cluster = new Cluster();
	await cluster.start();
	await cluster.nodes[0].sql(MAKE_ACCOUNTS);
	both = new Hosts(cluster);
	await both.start();
});
after(async () => {
	await both?.stop();
	await cluster?.stop();
});

const acked = (loads) => loads.reduce((n, { acked: { size } }) => n + size, 0);

// The cluster's writes stand still until it has given the node up.
async function back(loads, since) {
	const before = acked(loads);
	await until(() => acked(loads) > before + 300, 'deliveries go on',
		PATIENCE_MS);
	return Date.now() - since;
}

test('kill -9 of a node', async (t) => {
	const loads = both.begin();
	await sleep(1000);
	const [node] = cluster.nodes;
	const since = Date.now();
	await node.stop('SIGKILL');
	t.diagnostic(`back after ${await back(loads, since)} ms`);
	await node.rejoin();
	await both.settle(loads);
	await both.list[0].ready();
});

test('a node that stands still', async (t) => {
	const loads = both.begin();
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
	await until(async () =>
		await cluster.nodes[0].variable('wsrep_cluster_size') === '3',
		'the others take it again', PATIENCE_MS);
	await node.synced();
	await both.settle(loads);
});

test('a node that ends in an orderly way, and comes again', async () => {
	const loads = both.begin();
	await sleep(1000);
	const node = cluster.nodes[2];
	await node.stop();
	await back(loads, 0);
	const { code, stdout } = await both.list[0].ctl(['check']);
	assert.equal(code, 1);
	assert.match(stdout, /durability +wrong\n.*127\.0\.0\.3/);
	node.begin();
	await node.synced();
	await both.settle(loads);
});

test('without a majority: 503, and back when there is one', async () => {
	const loads = both.begin(4);
	await sleep(1000);
	const [last, ...others] = cluster.nodes;
	await Promise.all(others.map((node) => node.stop('SIGKILL')));
	await until(async () =>
		await last.variable('wsrep_cluster_status') === 'non-Primary',
		'alone');
	const { status, json, headers } = await both.list[0].deliver(makePayment());
	assert.equal(status, 503);
	assert.match(json.error.code, /^database_/);
	assert.ok(headers['retry-after'] >= 1);
	await until(async () => (await both.list[0].get('/readyz')).status === 503,
		'/readyz');
	const { code, stdout } = await both.list[0].ctl(['check']);
	assert.equal(code, 1);
	assert.match(stdout, /127\.0\.0\.1: the node is not ready/);
	await last.sql("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'");
	await back(loads, 0);
	for (const node of others)
		await node.rejoin();
	await both.settle(loads);
	assert.equal((await both.list[0].ctl(['check'])).stdout
		.match(/durability +ok/)?.length, 1);
});
