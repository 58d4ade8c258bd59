// Programs that the bench starts and stops, and what /proc tells about them.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import {
	alive, children, signal, sleep, until,
} from '../../integration/lib/processes.mjs';

const STOP_MS = 20000;
const TICKS = 100;		// USER_HZ: the unit of /proc/PID/stat

const started = [];
let ending = false;

// Settings of whoever calls must not reach what is measured.
function cleanEnvironment() {
	return Object.fromEntries(Object.entries(process.env)
		.filter(([key]) => !/^(STRIPE|NODE_TEST)/.test(key)));
}

// In the background, output to a file; ended by the kernel if this one is.
export function start(name, command, { env = {}, cwd, log }) {
	if (ending)
		throw new Error('interrupted');
	const out = fs.openSync(log, 'a');
	const child = spawn('setpriv', ['--pdeathsig', 'TERM', ...command],
		{ cwd, env: { ...cleanEnvironment(), ...env }, detached: true,
			stdio: ['ignore', out, out] });
	fs.closeSync(out);
	const server = { name, pid: child.pid, log, ended: false };
	child.on('exit', () => {
		server.ended = true;
	});
	started.push(server);
	return server;
}

// For a while, its output to read; with all that it starts itself.
const jobs = new Set();
export function job(command, { env = {}, cwd, stderr = 'inherit' } = {}) {
	if (ending)
		throw new Error('interrupted');
	const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command],
		{ env: { ...cleanEnvironment(), ...env }, cwd, detached: true,
			stdio: ['ignore', 'pipe', stderr] });
	jobs.add(child);
	child.closed = new Promise((resolve) => {
		child.on('close', resolve);
	}).finally(() => jobs.delete(child));
	return child;
}

// To its end; what it printed.
export async function run(command, { timeout, ...options } = {}) {
	const child = job(command, { ...options, stderr: 'pipe' });
	const out = { stdout: '', stderr: '' };
	for (const name of ['stdout', 'stderr'])
		child[name].setEncoding('utf8').on('data', (text) => {
			out[name] += text;
		});
	const timer = timeout && setTimeout(() => endJob(child), timeout);
	const code = await child.closed;
	clearTimeout(timer);
	if (code !== 0)
		throw new Error(`${command.join(' ').slice(0, 300)}: ` +
			`${out.stderr.trim() || code}`);
	return out.stdout;
}

function endJob(child) {
	signal(-child.pid, 'SIGKILL');
	return child.closed;
}

// A function of scripts/servers.sh.
export const shell = (bench, name, ...args) =>
	run(['bash', '-c', `source scripts/lib.sh; ${name} "$@"`, '-', ...args],
		{ cwd: bench.root });

export async function stop(server, name = 'SIGTERM') {
	const at = started.indexOf(server);
	if (at >= 0)
		started.splice(at, 1);
	const all = tree(server.pid);
	if (server.ended)
		return;
	signal(server.pid, name);
	await until(() => server.ended, `end of ${server.name}`, STOP_MS)
		.catch(() => all.forEach((pid) => signal(pid, 'SIGKILL')));
	// Workers whose master is gone.
	for (const pid of all)
		if (alive(pid))
			await until(() => !alive(pid), 'end', 3000)
				.catch(() => signal(pid, 'SIGKILL'));
}

export async function stopAll() {
	ending = true;
	await Promise.all([...jobs].map(endJob));
	while (started.length > 0)
		await stop(started.at(-1));
}

// On the way out nothing can be waited for.
process.on('exit', () => {
	for (const { pid, ended } of started)
		if (!ended)
			signal(pid, 'SIGTERM');
});

export async function answers(server, condition, ms = 60000) {
	await until(() => server.ended || condition(), server.name, ms)
		.catch(() => {});
	if (server.ended || !await condition()) {
		const tail = fs.readFileSync(server.log, 'utf8').split('\n').slice(-15);
		throw new Error(`${server.name} did not start:\n${tail.join('\n')}`);
	}
}

// Below those that the kernel gives to outgoing connections.
let port = 20000 + Math.floor(Math.random() * 8000);
export async function freePort() {
	while (await listens(++port)) { /* another's */ }
	return port;
}

// Whether somebody listens on a unix socket or a port.
export const listens = (where) => new Promise((resolve) => {
	const socket = net.connect(typeof where === 'number' ?
		{ port: where, host: '127.0.0.1' } : { path: where });
	socket.on('connect', () => {
		socket.destroy();
		resolve(true);
	});
	socket.on('error', () => resolve(false));
});

// A process and all below it.
export function tree(pid) {
	return alive(pid) ? [pid, ...children(pid).flatMap(tree)] : [];
}

// Seconds of processor that these have used, theirs and the kernel's.
export function cpuSeconds(pids) {
	let ticks = 0;
	for (const pid of pids) {
		let text;
		try {
			text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
		} catch {
			continue;
		}
		const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
		ticks += Number(fields[11]) + Number(fields[12]);
	}
	return ticks / TICKS;
}

function statusValue(pid, name) {
	try {
		const text = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
		return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
	} catch {
		return 0;
	}
}

// Megabytes that each had resident at most; and have now.
export const peakMemory = (pids) =>
	pids.map((pid) => (statusValue(pid, 'VmHWM') || 0) / 1024);
export const memoryNow = (pids) =>
	pids.map((pid) => (statusValue(pid, 'VmRSS') || 0) / 1024);

export function resetPeakMemory(pids) {
	for (const pid of pids)
		fs.writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

export { signal, sleep };
