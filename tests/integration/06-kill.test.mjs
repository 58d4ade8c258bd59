// Load, and meanwhile somebody kills: what was answered 2xx is stored, once,
// and service comes back by itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { makePayment } from './lib/events.mjs';
import { Load } from './lib/load.mjs';
import {
	alive, children, processName, signal, sleep, until,
} from './lib/processes.mjs';
import { median } from './lib/ranks.mjs';
import { Server } from './lib/server.mjs';

let server;
const begin = async (options) => {
	server = await Server.start(options);
};
afterEach(async () => {
	const stopping = server;
	server = undefined;
	const { left } = await stopping?.stop() ?? { left: [] };
	assert.deepEqual(left, [], 'nothing is left running');
});

const newWorkers = (old, n, pool) => until(() => {
	const present = server.workers(pool);
	return present.length === n && !present.some((pid) => old.includes(pid));
}, 'new workers');

// What was refused comes again and is taken; then the books must agree.
async function settle(load) {
	await until(async () => await load.resend() === 0, 'resent');
	assert.deepEqual((await load.audit()).slice(0, 10), []);
	assert.ok(load.acked.size > 100, `only ${load.acked.size} events`);
}

test('kill -9 of a worker: nginx asks another, none fails', async () => {
	await begin();
	const load = new Load(server, { connections: 32 }).start();
	for (let i = 0; i < 3; i++) {
		await sleep(700);
		const [victim] = server.workers();
		signal(victim, 'SIGKILL');
		await newWorkers([victim], 2);
	}
	await sleep(500);
	await load.stop();
	assert.equal(load.failures, 0, JSON.stringify([...load.statuses]));
	await settle(load);
	assert.match(server.log(), /died: killed by signal 9/);
});

test('kill -9 of all workers, both pools', async () => {
	await begin();
	const load = new Load(server, { connections: 48 }).start();
	for (let i = 0; i < 3; i++) {
		await sleep(600);
		const victims = [...server.workers(), ...server.workers('status')];
		assert.equal(victims.length, 4);
		for (const pid of victims)
			signal(pid, 'SIGKILL');
		await newWorkers(victims, 2);
		await newWorkers(victims, 2, 'status');
	}
	await sleep(500);
	await load.stop();
	assert.ok([...load.statuses.keys()].every((s) => [0, 200, 503].includes(s)),
		JSON.stringify([...load.statuses]));
	assert.equal(load.withoutRetryAfter, 0);
	await settle(load);
	await server.ready();
});

test('HUP three times: not one failed request', async () => {
	await begin();
	const load = new Load(server, { connections: 64 }).start();
	const { master } = server;
	for (let i = 0; i < 3; i++) {
		await sleep(700);
		const old = server.workers();
		signal(master, 'SIGHUP');
		await newWorkers(old, 2);
	}
	await sleep(500);
	await load.stop();
	assert.equal(server.master, master);
	assert.equal(load.failures, 0, JSON.stringify([...load.statuses]));
	await settle(load);
});

test('HUP ten times at once', async () => {
	await begin();
	const load = new Load(server, { connections: 16 }).start();
	await sleep(300);
	for (let i = 0; i < 10; i++) {
		signal(server.master, 'SIGHUP');
		await sleep(10);
	}
	await sleep(2500);
	await load.stop();
	assert.equal(load.failures, 0, JSON.stringify([...load.statuses]));
	await until(() => server.workers().length === 2, 'two workers');
	await settle(load);
});

test('HUP takes a new secret, and refuses bad settings', async () => {
	const dir = fs.mkdtempSync('/tmp/sh-secret-');
	const file = path.join(dir, 'secret');
	try {
		fs.writeFileSync(file, 'whsec_old_0123456789\n');
		await begin({ env: { STRIPE_WEBHOOK_SECRET: undefined,
			STRIPE_WEBHOOK_SECRET_FILE: file } });
		const by = async (secret) =>
			(await server.deliver(makePayment(), { secret })).status;
		const reload = async () => {
			const old = server.workers();
			signal(server.master, 'SIGHUP');
			await newWorkers(old, 2);
			await until(() => old.every((pid) => !alive(pid)), 'old ones gone');
		};
		assert.equal(await by('whsec_old_0123456789'), 200);
		fs.writeFileSync(file, 'whsec_new_0123456789,whsec_old_0123456789');
		await reload();
		assert.equal(await by('whsec_old_0123456789'), 200);
		assert.equal(await by('whsec_new_0123456789'), 200);
		fs.writeFileSync(file, 'whsec_new_0123456789');
		await reload();
		assert.equal(await by('whsec_old_0123456789'), 400);
		assert.equal(await by('whsec_new_0123456789'), 200);
		fs.writeFileSync(file, '');
		const before = server.workers();
		signal(server.master, 'SIGHUP');
		await until(() => /not reloaded/.test(server.log()), 'it says so');
		assert.deepEqual(server.workers(), before);
		assert.equal(await by('whsec_new_0123456789'), 200);
	} finally {
		fs.rmSync(dir, { recursive: true });
	}
});

