// The module for front ends in Node, against answers made to measure.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { ROOT } from '../integration/lib/events.mjs';
import { sleep, until } from '../integration/lib/processes.mjs';
import { freePort, run } from '../integration/lib/server.mjs';
import {
	ID, SECRET, Scripted, event, json, refuse, state, stream,
} from './lib/scripted.mjs';

const HTML = path.join(ROOT, 'nginx/html');
const TSC = fileURLToPath(new URL('node_modules/typescript/bin/tsc',
	import.meta.url));
const source = fs.readFileSync(path.join(HTML, 'stripehook-status.js'), 'utf8');
// As a module whatever its surroundings say.
const { watchStatus } = await import(
	`data:text/javascript,${encodeURIComponent(source)}`);

// Watches against such answers: { result or error, states, server, ms }.
async function watch(answer, options = {}, also = () => {}) {
	const server = await Scripted.listen(answer);
	const states = [];
	const start = Date.now();
	try {
		const watching = watchStatus(ID, { secret: SECRET, base: server.base,
			timeout: 60000, onState: (s) => states.push(s.state), ...options });
		const outcome = watching.then((result) => ({ result }),
			(error) => ({ error }));
		await also(server, states);
		const all = { ...await outcome, states, server,
			ms: Date.now() - start };
		// So that no slot is held for nobody.
		await until(() => server.requests.every(({ open }) => !open),
			'the end of every request');
		return all;
	} finally {
		await server.close();
	}
}

test('under 3 kB minified, with no import', async () => {
	const { code } = await transform(source,
		{ minify: true, target: 'es2020', format: 'esm' });
	assert.ok(code.length < 3000, `${code.length} bytes`);
	assert.ok(!/\bimport\b/.test(code));
});

test('its types are sound, and catch mistakes', async () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-test-'));
	fs.copyFileSync(path.join(HTML, 'stripehook-status.d.ts'),
		path.join(dir, 'stripehook-status.d.ts'));
	fs.writeFileSync(path.join(dir, 'page.ts'), `
import { watchStatus, type Status, type StatusError } from "./stripehook-status";
const show = (status: Status) => status.failure?.message ?? status.state;
watchStatus("pi_1", { token: async () => "t", after: undefined, onState: show })
	.then(show, (error: StatusError) => error.code);
// @ts-expect-error
watchStatus("pi_1", { secrets: "x" });
// @ts-expect-error
watchStatus("pi_1", { timeout: "60s" });
`);
	const { code, stdout } = await run(process.execPath, [TSC, '--noEmit',
		'--strict', '--target', 'es2020', '--lib', 'dom,es2020', '--module',
		'esnext', '--moduleResolution', 'bundler', 'page.ts'], { cwd: dir });
	fs.rmSync(dir, { recursive: true });
	assert.equal(code, 0, stdout);
});

test('nothing stays behind: the process can end', async () => {
	const server = await Scripted.listen((res) =>
		refuse(res, 503, 'unavailable', { 'Retry-After': 60 }));
	const before = process.getActiveResourcesInfo()
		.filter((name) => name === 'Timeout').length;
	await watchStatus(ID, { secret: SECRET, base: server.base,
		timeout: 300 });
	const after = process.getActiveResourcesInfo()
		.filter((name) => name === 'Timeout').length;
	await server.close();
	assert.ok(after <= before, `${before} timers, then ${after}`);
});

