// A private stripehook, as scripts/run starts it, in a directory of its own;
// and its end, whatever becomes of the test.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { copyEmpty } from './database.mjs';
import { ROOT, now, print, sign } from './events.mjs';
import { WEBHOOK, request, stripeHeaders } from './http.mjs';
import {
	alive, children, leftBehind, processName, signal, until,
} from './processes.mjs';
import { query } from './sql.mjs';

export const SECRET = 'whsec_integration_4mV0w8uXqT2yZkPd';
export const STATUS_KEY = 'integration-status-key-0123456789abcdef';
export const PUBLISHABLE_KEY = 'pk_test_integration';

// It may have to build first; and the database may have much to write.
const START_MS = 900000;
export const STOP_MS = 180000;

const isFree = (port) => new Promise((resolve) => {
	const server = net.createServer();
	server.on('error', () => resolve(false));
	server.listen(port, () => server.close(() => resolve(true)));
});

// Ports that nobody takes before the server that they are for: below those that
// the system gives to connections, none twice, and others than what runs at the
// same time has (see scripts/test).
const PORTS = 4000;
const FIRST_PORT = 10000 + PORTS * Number(process.env.STRIPEHOOK_TEST_LANE ?? 0);
let portAt = Math.floor(Math.random() * PORTS);
export async function freePort() {
	for (;;) {
		const port = FIRST_PORT + portAt++ % PORTS;
		if (await isFree(port))
			return port;
	}
}

// This shell's own settings must not reach the server under test, nor those
// of the checkout's .env.
function cleanEnvironment() {
	const env = {};
	for (const [key, value] of Object.entries(process.env))
		if (!/^(STRIPE|NODE_TEST)/.test(key))
			env[key] = value;
	const file = path.join(ROOT, '.env');
	if (fs.existsSync(file))
		for (const [, key] of fs.readFileSync(file, 'utf8')
			.matchAll(/^\s*(?:export\s+)?(STRIPE\w*)\s*=/gm))
			env[key] = '';
	return env;
}

// Programs are built once for all tests: see scripts/test.
export const BUILD = process.env.STRIPEHOOK_TEST_BUILD ??
	path.join(ROOT, 'var/build');

export const running = new Set();
process.on('exit', () => {
	for (const server of running)
		server.abandon();
});
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(name, () => process.exit(1));

export class Server {
	// env: further settings. root: another checkout. build: other programs.
	static async start({ env = {}, root = ROOT, build = BUILD } = {}) {
		const server = new this();
		server.root = root;
		server.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-test-'));
		server.state = path.join(server.dir, 'state');
		server.logFile = path.join(server.dir, 'webhooks.log');
		server.httpPort = await freePort();
		server.httpsPort = await freePort();
		server.base = `http://127.0.0.1:${server.httpPort}`;
		server.secureBase = `https://127.0.0.1:${server.httpsPort}`;
		server.secret = env.STRIPE_WEBHOOK_SECRET ?? SECRET;
		server.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
		server.secureAgent = new https.Agent({ keepAlive: true,
			rejectUnauthorized: false });
		server.env = {
			...cleanEnvironment(),
			STRIPEHOOK_STATE_DIR: server.state,
			STRIPEHOOK_HTTP_PORT: String(server.httpPort),
			STRIPEHOOK_HTTPS_PORT: String(server.httpsPort),
			STRIPEHOOK_LOG_FILE: server.logFile,
			STRIPEHOOK_STATUS_KEY: STATUS_KEY,
			STRIPE_WEBHOOK_SECRET: SECRET,
			STRIPE_PUBLISHABLE_KEY: PUBLISHABLE_KEY,
			...env,
		};
		for (const [key, value] of Object.entries(env))
			if (value === undefined)
				delete server.env[key];
		fs.mkdirSync(server.state, { mode: 0o700 });
		if (build)
			fs.symlinkSync(build, path.join(server.state, 'build'));
		server.build = build ?? path.join(server.state, 'build');
		// Another checkout makes its own, as a user's first run does.
		if (root === ROOT && env.STRIPEHOOK_DB_HOST === undefined)
			await copyEmpty(path.join(server.state, 'mariadb'));
		await server.launch();
		return server;
	}