test('TERM of stripehookd: what reached it is answered', async () => {
	await begin();
	const load = new Load(server, { connections: 48 }).start();
	await sleep(1000);
	const { master } = server;
	const workers = children(master);
	signal(master, 'SIGTERM');
	await until(() => !alive(master), 'it ends');
	assert.deepEqual(workers.filter(alive), []);
	await until(() => server.master !== master && alive(server.master),
		'scripts/run starts it again');
	await server.ready();
	await sleep(500);
	await load.stop();
	// Cut off in the middle would be a 502 that nginx makes a 503, and its
	// error log knows.
	assert.ok([...load.statuses.keys()].every((s) => [200, 503].includes(s)),
		JSON.stringify([...load.statuses]));
	assert.equal(load.withoutRetryAfter, 0);
	assert.deepEqual(server.webErrors(/prematurely closed|reset by peer/)
		.slice(0, 3), []);
	await settle(load);
});

test('kill -9 of the master: its workers go too, and it comes back',
	async () => {
		await begin();
		const load = new Load(server, { connections: 32 }).start();
		await sleep(800);
		const { master } = server;
		const workers = children(master);
		assert.equal(workers.length, 4);
		signal(master, 'SIGKILL');
		await until(() => workers.every((pid) => !alive(pid)),
			'the workers go');
		await until(() => server.master !== master && alive(server.master),
			'scripts/run starts it again');
		await server.ready();
		await sleep(500);
		await load.stop();
		await settle(load);
	});

test('kill -9 of mariadbd: 503 meanwhile, and back by itself', async () => {
	await begin();
	const load = new Load(server, { connections: 48 }).start();
	const workers = server.workers().sort();
	for (let i = 0; i < 2; i++) {
		await sleep(800);
		const before = load.acked.size;
		const pid = server.pid('mariadbd');
		assert.equal(processName(pid), 'mariadbd');
		signal(pid, 'SIGKILL');
		await until(() => server.pid('mariadbd') !== pid, 'it comes back');
		await until(() => load.acked.size > before + 500, 'service is back');
	}
	await load.stop();
	assert.ok([...load.statuses.keys()].every((s) => [200, 503].includes(s)),
		JSON.stringify([...load.statuses]));
	assert.ok(load.statuses.get(503) > 0);
	assert.equal(load.withoutRetryAfter, 0);
	assert.deepEqual(server.workers().sort(), workers, 'the same workers');
	await settle(load);
});

test('a database that hangs: 503 within the time limit', async () => {
	await begin();
	const pid = server.pid('mariadbd');
	await server.deliver(makePayment());
	signal(pid, 'SIGSTOP');
	try {
		const first = await Promise.all(Array.from({ length: 20 },
			() => server.deliver(makePayment())));
		assert.deepEqual([...new Set(first.map(({ status }) => status))],
			[503]);
		// The workers say so, before nginx gives them up.
		for (const { text, json } of first)
			assert.match(json.error.code, /^database_/, text);
		// What comes after knows it.
		const next = await server.deliver(makePayment());
		assert.equal(next.status, 503);
		assert.ok(next.headers['retry-after'] >= 1);
	} finally {
		signal(pid, 'SIGCONT');
	}
	await until(async () =>
		(await server.deliver(makePayment())).status === 200, 'back');
});

test('a full queue is a quick 503, and no hang', async () => {
	await begin({ env: { STRIPEHOOK_INGEST_SLOTS: '4',
		STRIPEHOOK_INGEST_WORKERS: '1' } });
	const load = new Load(server, { connections: 64 });
	await load.run(1500);
	assert.ok([...load.statuses.keys()].every((s) => [200, 503].includes(s)),
		JSON.stringify([...load.statuses]));
	assert.equal(load.withoutRetryAfter, 0);
	assert.ok(median(load.times) < 3000, `${median(load.times)} ms`);
	assert.deepEqual(server.webErrors(/timed out/), []);
	await settle(load);
});
