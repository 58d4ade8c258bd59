// The servers of a chaos run: MariaDB behind a proxy that can be told to
// misbehave, stripehookd and nginx, each started again when it ends.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, makePayment, now } from '../integration/lib/events.mjs';
import {
	alive, children, descriptors, leftBehind, processName, signal, until,
	zombies,
} from '../integration/lib/processes.mjs';
import { STOP_MS, Server, freePort, run, running } from
	'../integration/lib/server.mjs';
import { answers } from '../integration/lib/sql.mjs';
import { ProxyThread } from './proxy.mjs';

const NAMES = ['nginx', 'stripehookd', 'mariadbd'];		// in the order of their end
const SERVE = path.join(ROOT, 'tests/chaos/serve');

// Compiled beside the programs: see scripts/chaos.
const TOOLS = process.env.CHAOS_TOOLS;

export class Rig extends Server {
	services = new Map();
	shift = 0;		// of stripehookd's clock, seconds
	patience = 1;

	async launch() {
		running.add(this);
		try {
			await this.#launch();
		} catch (error) {
			const log = fs.readFileSync(this.serveLog, 'utf8');
			await this.stop();
			throw new Error(`${error.message}\n${log}`);
		}
	}

	async #launch() {
		this.serveLog = path.join(this.state, 'serve.log');
		fs.writeFileSync(this.serveLog, '');
		this.programs = fs.realpathSync(this.build);
		this.build = path.join(this.state, 'build');
		fs.unlinkSync(this.build);
		for (const dir of ['build', 'run'])
			fs.mkdirSync(path.join(this.state, dir), { mode: 0o700 });
		this.install();
		fs.symlinkSync(path.join(this.programs, 'stripehookctl'),
			path.join(this.build, 'stripehookctl'));
		const port = await freePort();
		fs.writeFileSync(path.join(this.state, 'run.env'),
			this.#settings(port), { mode: 0o600 });
		this.serve('mariadbd');
		await until(() => answers(this.socket), 'MariaDB');
		this.proxy = await ProxyThread.start({ port, socket: this.socket });
		const { code, stderr } = await this.ctl(['migrate']);
		if (code !== 0)
			throw new Error(`stripehookctl migrate: ${stderr}`);
		this.serve('stripehookd');
		this.serve('nginx');
		await this.ready();
	}

