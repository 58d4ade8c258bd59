// top: what the server is doing, live on a terminal, once as a table, as JSON.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeEvent, newId } from './lib/events.mjs';
import { signal, until } from './lib/processes.mjs';
import { Server } from './lib/server.mjs';

let server;
before(async () => {
	server = await Server.start();
});
after(async () => {
	const { left } = await server?.stop() ?? { left: [] };
	assert.deepEqual(left, [], 'nothing is left running');
});

const payment = () => makeEvent('payment_intent.created', {
	id: newId('pi'), object: 'payment_intent', amount: 100, currency: 'usd',
	status: 'requires_payment_method', created: 1700000000 });

// Delivers, ten a time, while something else goes on; returns how many.
async function during(work) {
	let sent = 0;
	let done = false;
	const result = work().finally(() => {
		done = true;
	});
	while (!done) {
		await Promise.all(Array.from({ length: 10 }, () =>
			server.deliver(payment())));
		sent += 10;
	}
	return { sent, result: await result };
}

const top = (...args) => server.ctl(['top', ...args]);

async function json() {
	const { code, stdout, stderr } = await top('--json');
	assert.equal(code, 0, stderr);
	assert.equal(stderr, '');
	assert.equal(stdout.split('\n').length, 2, 'one line');
	return JSON.parse(stdout);
}

test('nothing happens: zeros and nulls', async () => {
	const seen = await json();
	assert.equal(seen.pools.ingest.requests_per_second, 0);
	assert.equal(seen.pools.ingest.p99_ms, null);
	assert.equal(seen.batches.events, null);
	assert.equal(seen.last_verified, null);
	assert.equal(seen.worker_deaths, 0);
	assert.deepEqual(seen.outcomes.filter(({ pool }) => pool === 'ingest'), []);
});

test('rates, latency, batches, outcomes', async () => {
	const { sent, result: seen } = await during(json);
	const { ingest } = seen.pools;
	assert.ok(seen.seconds >= 1 && seen.seconds < 60, `${seen.seconds} s`);
	assert.ok(Math.abs(Date.parse(seen.at) - Date.now()) < 60000, seen.at);
	assert.ok(ingest.requests_per_second > 0 && ingest.requests_per_second *
		seen.seconds <= sent, `${ingest.requests_per_second}/s of ${sent}`);
	assert.ok(ingest.p50_ms > 0 && ingest.p50_ms <= ingest.p99_ms);
	assert.ok(seen.batches.per_second > 0 && seen.batches.events >= 1);
	assert.ok(seen.batches.commit_p50_ms > 0 &&
		seen.batches.commit_p50_ms <= seen.batches.commit_p99_ms);
	assert.equal(seen.batches.failures_per_second, 0);
	assert.equal(seen.database_connections, ingest.workers);
	for (const time of [seen.last_verified, seen.last_stored])
		assert.ok(Date.now() - Date.parse(time) < 60000, time);

	const twice = payment();
	await server.deliver(twice);
	await server.deliver(twice);
	await server.deliver(payment(), { secret: 'whsec_wrong' });
	const { outcomes } = await json();
	assert.deepEqual(outcomes.filter(({ pool }) => pool === 'ingest'), [
		['processed', 200, sent + 1], ['duplicate', 200, 1],
		['mismatch', 400, 1],
	].map(([outcome, status, total]) => ({ pool: 'ingest', outcome, status,
		per_second: 0, total })));
});

test('each worker, and its restarts', async () => {
	const [victim] = server.workers('ingest');
	const { workers } = await json();
	for (const pool of ['ingest', 'status'])
		assert.deepEqual(workers.filter((one) => one.pool === pool)
			.map(({ pid }) => pid).sort(), server.workers(pool).sort());
	assert.ok(workers.every(({ ready, restarts, silent_ms: silent }) => ready &&
		restarts === 0 && silent < 25000), JSON.stringify(workers));
	signal(victim, 'SIGKILL');
	const after = await until(async () => {
		const seen = await json();
		return seen.pools.ingest.ready === seen.pools.ingest.workers &&
			seen.worker_deaths === 1 && seen;
	}, 'a new worker');
	const { worker } = workers.find(({ pid }) => pid === victim);
	assert.deepEqual(after.workers.filter(({ restarts }) => restarts > 0)
		.map((one) => [one.worker, one.pid !== victim]), [[worker, true]]);
});