	async launch() {
		this.output = '';
		// If this process is killed, the servers go too.
		this.process = spawn('setpriv', ['--pdeathsig', 'TERM',
			path.join(this.root, 'scripts/run')],
		{ cwd: this.root, env: this.env, detached: true,
			stdio: ['ignore', 'pipe', 'pipe'] });
		running.add(this);
		const collect = (data) => {
			this.output += data;
		};
		this.process.stdout.on('data', collect);
		this.process.stderr.on('data', collect);
		this.ended = new Promise((resolve) => {
			this.process.on('close', (code, signal) =>
				resolve({ code, signal }));
		});
		let ended = false;
		this.ended.then(() => {
			ended = true;
		});
		await until(() => ended || /^ready/m.test(this.output), 'ready',
			START_MS).catch(() => {});
		if (!ended && /^ready/m.test(this.output))
			return;
		await this.stop();
		throw new Error(`scripts/run did not get ready:\n${this.output}`);
	}

	pid(name) {
		const file = path.join(this.state, `${name}.pid`);
		return Number(fs.readFileSync(file, 'utf8'));
	}

	get master() {
		return this.pid('stripehookd');
	}

	// Process ids of a pool's workers, "ingest" or "status".
	workers(pool = 'ingest') {
		return children(this.master)
			.filter((pid) => processName(pid).startsWith(`sh-${pool}-`));
	}

	get socket() {
		return path.join(this.state, 'run/mariadb.sock');
	}

	// What it takes for the time, unix seconds.
	clock() {
		return now();
	}

	// Delivers an event, an object or a body, as Stripe would.
	async deliver(event, { secret = this.secret, signature, headers = {},
		url = this.base + WEBHOOK, agent, timeout } = {}) {
		const body = typeof event === 'string' || Buffer.isBuffer(event) ?
			event : print(event);
		return request(url, {
			method: 'POST', body, timeout,
			agent: agent ?? (url.startsWith('https:') ?
				this.secureAgent : this.agent),
			headers: { ...stripeHeaders(body,
				signature === undefined ? sign(body, secret, this.clock()) :
					signature ?? undefined), ...headers },
		});
	}

	get(route, options = {}) {
		return request(this.base + route, { agent: this.agent, ...options });
	}

	// Runs SQL as the database's owner; returns rows of named texts, NULL as
	// null.
	async sql(text, options) {
		const { rows, names } = await query(this.socket, text,
			{ database: 'stripehook', ...options });
		return rows.map((row) => Object.fromEntries(
			row.map((value, i) => [names[i], value])));
	}

	// The first row's first value.
	async value(text, options) {
		const [row] = await this.sql(text, options);
		return row === undefined ? undefined : Object.values(row)[0];
	}

	async count(table, where = '1') {
		return Number(await this.value(
			`SELECT COUNT(*) FROM ${table} WHERE ${where}`));
	}

	// The stored event, payload as a buffer.
	async event(id) {
		const [row] = await this.sql('SELECT stripe_event_id, event_type, ' +
			'object_id, status, error, account, livemode, api_version, ' +
			'deliveries, HEX(payload) AS payload FROM webhook_events ' +
			`WHERE stripe_event_id = '${id}'`);
		if (row?.payload != null)
			row.payload = Buffer.from(row.payload, 'hex');
		return row;
	}

	// What the daemon reads: the development settings and .env.
	get configArguments() {
		const files = [path.join(this.state, 'run.env')];
		if (fs.existsSync(path.join(this.root, '.env')))
			files.push(path.join(this.root, '.env'));
		return files.flatMap((file) => ['-c', file]);
	}

