// Two hosts that share a cluster, and what is sent to both.
import assert from 'node:assert/strict';
import { makePayment } from './events.mjs';
import { Load } from './load.mjs';
import { until } from './processes.mjs';
import { Server } from './server.mjs';

export const PATIENCE_MS = 120000;

// A host whose first node is its own; the test reads on that, too.
class Host extends Server {
	get socket() {
		return this.node.socket;
	}

	sql(text, options) {
		return super.sql(`SET SESSION wsrep_sync_wait = 1; ${text}`, options);
	}
}

export class Hosts {
	constructor(cluster) {
		this.cluster = cluster;
		this.list = [];
	}

	async start() {
		for (const n of [0, 1]) {
			const host = await Host.start({ env: this.cluster.settings(n) });
			host.node = this.cluster.nodes[n];
			this.list.push(host);
		}
	}

	async stop() {
		for (const host of this.list) {
			const { left } = await host.stop();
			assert.deepEqual(left, [], 'nothing is left running');
		}
	}

	// As one server: each delivery goes to the other one.
	get base() {
		this.n = 1 - (this.n ?? 0);
		return this.list[this.n].base;
	}

	get secret() {
		return this.list[0].secret;
	}

	clock() {
		return this.list[0].clock();
	}

	sql(...args) {
		return this.list[0].sql(...args);
	}

	// Loads on both at once, who send some of the same events.
	begin(connections = 12) {
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
		return this.list.map((host) =>
			new Load(host, { connections, make }).start());
	}

	// Everything was taken, and each node has it.
	async settle(loads) {
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
		const sums = await Promise.all(this.cluster.nodes.map((node) =>
			node.sql('SET SESSION wsrep_sync_wait = 1; USE stripehook; ' +
				'SELECT COUNT(*), SUM(deliveries), ' +
				'SUM(CRC32(stripe_event_id)) FROM event_journal; ' +
				'SELECT COUNT(*), SUM(CRC32(payload)) FROM event_payloads; ' +
				'SELECT COUNT(*), SUM(amount), SUM(ties) FROM payments')));
		assert.equal(new Set(sums).size, 1, sums.join('\n'));
	}
}
