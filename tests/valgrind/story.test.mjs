// One short story with every route under valgrind's memcheck, master and
// workers alike, and the tool's commands beside it: no error, and nothing lost.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
	Renamer, fixtureNames, makeEvent, makePayment, newId, print, readFixture,
} from '../integration/lib/events.mjs';
import { WEBHOOK } from '../integration/lib/http.mjs';
import { signal, until } from '../integration/lib/processes.mjs';
import { openStream, statusPath } from '../integration/lib/push.mjs';
import { Server, run } from '../integration/lib/server.mjs';

// Valgrind is some twenty times slower, and the machine may be busy.
const SLOW_MS = 60000;

const logs = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-valgrind-'));
const MEMCHECK = ['valgrind', '--error-exitcode=66', '--leak-check=full',
	'--show-leak-kinds=definite,possible',
	'--errors-for-leak-kinds=definite,possible', '--num-callers=20',
	`--log-file=${logs}/%p`];

let server;
before(async () => {
	server = await Server.start({ env: { RUN_UNDER: MEMCHECK.join(' '),
		STRIPEHOOK_SANDBOX: 'off', STRIPEHOOK_LOG_LEVEL: 'debug',
		STRIPEHOOK_INGEST_WORKERS: '1', STRIPEHOOK_STATUS_WORKERS: '1' } });
});
after(async () => {
	await server?.stop();
	fs.rmSync(logs, { recursive: true, force: true });
});

const deliver = (event, options) =>
	server.deliver(event, { timeout: SLOW_MS, ...options });
const ask = (id, credential, query = '', headers = {}) => server.get(
	`${statusPath(id)}${query}`, { timeout: SLOW_MS,
		headers: { Authorization: `Bearer ${credential}`, ...headers } });

test('deliveries of every kind', async () => {
	const bodies = fixtureNames().map((name) =>
		new Renamer().text(readFixture(name)));
	// The first one takes long: valgrind translates what it passes through.
	assert.equal((await deliver(bodies[0])).status, 200);
	const answers = await Promise.all(bodies.map((body) => deliver(body)));
	assert.deepEqual(answers.filter(({ status }) => status !== 200), []);
	assert.equal(await server.value('SELECT MAX(deliveries) ' +
		'FROM webhook_events'), '2');
});

test('ignored, failed and refused ones', async () => {
	const odd = [
		makeEvent('topup.created', { id: 'tu_1', object: 'topup' }),
		makePayment({ amount: 'much' }),
	];
	for (const event of odd)
		assert.equal((await deliver(event)).status, 200);
	assert.equal(await server.count('webhook_events',
		"status = 'failed'"), 1);
	const body = print(makePayment());
	for (const [status, event, options] of [
		[400, body, { signature: 't=1,v1=0' }],
		[400, body, { signature: null }],
		[400, '{"id":', {}],
		[400, '{"id":1}', {}],
		[413, ' '.repeat(1100000), {}],
	])
		assert.equal((await deliver(event, options)).status, status);
	const { status } = await server.get(WEBHOOK, { timeout: SLOW_MS });
	assert.equal(status, 405);
});

test('many at once make batches', async () => {
	const answers = await Promise.all(Array.from({ length: 100 }, () =>
		deliver(makePayment())));
	assert.deepEqual(answers.filter(({ status }) => status !== 200), []);
});

test('the other routes', async () => {
	for (const [route, wanted] of [['/healthz', 200], ['/readyz', 200],
		['/metrics', 200], ['/api/webhooks/config', 200],
		['/api/webhooks/other', 404], [statusPath('ch_1'), 404],
		[statusPath('pi_1'), 401]]) {
		const { status } = await server.get(route, { timeout: SLOW_MS });
		assert.equal(status, wanted, route);
	}
});

test('states: polled, waited for, streamed', async () => {
	const event = makePayment({ status: 'processing' },
		{ type: 'payment_intent.processing' });
	const { id, client_secret: secret } = event.data.object;
	assert.equal((await ask(id, secret)).json.state, 'pending');
	const wait = ask(id, secret, '?wait=50');
	const stream = await openStream(server.base, id, secret);
	await stream.next(1, SLOW_MS);
	assert.equal((await deliver(event)).status, 200);
	const { json, headers } = await wait;
	assert.equal(json.state, 'processing');
	assert.equal((await stream.next(2, SLOW_MS)).data.state, 'processing');
	assert.equal((await ask(id, secret, '',
		{ 'If-None-Match': headers.etag })).status, 304);
	assert.equal((await ask(id, `${secret}x`)).json.state, 'pending');
	const done = makeEvent('payment_intent.succeeded',
		{ ...event.data.object, status: 'succeeded' });
	assert.equal((await deliver(done)).status, 200);
	assert.equal((await stream.next(3, SLOW_MS)).data.final, true);
	const token = (await server.ctl(['token', id])).stdout.trim();
	assert.equal((await ask(id, token)).json.state, 'succeeded');
});

test('a reload, and the log anew', async () => {
	const starts = (await server.metrics())
		.get('stripehook_worker_starts_total');
	signal(server.master, 'SIGUSR1');
	signal(server.master, 'SIGHUP');
	await until(async () => (await server.metrics())
		.get('stripehook_worker_starts_total') > starts, 'new workers',
	SLOW_MS);
	await server.ready(SLOW_MS);
	assert.equal((await deliver(makePayment())).status, 200);
});

// Each is a process of its own, which ends with 66 for an error.
const COMMANDS = [
	['check'], ['events', '--limit', '5', '--json'],
	['replay', '--status', 'failed'], ['rebuild', '--check'],
	['status', newId('pi')], ['trigger', 'invoice.paid', '--print'],
	['prune', '--older-than', '31d', '--dry-run'],
	['redact', '--older-than', '0d', '--dry-run'],
];
test('the commands of the tool', { concurrency: 2 }, async (t) => {
	await Promise.all(COMMANDS.map((args) => t.test(args.join(' '),
		async () => {
			const [program, ...options] = MEMCHECK;
			const { code, stderr } = await run(program, [...options,
				path.join(server.build, 'stripehookctl'),
				...server.configArguments, ...args],
			{ env: server.env, cwd: server.root });
			assert.ok(code === 0 || code === 1, `${code}: ${stderr}`);
		})));
});

test('no error in any process', async () => {
	const { end } = await server.stop();
	server = undefined;
	assert.equal(end.code, 0);
	const reports = fs.readdirSync(logs).map((name) =>
		fs.readFileSync(path.join(logs, name), 'utf8'));
	const bad = reports.filter((text) =>
		!/ERROR SUMMARY: 0 errors from 0 contexts/.test(text));
	assert.deepEqual(bad, []);
	// Master, four workers of two generations, and the commands.
	assert.ok(reports.length >= 5 + COMMANDS.length, `${reports.length}`);
});