	ctl(args, options = {}) {
		return run(path.join(this.build, 'stripehookctl'),
			[...this.configArguments, ...args],
			{ env: this.env, cwd: this.root, ...options });
	}

	log() {
		return fs.existsSync(this.logFile) ?
			fs.readFileSync(this.logFile, 'utf8') : '';
	}

	// Lines of nginx's error log.
	webErrors(pattern) {
		return fs.readFileSync(path.join(this.state, 'nginx/error.log'),
			'utf8').split('\n').filter((line) => pattern.test(line));
	}

	async metrics() {
		const { text } = await this.get('/metrics');
		return parseMetrics(text);
	}

	async ready(ms) {
		await until(() => this.get('/readyz')
			.then(({ status }) => status === 200, () => false), '/readyz', ms);
	}

	// Ctrl-C in a terminal reaches scripts/run; 'SIGTERM' likewise. Returns
	// what was left of it, which must be nothing, and ends that.
	async stop(name = 'SIGTERM') {
		this.stopped = true;
		this.agent.destroy();
		this.secureAgent.destroy();
		signal(this.process.pid, name);
		const timer = setTimeout(() => signal(this.process.pid, 'SIGKILL'),
			STOP_MS);
		const end = await this.ended;
		clearTimeout(timer);
		const left = await leftBehind(this.dir);
		for (const { pid } of left)
			signal(pid, 'SIGKILL');
		running.delete(this);
		if (!process.env.STRIPEHOOK_TEST_KEEP && fs.existsSync(this.dir))
			fs.rmSync(this.dir, { recursive: true, force: true });
		return { end, left };
	}

	// On the way out nothing can be waited for.
	abandon() {
		if (alive(this.process.pid))
			signal(this.process.pid, 'SIGTERM');
	}
}

// Runs a program to its end.
export function run(program, args, { env, cwd, input } = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { env, cwd,
			stdio: ['pipe', 'pipe', 'pipe'] });
		let stdout = '';
		let stderr = '';
		child.stdout.setEncoding('utf8').on('data', (text) => {
			stdout += text;
		});
		child.stderr.setEncoding('utf8').on('data', (text) => {
			stderr += text;
		});
		child.stdin.on('error', () => {});
		child.stdin.end(input ?? '');
		child.on('error', reject);
		child.on('close', (code) => resolve({ code, stdout, stderr }));
	});
}

export const runSync = (program, args, options) =>
	spawnSync(program, args, { encoding: 'utf8', ...options });

// Prometheus' text format, strictly: name{labels} -> number.
export function parseMetrics(text) {
	const values = new Map();
	const types = new Map();
	for (const line of text.split('\n')) {
		let match;
		if (line === '' || line.startsWith('# HELP '))
			continue;
		if ((match = /^# TYPE ([a-z_:]+) (counter|gauge|histogram)$/
			.exec(line)) !== null) {
			if (types.has(match[1]))
				throw new Error(`two TYPE lines: ${line}`);
			types.set(match[1], match[2]);
			continue;
		}
		match = /^([a-z_:]+)(\{[a-z_]+="[^"\\]*"(?:,[a-z_]+="[^"\\]*")*\})? (-?[0-9.e+]+|\+Inf|NaN)$/
			.exec(line);
		if (match === null)
			throw new Error(`not a metric: ${line}`);
		const family = match[1].replace(/_(bucket|sum|count)$/, '');
		if (!types.has(match[1]) && types.get(family) !== 'histogram')
			throw new Error(`no TYPE before: ${line}`);
		const key = match[1] + (match[2] ?? '');
		if (values.has(key))
			throw new Error(`twice: ${key}`);
		values.set(key, Number(match[3]));
	}
	return values;
}

// The sum of all series of a name that have these labels.
export function metric(values, name, ...labels) {
	let sum = 0;
	for (const [key, value] of values)
		if ((key === name || key.startsWith(`${name}{`)) &&
			labels.every((label) => key.includes(label)))
			sum += value;
	return sum;
}
