// A Galera cluster of three nodes on addresses of this machine.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Database, settingsOf } from './database.mjs';
import { ROOT } from './events.mjs';
import { until } from './processes.mjs';
import { BUILD, SECRET, freePort, run, runSync } from './server.mjs';

const PROVIDER = '/usr/lib/galera/libgalera_smm.so';
const STATE_TRANSFER = path.join(ROOT, 'tests/integration/lib/cluster');
const NODES = 3;

class Node extends Database {
	constructor(cluster, number) {
		super(path.join(cluster.dir, `node${number}`), `127.0.0.${number}`,
			cluster.port);
		Object.assign(this, { cluster, number });
	}

	#options() {
		const { port, group, state, missed } = this.cluster;
		const addresses = Array.from({ length: NODES }, (_, i) =>
			`127.0.0.${i + 1}:${group}`);
		const at = this.address;
		return ['--wsrep-on=ON', `--wsrep-provider=${PROVIDER}`,
			'--binlog-format=ROW', '--innodb-autoinc-lock-mode=2',
			`--wsrep-cluster-address=gcomm://${addresses}`,
			`--wsrep-node-address=${at}`, `--wsrep-node-name=${this.number}`,
			`--wsrep-node-incoming-address=${at}:${port}`,
			`--wsrep-sst-receive-address=${at}:${state}`,
			'--wsrep-sst-method=same', '--wsrep-provider-options=' + [
				`gmcast.listen_addr=tcp://${at}:${group}`,
				`base_port=${group}`, `ist.recv_addr=${at}:${missed}`,
				'gcache.size=128M', 'pc.recovery=no'].join(';')];
	}

	// It looks for the program of the state transfer there.
	env = { ...process.env, PATH: `${STATE_TRANSFER}:${process.env.PATH}` };

	begin(...options) {
		super.begin(...this.#options(), ...options);
	}

	variable(name) {
		return this.sql(`SHOW GLOBAL STATUS LIKE '${name}'`)
			.then((row) => row.split('\t')[1], () => undefined);
	}

	// Takes part again, with all that it missed.
	synced() {
		return until(async () => await this.variable('wsrep_ready') === 'ON' &&
			await this.variable('wsrep_local_state_comment') === 'Synced',
		`node ${this.number}`);
	}

	// After a crash: the position to begin at is in its tables.
	position() {
		const { stderr } = runSync('mariadbd', ['--no-defaults',
			...(process.getuid() === 0 ? ['--user=root'] : []),
			`--datadir=${this.dir}/data`, `--tmpdir=${this.dir}/data.tmp`,
			`--socket=${this.dir}/r`, '--skip-networking',
			...this.#options(), '--wsrep-recover']);
		const position = /WSREP: Recovered position: (\S+)/.exec(stderr);
		if (position === null)
			throw new Error(`node ${this.number}: ${stderr.slice(-600)}`);
		return position[1];
	}

	async rejoin() {
		this.begin(`--wsrep-start-position=${this.position()}`);
		await this.synced();
	}
}

export class Cluster {
	nodes = [];

	// Whatever comes of it, stop() is to be called.
	async start() {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-test-cluster-'));
		for (const what of ['port', 'group', 'state', 'missed'])
			this[what] = await freePort();
		this.nodes = Array.from({ length: NODES }, (_, i) =>
			new Node(this, i + 1));
		const [first, ...others] = this.nodes;
		await first.create();
		first.begin('--wsrep-new-cluster');
		await first.synced();
		await first.stop();
		for (const { dir } of others)
			fs.cpSync(first.dir, dir, { recursive: true });
		first.begin('--wsrep-new-cluster');
		await first.synced();
		// One by one: a donor that has just joined may lack what the next needs.
		for (const node of others) {
			node.begin();
			await node.synced();
		}
	}

	// Settings of a host whose first node is number n.
	settings(n) {
		const addresses = this.nodes.map(({ address }) => address);
		return settingsOf([...addresses.slice(n), ...addresses.slice(0, n)]
			.join(), this.port);
	}

	environment(n) {
		return { PATH: process.env.PATH, STRIPE_WEBHOOK_SECRET: SECRET,
			...this.settings(n) };
	}

	// stripehookctl, as on that host.
	ctl(n, args, env = {}) {
		return run(path.join(BUILD, 'stripehookctl'),
			['-c', '/dev/null', ...args], { cwd: this.dir,
				env: { ...this.environment(n), ...env } });
	}

	async stop() {
		for (const node of this.nodes)
			if (node.ended)
				await node.stop('SIGKILL').catch(() => {});
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}
