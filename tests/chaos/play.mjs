// Plays faults against a rig and counts checks.
import fs from 'node:fs';
import path from 'node:path';
import { sleep, until } from '../integration/lib/processes.mjs';
import { Random } from '../integration/lib/story.mjs';
import { Rig } from './rig.mjs';
import { Traffic } from './traffic.mjs';

const TIDY_MS = 60000;		// until processes and descriptors are as before
const EVENTS_MIN = 51;		// fewer would prove nothing

// A number for each pair of a seed and a fault, so that a fault does the same
// whether it is played alone or among others; played again it is another one,
// since what it makes has ids of its own.
function seedOf(seed, name, times) {
	let hash = seed >>> 0;
	for (const char of times > 0 ? `${name} ${times}` : name)
		hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193) >>> 0;
	return hash;
}

const listed = (problems) => problems.slice(0, 5).join('\n        ');

const troubles = (log) => log.split('\n').filter((line) => line !== '' &&
	!line.startsWith('INFO ')).slice(-20).join('\n        ');

export class Play {
	passed = 0;
	failed = 0;
	table = new Map();		// fault's name -> how it went
	plays = new Map();		// seed and fault's name -> how often
	start = Date.now();

	// patience: times as long as stated for service to come back.
	constructor(patience = 1) {
		this.patience = patience;
	}

	say(text) {
		const seconds = ((Date.now() - this.start) / 1000).toFixed(1);
		console.log(`${seconds.padStart(7)} s  ${text}`);
	}

	check(ok, what, why = '') {
		if (ok)
			this.passed++;
		else
			this.failed++;
		console.log(`${ok ? 'ok     ' : 'FAILED '} ${what}${
			!ok && why ? `\n        ${why}` : ''}`);
	}

	// A check that is passed if it doesn't throw; its value, if it has one,
	// is put behind what.
	async attempt(what, action) {
		try {
			const value = await action();
			this.check(true, value === undefined ? what :
				`${what} (${value})`);
			return value;
		} catch (error) {
			this.check(false, what, error.message);
			return undefined;
		}
	}

	async begin() {
		this.rig = await Rig.start();
		this.rig.patience = this.patience;
		await this.#calibrate();
	}