	#settings(port) {
		const file = (name) => path.join(this.state, 'run', name);
		const password = () => crypto.randomBytes(16).toString('hex');
		return Object.entries({
			INGEST_SOCKET: file('ingest.sock'),
			STATUS_SOCKET: file('status.sock'),
			SCOREBOARD: file('scoreboard'),
			DB_HOST: '127.0.0.1',
			DB_PORT: port,
			OWNER_DB_USER: 'root',
			DB_PASSWORD: password(),
			STATUS_DB_PASSWORD: password(),
		}).map(([key, value]) => `STRIPEHOOK_${key}="${value}"\n`).join('');
	}

	// The daemon's program anew, as an upgrade does it.
	install() {
		const file = path.join(this.build, 'stripehookd');
		fs.copyFileSync(path.join(this.programs, 'stripehookd'),
			`${file}.new`);
		fs.renameSync(`${file}.new`, file);
	}

	// Starts a server under supervision. kept: its sockets are held for it,
	// as by a socket unit; clock: its time of day is the rig's.
	serve(name, { kept = false, clock = false } = {}) {
		const env = { ...this.env };
		const command = ['setpriv', '--pdeathsig', 'TERM'];
		if (kept) {
			env.CHAOS_KEPT = '1';
			command.push(path.join(TOOLS, 'hold'),
				path.join(this.state, 'run/ingest.sock'),
				path.join(this.state, 'run/status.sock'), '--');
		}
		if (clock) {
			env.CHAOS_CLOCK = path.join(this.state, 'clock');
			env.CHAOS_PRELOAD = path.join(TOOLS, 'clock.so');
			this.setClock(0);
		}
		const log = fs.openSync(this.serveLog, 'a');
		const child = spawn(command[0], [...command.slice(1), SERVE, name],
			{ env, cwd: this.root, detached: true,
				stdio: ['ignore', log, log] });
		fs.closeSync(log);
		const ended = new Promise((resolve) => {
			child.on('close', resolve);
		});
		this.services.set(name, { child, ended });
	}

	async end(name) {
		const { child, ended } = this.services.get(name);
		this.services.delete(name);
		signal(child.pid, 'SIGTERM');
		const timer = setTimeout(() => signal(child.pid, 'SIGKILL'), STOP_MS);
		await ended;
		clearTimeout(timer);
	}

	// Ends the daemon in an orderly way and starts it in another way.
	async restart(options) {
		await this.end('stripehookd');
		this.serve('stripehookd', options);
		await until(() => this.find('stripehookd') !== undefined,
			'stripehookd');
	}

	clock() {
		return now() + this.shift;
	}

	setClock(shift) {
		const value = Buffer.alloc(8);
		value.writeBigInt64LE(BigInt(shift) * 1000000000n);
		const file = fs.openSync(path.join(this.state, 'clock'),
			fs.constants.O_WRONLY | fs.constants.O_CREAT);
		fs.writeSync(file, value, 0, value.length, 0);
		fs.closeSync(file);
		this.shift = shift;
	}

	// The server's process, undefined while there is none.
	find(name) {
		try {
			const pid = this.pid(name);
			return processName(pid) === name && alive(pid) ? pid : undefined;
		} catch {
			return undefined;
		}
	}

	// All processes by what they are: role -> process ids.
	processes() {
		const roles = new Map();
		const master = this.find('stripehookd');
		const web = this.find('nginx');
		roles.set('mariadbd', [this.find('mariadbd')]);
		roles.set('master', [master]);
		roles.set('nginx', [web]);
		for (const pool of ['ingest', 'status'])
			roles.set(pool, master === undefined ? [] : this.workers(pool));
		roles.set('nginx worker', web === undefined ? [] : children(web));
		for (const [role, list] of roles)
			roles.set(role, list.filter((pid) => pid !== undefined));
		return roles;
	}

	zombies() {
		return zombies([...[...this.processes().values()].flat(),
			...[...this.services.values()].map(({ child }) => child.pid)]);
	}

	// role -> the most descriptors that one of its processes has open.
	descriptors() {
		return new Map([...this.processes()].map(([role, list]) => [role,
			list.map(descriptors).reduce((most, n) =>
				n === undefined || most === undefined ? undefined :
					Math.max(most, n), 0)]));
	}

	// Milliseconds until a delivery is taken; so many are stated.
	async back(ms) {
		const start = Date.now();
		await until(() => this.deliver(makePayment(),
			{ agent: false, timeout: 3000 * this.patience })
			.then(({ status }) => status === 200, () => false), 'service',
		ms * this.patience);
		return Date.now() - start;
	}

	async stop() {
		this.stopped = true;
		this.agent.destroy();
		this.secureAgent.destroy();
		for (const name of NAMES)
			if (this.services.has(name))
				await this.end(name);
		await this.proxy?.close();
		const left = await leftBehind(this.dir);
		for (const { pid } of left)
			signal(pid, 'SIGKILL');
		running.delete(this);
		if (!process.env.STRIPEHOOK_TEST_KEEP)
			fs.rmSync(this.dir, { recursive: true, force: true });
		return { left };
	}

	abandon() {
		for (const { child } of this.services.values())
			signal(child.pid, 'SIGTERM');
	}
}

// A soft limit of a process: 'nofile', 'as', ...; 'hard': as much as may be.
export async function limit(what, pid, soft) {
	const prlimit = async (...args) => {
		const { code, stdout, stderr } = await run('prlimit',
			[`--pid=${pid}`, ...args]);
		if (code !== 0)
			throw new Error(`prlimit: ${stderr.trim()}`);
		return stdout.trim();
	};
	const value = soft === 'hard' ? await prlimit(`--${what}`, '--raw',
		'--noheadings', '--output=HARD') : soft;
	await prlimit(`--${what}=${value}:`);
}