test('one table', async () => {
	const { result: { code, stdout, stderr } } =
		await during(() => top('--once'));
	assert.equal(code, 0, stderr);
	assert.match(stdout, /^stripehook up 00:\d\d:\d\d, /);
	assert.match(stdout,
		/^ingest +[1-9][\d.]* +[\d.]+ [mu]?s +[\d.]+ [mu]?s +\d+ +\d+ /m);
	assert.match(stdout, /^status +/m);
	assert.match(stdout, /^batches +[1-9][\d.]*\/s, [\d.]+ events each; /m);
	assert.match(stdout, /^last +verified \d+ s ago, stored \d+ s ago$/m);
	assert.match(stdout, /^ingest +processed +200 +[1-9]/m);
	for (const pid of [...server.workers('ingest'),
		...server.workers('status')])
		assert.match(stdout, new RegExp(`^\\d+ +(ingest|status) +${pid} `, 'm'));
	assert.doesNotMatch(stdout, /\x1b/);
	// So it is without --once where there is no terminal.
	const plain = await top();
	assert.equal(plain.code, 0);
	assert.doesNotMatch(plain.stdout, /\x1b/);
});

// Runs it on a terminal of its own; keys as soon as enough was shown. Returns
// what came, the terminal's settings before and after among it.
async function onTerminal(enough, keys) {
	const quoted = [path.join(server.build, 'stripehookctl'),
		...server.configArguments, 'top'].map((word) => `'${word}'`).join(' ');
	const child = spawn('script', ['-qec', 'trap : INT; ' +
		`stty rows 40 cols 100; stty -g; ${quoted}; echo "exit $?"; stty -g`,
	'/dev/null'],
	{ env: { ...server.env, TERM: 'xterm', SHELL: '/bin/sh' } });
	let output = '';
	child.stdout.setEncoding('latin1').on('data', (text) => {
		output += text;
	});
	const closed = new Promise((resolve) => {
		child.on('close', resolve);
	});
	try {
		await until(() => enough(output), 'the live view');
		child.stdin.write(keys);
		await closed;
	} finally {
		signal(child.pid, 'SIGTERM');
	}
	return output.split('\r\n');
}

const frames = (output) => output.split('\x1b[H').length - 1;

for (const [name, keys] of [['q', 'q'], ['Ctrl-C', '\x03']])
	test(`live on a terminal, until ${name}`, async () => {
		const lines = await onTerminal((output) => frames(output) >= 3, keys);
		const output = lines.join('\n');
		assert.equal(lines.at(-2), lines[0], 'the terminal is as it was');
		assert.match(lines.at(-3), /exit 0$/);
		assert.match(output, /\x1b\[\?1049h\x1b\[\?25l\x1b\[Hstripehook up/);
		assert.match(output, /\x1b\[\?25h\x1b\[\?1049lexit 0/);
		assert.match(output, /ingest +\d/);
	});

test('a new master has a new scoreboard', async () => {
	const old = server.master;
	let killed = false;
	const lines = await onTerminal((output) => {
		if (!killed && frames(output) >= 2) {
			signal(old, 'SIGKILL');
			killed = true;
		}
		const last = output.slice(output.lastIndexOf('\x1b[H'));
		return killed && server.master !== old &&
			server.workers('ingest').some((pid) => last.includes(` ${pid} `));
	}, 'q');
	assert.match(lines.at(-3), /exit 0$/);
	await server.ready();
});

test('what there is not is said, with what to do', async () => {
	const other = path.join(server.dir, 'other');
	fs.writeFileSync(other, 'no scoreboard');
	for (const [file, pattern] of [
		[path.join(server.dir, 'none'), /none: No such file[^]*is stripehookd running/],
		[other, /other: written by another version\n[^]*restart/],
	])
		for (const args of [[], ['--json'], ['--once']]) {
			const { code, stdout, stderr } = await server.ctl(['top', ...args],
				{ env: { ...server.env, STRIPEHOOK_SCOREBOARD: file } });
			assert.equal(code, 3);
			assert.equal(stdout, '');
			assert.match(stderr, pattern);
		}
	for (const args of [['--no-such'], ['argument']]) {
		const { code, stderr } = await top(...args);
		assert.equal(code, 2);
		assert.match(stderr, /usage/);
	}
});