	// What is to be the same after each fault.
	async #calibrate() {
		const { rig } = this;
		const traffic = new Traffic(rig, new Random(1), [0, 503]).start();
		for (let i = 0; i < 40; i++)
			await rig.get('/readyz');
		await sleep(500);
		await traffic.stop();
		rig.agent.destroy();
		await sleep(300);
		this.idle = rig.descriptors();
		this.connections = await rig.proxy.count();
	}

	async end() {
		await this.attempt('all rows are those of the journal: ' +
			'stripehookctl rebuild --check', async () => {
			const { code, stdout, stderr } =
				await this.rig.ctl(['rebuild', '--check']);
			if (code !== 0)
				throw new Error(stdout + stderr);
		});
		const { left } = await this.rig.stop();
		this.check(left.length === 0, 'nothing is left running',
			JSON.stringify(left));
	}

	async play(fault, seed) {
		const { rig } = this;
		const key = `${seed} ${fault.name}`;
		const times = this.plays.get(key) ?? 0;
		this.plays.set(key, times + 1);
		const random = new Random(seedOf(seed, fault.name, times));
		const before = rig.processes();
		const traffic = new Traffic(rig, random,
			[0, 503, ...fault.answers ?? []]).start();
		const name = (what) => `${fault.name}: ${what}`;
		const context = { rig, random, traffic, load: traffic.load,
			say: (text) => this.say(name(text)) };
		await sleep(random.int(200, 500));
		let played = false;
		await this.attempt(name('played'), async () => {
			await fault.run(context);
			played = true;
		});
		if (!played)
			this.say(`troubles in the log end with:\n        ${
				troubles(rig.log())}`);
		let back;
		const within = fault.back * this.patience;
		await this.attempt(name(`service is back within ${within} ms`),
			async () => `${back = await rig.back(fault.back)} ms`);
		await sleep(300);
		await until(() => traffic.load.acked.size >= EVENTS_MIN &&
			traffic.watchers.seen > 0, 'traffic').catch(() => {});
		await this.attempt(name('refused events are taken, rows are right'),
			() => traffic.stop());
		await this.#ledger(fault, traffic, name);
		await this.#tidy(fault, before, name);
		this.#note(fault, back);
	}

	#note(fault, back = Infinity) {
		const { times = 0, worst = 0 } = this.table.get(fault.name) ?? {};
		this.table.set(fault.name, { fault, times: times + 1,
			worst: Math.max(worst, back) });
	}

	async #ledger({ answers = [], slowest }, traffic, name) {
		const { load } = traffic;
		const problems = await traffic.audit();
		this.check(problems.length === 0 && load.acked.size >= EVENTS_MIN,
			name(`${load.acked.size} events answered 2xx are stored, once, ` +
				'byte for byte'), listed(problems));
		const allowed = new Set([200, ...answers]);
		this.check([...load.statuses.keys()].every((s) => allowed.has(s)),
			name(`no other answer than ${[...allowed].join(', ')} (${
				traffic.answers})`));
		const { seen, problems: unseen } = traffic.watchers;
		this.check(unseen.length === 0 && seen > 0,
			name(`what was answered 2xx is seen by front ends (${seen})`),
			listed(unseen));
		this.check(load.withoutRetryAfter === 0,
			name('503 says when to come again'));
		if (slowest !== undefined)
			this.check(load.slowest <= slowest,
				name(`no answer took more than ${slowest} ms (${
					Math.round(load.slowest)} ms)`));
	}

	async #tidy({ keeps = [] }, before, name) {
		const { rig } = this;
		rig.agent.destroy();
		for (const role of keeps)
			this.check(String(rig.processes().get(role)) ===
				String(before.get(role)), name(`no ${role} worker died`));
		await this.#same(name('as many processes as before'), () => {
			const now = rig.processes();
			return [...before].filter(([role, list]) =>
				now.get(role).length !== list.length).map(([role, list]) =>
				`${role}: ${now.get(role).length}, before ${list.length}`);
		});
		await this.#same(name('no zombie'), () => rig.zombies());
		await this.#same(name('no more descriptors than before'), async () => [
			...this.#descriptors(), ...this.#sockets(),
			...await this.#connections()]);
	}

	// A check that differences() comes to be empty.
	#same(what, differences) {
		let list;
		return this.attempt(what, () =>
			until(async () => (list = await differences()).length === 0,
				what, TIDY_MS).then(() => undefined, () => {
				throw new Error(listed(list));
			}));
	}

	// Workers are not to be looked into by who isn't root.
	#descriptors() {
		const now = this.rig.descriptors();
		return [...this.idle].filter(([role, n]) => role !== 'mariadbd' &&
			n !== undefined && now.get(role) > n)
			.map(([role, n]) => `${role}: ${now.get(role)}, before ${n}`);
	}

	// Connections of nginx that a worker still holds bear the socket's name.
	#sockets() {
		const names = fs.readFileSync('/proc/net/unix', 'utf8').split('\n')
			.map((line) => line.split(/\s+/)[7]);
		return ['ingest.sock', 'status.sock'].flatMap((socket) => {
			const file = path.join(this.rig.state, 'run', socket);
			// It is bound under another name, and then renamed.
			const n = names.filter((one) => one === file ||
				one === `${file}.new`).length;
			return n > 1 ? [`${n - 1} open connections on ${socket}`] : [];
		});
	}

	async #connections() {
		const n = await this.rig.proxy.count();
		return n > this.connections ? [`${n} connections to the database, ` +
			`before ${this.connections}`] : [];
	}
}