// Nearly all of the time is waiting.
describe('watchStatus', { concurrency: true }, () => {
	describe('by push', { concurrency: true }, () => {
		test('each state once, until it is final', async () => {
			const { result, states, server } = await watch((res) => {
				stream(res, state('pending'), state('processing'));
				res.write(': \n\n');
				res.write(event(state('processing')));
				res.write(event(state('succeeded', { amount: 1500 })));
			});
			assert.deepEqual(states, ['pending', 'processing', 'succeeded']);
			assert.equal(result.state, 'succeeded');
			assert.equal(result.amount, 1500);
			assert.equal(result.etag, 'succeeded-1');
			assert.equal(result.timedOut, undefined);
			assert.equal(server.ways, 'stream');
			const [{ url, headers }] = server.requests;
			assert.equal(url.pathname + url.search, `/api/webhooks/status/${ID}`);
			assert.equal(headers.authorization, `Bearer ${SECRET}`);
			assert.equal(headers.referer, undefined);
			assert.equal(headers['last-event-id'], undefined);
		});

		test('in pieces of any size, with CR LF', async () => {
			const message = 'Zu wenig Guthaben: 3 €, \u2028 sorry';
			const { result, states } = await watch(async (res) => {
				stream(res);
				const bytes = Buffer.from((event(state('failed',
					{ failure: { message } })) + event(state('succeeded',
					{ failure: { message } }))).replaceAll('\n', '\r\n'));
				for (const byte of bytes) {
					res.write(Buffer.from([byte]));
					await sleep(1);
				}
			});
			assert.deepEqual(states, ['failed', 'succeeded']);
			assert.equal(result.failure.message, message);
		});

		test('that ends or breaks is asked for again, from there', async () => {
			const { states, server } = await watch((res, { n }) => {
				if (n === 0)
					stream(res, state('pending')).end();
				else if (n === 1)
					stream(res, state('processing')).write('id: proc', () =>
						res.socket.resetAndDestroy());
				else
					stream(res, state('succeeded'));
			});
			assert.deepEqual(states, ['pending', 'processing', 'succeeded']);
			assert.equal(server.ways, 'stream stream stream');
			assert.deepEqual(server.requests.map(({ headers }) =>
				headers['last-event-id']), [undefined, 'pending-1', 'processing-1']);
			const [first, second] = server.requests;
			const wait = second.at - first.at;
			assert.ok(wait >= 300 && wait < 4000, `${wait} ms`);
		});
	});

	describe('where push is blocked', { concurrency: true }, () => {
		test('held back: a long poll', async () => {
			const answer = (res, { way, n }) => {
				if (way !== 'stream')
					json(res, state(n === 1 ? 'pending' : 'succeeded'));
				else
					res.writeHead(200, { 'Content-Type': 'text/event-stream' })
						.flushHeaders();
			};
			const { result, states, server, ms } = await watch(answer);
			assert.equal(result.state, 'succeeded');
			assert.deepEqual(states, ['pending', 'succeeded']);
			assert.equal(server.ways, 'stream poll wait');
			assert.ok(ms > 3900 && ms < 20000, `${ms} ms`);
			assert.equal(server.requests[2].url.searchParams.get('wait'), '25');
			assert.equal(server.requests[2].url.searchParams.get('after'),
				'pending-1');
			for (const { url } of server.requests)
				assert.ok(!url.href.includes('_secret_'));
		});

		test('an answer that does not even begin: the same', async () => {
			const { result, server } = await watch((res, { way }) => {
				if (way !== 'stream')
					json(res, state('succeeded'));
			});
			assert.equal(result.state, 'succeeded');
			assert.equal(server.ways, 'stream poll');
		});

		test('JSON instead: a long poll, not in haste', async () => {
			const { states, server } = await watch((res, { n }) => json(res,
				state(n < 4 ? 'pending' : 'succeeded'), { 'Retry-After': 1 }));
			assert.deepEqual(states, ['pending', 'succeeded']);
			assert.equal(server.ways, 'stream wait wait wait wait');
			const gaps = server.requests.slice(2).map(({ at }, i) =>
				at - server.requests[i + 1].at);
			assert.ok(gaps.every((gap) => gap >= 990), gaps.join());
		});

		test('a long poll that was parked is repeated at once', async () => {
			const { server, states } = await watch(async (res, { way, n }) => {
				if (way === 'wait' && n < 3)
					await sleep(5500);
				json(res, state(n < 3 ? 'pending' : 'succeeded'),
					{ 'Retry-After': 8 });
			});
			assert.equal(server.ways, 'stream wait wait wait');
			const [, , second, third] = server.requests.map(({ at }) => at);
			assert.ok(third - second < 12000, `${third - second} ms`);
			assert.deepEqual(states, ['pending', 'succeeded']);
		});

		test('a long poll cut off: plain questions', async () => {
			const { states, server } = await watch(async (res, { way, n }) => {
				if (way === 'wait') {
					await sleep(5500);
					refuse(res, 503, 'unavailable');
				} else {
					json(res, state(n < 4 ? 'pending' : 'succeeded'));
				}
			});
			assert.equal(server.ways, 'stream wait poll poll poll');
			assert.deepEqual(states, ['pending', 'succeeded']);
			assert.equal(server.requests[2].url.search, '');
		});

		test('an ETag that a proxy weakened or took away', async () => {
			for (const [name, value] of [['ETag', 'W/"pending-1"'],
				['X-Nothing', '1']]) {
				const { states } = await watch((res, { n }) => {
					if (n < 3) {
						res.writeHead(200, { 'Content-Type': 'application/json',
							[name]: value });
						res.end(JSON.stringify(state('pending')));
					} else {
						json(res, state('succeeded'));
					}
				});
				assert.deepEqual(states, ['pending', 'succeeded']);
			}
		});
	});

	describe('what gets better by itself', { concurrency: true }, () => {
		for (const [status, code, ways] of [
			[429, 'too_many_requests', 'stream poll poll'],
			[503, 'unavailable', 'stream stream stream']])
			test(`${status}: not before Retry-After`, async () => {
				const { result, server } = await watch((res, { n, way }) => n < 2 ?
					refuse(res, status, code, { 'Retry-After': 1 }) :
					way === 'poll' ? json(res, state('succeeded')) :
						stream(res, state('succeeded')));
				assert.equal(result.state, 'succeeded');
				assert.equal(server.ways, ways);
				const [a, b, c] = server.requests.map(({ at }) => at);
				for (const gap of [b - a, c - b])
					assert.ok(gap >= 990 && gap < 8000, `${gap} ms`);
			});

		test('502 without it: later and later', async () => {
			const { server } = await watch((res, { n }) => n < 4 ?
				refuse(res, 502, 'bad_gateway') : stream(res, state('succeeded')));
			const gaps = server.requests.slice(1).map(({ at }, i) =>
				at - server.requests[i].at);
			for (const [i, gap] of gaps.entries())
				assert.ok(gap >= 490 * 2 ** i && gap < 750 * 2 ** i + 6000,
					gaps.join());
		});

		test('a server that is not there, then is', async () => {
			const port = await freePort();
			const states = [];
			const watching = watchStatus(ID, { secret: SECRET,
				base: `http://127.0.0.1:${port}`,
				onState: (s) => states.push(s.state) });
			await sleep(1200);
			const server = await Scripted.listen((res) =>
				stream(res, state('succeeded')), port);
			assert.equal((await watching).state, 'succeeded');
			assert.deepEqual(states, ['succeeded']);
			await server.close();
		});

		test('no JSON, though 200: a login page of the network', async () => {
			const { result } = await watch((res, { n }) => {
				if (n > 0)
					return stream(res, state('succeeded'));
				res.writeHead(200, { 'Content-Type': 'text/html' });
				res.end('<h1>Welcome to our airport</h1>');
			});
			assert.equal(result.state, 'succeeded');
		});

		test('a stream with nothing in it is not asked for in haste', async () => {
			const { server, result } = await watch((res) => {
				res.writeHead(200, { 'Content-Type': 'text/event-stream' });
				res.end();
			}, { timeout: 7000 });
			assert.equal(result.timedOut, true);
			assert.ok(server.requests.length <= 4, server.ways);
		});
	});

	describe('what does not', { concurrency: true }, () => {
		for (const [status, code] of [[401, 'wrong_id'], [401, 'bad_credential'],
			[404, 'bad_id']])
			test(`${status} ${code}`, async () => {
				const { error, states, server } = await watch((res) =>
					refuse(res, status, code));
				assert.equal(error.code, code);
				assert.equal(error.status, status);
				assert.equal(error.message, `It is ${code}.`);
				assert.deepEqual(states, []);
				assert.equal(server.ways, 'stream');
			});

		test('404 of another server', async () => {
			const { error } = await watch((res) => {
				res.writeHead(404, { 'Content-Type': 'text/html' });
				res.end('<h1>Not found</h1>');
			});
			assert.equal(error.status, 404);
			assert.ok(!error.message.includes('_secret_'));
		});

		test('no id at all', () => assert.rejects(watchStatus()));
	});

	describe('tokens', { concurrency: true }, () => {
		const expire = (good) => (res, { headers }) =>
			headers.authorization === `Bearer ${good}` ?
				stream(res, state('succeeded')) :
				refuse(res, 401, 'expired_token');

		test('a string', async () => {
			assert.equal((await watch(expire('a'), { secret: undefined,
				token: 'a' })).result.state, 'succeeded');
			assert.equal((await watch(expire('a'), { secret: undefined,
				token: 'b' })).error.code, 'expired_token');
		});

		test('a function is asked again when its token has expired', async () => {
			let calls = 0;
			const { result, states } = await watch((res, { headers, n }) => {
				if (headers.authorization === 'Bearer 1' && n === 0)
					stream(res, state('pending')).end();
				else
					expire('2')(res, { headers });
			}, { secret: undefined, token: async () => String(++calls) });
			assert.equal(result.state, 'succeeded');
			assert.deepEqual(states, ['pending', 'succeeded']);
			assert.equal(calls, 2);
		});

		test('a new one that is refused as well is the end', async () => {
			let calls = 0;
			const { error, server } = await watch(expire('never'),
				{ secret: undefined, token: () => `t${++calls}` });
			assert.equal(error.code, 'expired_token');
			assert.equal(calls, 1);
			assert.equal(server.requests.length, 1);
		});

		test('a function that fails is asked again', async () => {
			let calls = 0;
			const { result } = await watch(expire('good'), { secret: undefined,
				token: async () => {
					if (++calls < 3)
						throw new TypeError('Failed to fetch');
					return 'good';
				} });
			assert.equal(result.state, 'succeeded');
			assert.equal(calls, 3);
		});
	});

	describe('the end', { concurrency: true }, () => {
		test('timed out: the last state', async () => {
			const { result, ms, server } = await watch((res) =>
				stream(res, state('pending'), state('processing')),
			{ timeout: 1500 });
			assert.equal(result.state, 'processing');
			assert.equal(result.final, false);
			assert.equal(result.timedOut, true);
			assert.ok(ms >= 1490 && ms < 15000, `${ms} ms`);
		});

		test('timed out with nothing heard: pending', async () => {
			const { result, states } = await watch(() => {}, { timeout: 700 });
			assert.deepEqual(result, { id: ID, state: 'pending', final: false,
				timedOut: true });
			assert.deepEqual(states, []);
		});

		test('signal', async () => {
			const controller = new AbortController();
			const { error, states, server } = await watch((res) =>
				stream(res, state('pending')), { signal: controller.signal },
			async (_, seen) => {
				await until(() => seen.length > 0, 'a state');
				controller.abort();
			});
			assert.equal(error.name, 'AbortError');
			assert.deepEqual(states, ['pending']);
			const { error: again, server: unasked } = await watch(() => {},
				{ signal: controller.signal });
			assert.equal(again.name, 'AbortError');
			assert.equal(unasked.requests.length, 0);
		});
	});

	describe('after a state that is known', { concurrency: true }, () => {
		test('only another one counts', async () => {
			const { result, states, server } = await watch((res, { n }) =>
				json(res, n < 2 ? state('failed') : state('succeeded')),
			{ after: '"failed-1"' });
			assert.deepEqual(states, ['succeeded']);
			assert.equal(result.state, 'succeeded');
			assert.equal(server.requests[0].headers['last-event-id'], 'failed-1');
			assert.equal(server.requests[1].url.searchParams.get('after'),
				'failed-1');
		});

		test('unless it is final', async () => {
			const { result, states } = await watch((res) =>
				stream(res, state('succeeded')), { after: 'succeeded-1' });
			assert.deepEqual(states, []);
			assert.equal(result.state, 'succeeded');
			assert.equal(result.etag, 'succeeded-1');
		});

		test('nothing new: pending, not the old failure', async () => {
			const { result } = await watch((res) => json(res, state('failed')),
				{ after: 'failed-1', timeout: 700 });
			assert.equal(result.state, 'pending');
			assert.equal(result.timedOut, true);
		});

		test('a secret given as the id is no part of the URL', async () => {
			const server = await Scripted.listen((res) =>
				stream(res, state('succeeded')));
			await watchStatus(SECRET, { secret: SECRET, base: `${server.base}/` });
			assert.equal(server.requests[0].url.pathname,
				`/api/webhooks/status/${ID}`);
			await server.close();
		});
	});
});
