// What is not a Stripe event: each gets its status for less than a second of a
// worker's work, nothing of it is stored, and the workers live on, no bigger
// than before.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
	makeEvent, makePayment, newId, now, print, sign,
} from './lib/events.mjs';
import { WEBHOOK, sendRaw } from './lib/http.mjs';
import { cpuTime, memory } from './lib/processes.mjs';
import { SECRET, Server } from './lib/server.mjs';

const MiB = 1024 * 1024;
const ROUNDS = 24;
const GROWTH = 2048;		// kB, of a worker in two thirds of the rounds

let server;
let workers;
before(async () => {
	server = await Server.start();
	// What one ordinary delivery to each needs is theirs to keep.
	await Promise.all(Array.from({ length: 50 },
		() => server.deliver(makePayment())));
	await server.sql('DELETE FROM event_payloads; DELETE FROM event_journal');
	workers = server.workers().sort();
});
after(() => server?.stop());

const post = (body, { signature = sign(body, SECRET), path = WEBHOOK,
	method = 'POST', length = Buffer.byteLength(body), extra = [] } = {}) =>
	Buffer.concat([Buffer.from([
		`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close',
		'Content-Type: application/json',
		...(length === null ? [] : [`Content-Length: ${length}`]),
		...(signature === null ? [] : [`Stripe-Signature: ${signature}`]),
		...extra, '', ''].join('\r\n'), 'latin1'), Buffer.from(body)]);

const event = () => print(makePayment());
const signed = (body) => ({ bytes: post(body) });
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const within = (json) => print(makePayment({ metadata: '\u0001' }))
	.replace('"\\u0001"', json);
const badUtf8 = Buffer.concat([Buffer.from(event().replace(/\}\s*$/, ',"x":"')),
	Buffer.from([0xff, 0xfe, 0xc0, 0xaf]), Buffer.from('"}')]);

// name: { bytes, status, code } or a function of them; status may be a list.
const CASES = {
	'no header': () => ({ bytes: post(event(), { signature: null }),
		status: 400, code: 'no_header' }),
	'an empty header': () => ({ bytes: post(event(), { signature: '' }),
		status: 400, code: 'no_header' }),
	'a bad header': () => ({ bytes: post(event(), { signature: 'hello' }),
		status: 400, code: 'bad_header' }),
	'a header of binary': () => ({
		bytes: post(event(), { signature: 't=\x80\xff,v1=\xfe' }),
		status: 400, code: 'bad_header' }),
	'no v1': () => ({ bytes: post(event(), { signature: `t=${now()}` }),
		status: 400, code: 'no_signature' }),
	stale: () => {
		const body = event();
		return { bytes: post(body, { signature: sign(body, SECRET,
			now() - 400) }), status: 400, code: 'too_old' };
	},
	'the wrong secret': () => {
		const body = event();
		return { bytes: post(body, { signature: sign(body, 'whsec_other') }),
			status: 400, code: 'mismatch' };
	},
	'a header of 8 kB': () => {
		const body = event();
		const signature = `${sign(body, SECRET)},v0=${'0'.repeat(8000)}`;
		return { bytes: post(body, { signature }), status: 200, stored: true };
	},
	'a header of 20 kB': () => ({ bytes: post(event(),
		{ signature: `t=${now()},v1=${'a'.repeat(20000)}` }), status: 400 }),
	'a thousand v1': () => ({ bytes: post(event(), { signature:
		`t=${now()}${',v1=a'.repeat(1000)}` }),
	status: 400, code: 'mismatch' }),
	'0 bytes': () => ({ ...signed(''), status: 400, code: 'no_payload' }),
	'0 bytes, no header': () => ({ bytes: post('', { signature: null }),
		status: 400 }),
	'no Content-Length': () => ({
		bytes: post('', { length: null }), status: [400, 411] }),
	'a bad Content-Length': () => ({
		bytes: post('', { length: 'many' }), status: 400 }),
	'a negative Content-Length': () => ({
		bytes: post('', { length: -5 }), status: 400 }),
	'a huge Content-Length': () => ({
		bytes: post('', { length: '99999999999999999999' }),
		status: [400, 413] }),
	'2 MB': () => ({ ...signed('x'.repeat(2 * MiB)), status: 413,
		code: 'too_large' }),
	'one byte more than 1 MiB': () => ({ ...signed('x'.repeat(MiB + 1)),
		status: 413, code: 'too_large' }),
	'1 MiB that is not JSON': () => ({ ...signed('x'.repeat(MiB)), status: 400,
		code: 'bad_json' }),
	'not JSON': () => ({ ...signed('hello'), status: 400, code: 'bad_json' }),
	'half of an event': () => {
		const body = event();
		return { ...signed(body.slice(0, body.length / 2)), status: 400,
			code: 'bad_json' };
	},
	'an event and more': () => ({ ...signed(`${event()}{}`), status: 400,
		code: 'bad_json' }),
	'a trailing comma': () => ({ ...signed(event().replace(/\}$/, ',}')),
		status: 400, code: 'bad_json' }),
	'single quotes': () => ({ ...signed("{'id':'evt_1','object':'event'}"),
		status: 400, code: 'bad_json' }),
	'NaN': () => ({ ...signed(within('NaN')), status: 400,
		code: 'bad_json' }),
	'a comment': () => ({ ...signed(within('/* */ 1')), status: 400,
		code: 'bad_json' }),
	'a control character in a string': () => ({ ...signed(within('"a\u0001"')),
		status: 400, code: 'bad_json' }),
	'a byte order mark': () => ({ ...signed(`\ufeff${event()}`), status: 400,
		code: 'bad_json' }),
	'an array': () => ({ ...signed('[]'), status: 400, code: 'no_event' }),
	'null': () => ({ ...signed('null'), status: 400,
		code: /bad_json|no_event/ }),
	'a number': () => ({ ...signed('17'), status: 400,
		code: /bad_json|no_event/ }),
	'an empty object': () => ({ ...signed('{}'), status: 400,
		code: 'no_event' }),
	'another object': () => ({ ...signed('{"id":"evt_1","object":"list"}'),
		status: 400, code: 'no_event' }),
	'an event without id': () => ({ ...signed(print({ ...makePayment(),
		id: undefined })), status: 400, code: 'no_event' }),
	'an event without type': () => ({ ...signed(print({ ...makePayment(),
		type: undefined })), status: 400, code: 'no_event' }),
	'an event without data': () => ({ ...signed(print({ ...makePayment(),
		data: undefined })), status: 400, code: 'no_event' }),
	'an event of another year count': () => ({ ...signed(print({
		...makePayment(), created: '2026' })), status: 400,
	code: 'no_event' }),
	'an id of 300 characters': () => ({ ...signed(print({ ...makePayment(),
		id: `evt_${'a'.repeat(296)}` })), status: 400, code: 'no_event' }),
	'an id with quotes': () => ({ ...signed(print({ ...makePayment(),
		id: "evt_'; DROP TABLE links; --" })), status: 400,
	code: 'no_event' }),
	'an id that is a number': () => ({ ...signed(print({ ...makePayment(),
		id: 17 })), status: 400, code: 'no_event' }),
	'a NUL byte in the body': () => ({
		...signed(event().replace('jenny', 'jen\0y')), status: 400,
		code: 'bad_json' }),
	'a NUL byte after the body': () => ({ ...signed(`${event()}\0`),
		status: 400, code: 'bad_json' }),
	'a NUL, escaped, in the id': () => ({ ...signed(print(makeEvent('a',
		{ id: 'x' }, { id: 'evt_1\0x' }))), status: 400,
	code: /bad_json|no_event/ }),
	'invalid UTF-8': () => ({ bytes: post(badUtf8,
		{ signature: sign(badUtf8, SECRET) }), status: 400,
	code: 'bad_json' }),
	'a surrogate in UTF-8': () => {
		const body = Buffer.concat([Buffer.from('{"id":"'),
			Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]);
		return { bytes: post(body), status: 400, code: 'bad_json' };
	},
	'nesting 10,000 deep': () => ({ ...signed(nested(10000)), status: 400,
		code: /bad_json|no_event/ }),
	'nesting 10,000 deep in an event': () => ({
		...signed(within(nested(10000))), status: 400, code: 'bad_json' }),
	'objects 100,000 deep': () => ({ ...signed('{"a":'.repeat(100000)),
		status: 400, code: 'bad_json' }),
	'1 MB of [{},{},…]': () => ({
		...signed(`[${'{},'.repeat(MiB / 3 - 2)}{}]`), status: 400,
		code: /bad_json|no_event/ }),
	'1 MB of [1,1,…]': () => ({ ...signed(`[${'1,'.repeat(MiB / 2 - 2)}1]`),
		status: 400, code: /bad_json|no_event/ }),
	'1 MB of keys': () => ({ ...signed(`{${Array.from({ length: 90000 },
		(_, i) => `"k${i}":1`).join(',')}}`), status: 400,
	code: /bad_json|no_event/ }),
	'a number of 1 MB': () => ({ ...signed('1'.repeat(MiB)), status: 400,
		code: /bad_json|no_event/ }),
	'GET': () => ({ bytes: post('', { method: 'GET', length: null,
		signature: null }), status: 405, allow: 'POST' }),
	'HEAD': () => ({ bytes: post('', { method: 'HEAD', length: null,
		signature: null }), status: 405, allow: 'POST', empty: true }),
	'OPTIONS': () => ({ bytes: post('', { method: 'OPTIONS', length: null,
		signature: null }), status: 405, allow: 'POST' }),
	'PUT, signed': () => ({ bytes: post(event(), { method: 'PUT' }),
		status: 405, allow: 'POST' }),
	'DELETE, signed': () => ({ bytes: post(event(), { method: 'DELETE' }),
		status: 405, allow: 'POST' }),
	'PATCH, signed': () => ({ bytes: post(event(), { method: 'PATCH' }),
		status: 405, allow: 'POST' }),
	'a method of no kind': () => ({ bytes: post(event(), { method: 'BREW' }),
		status: [400, 405] }),
	'TRACE': () => ({ bytes: post('', { method: 'TRACE', length: null,
		signature: null }), status: 405 }),
	'HTTP/0.9': () => ({ bytes: Buffer.from(`GET ${WEBHOOK}\r\n\r\n`),
		status: [0, 400, 405], empty: true }),
	'not HTTP': () => ({ bytes: Buffer.from('\x16\x03\x01\x02hello\r\n\r\n'),
		status: 400 }),
	'a chunk of bad size': () => ({ bytes: Buffer.concat([post('',
		{ length: null, extra: ['Transfer-Encoding: chunked'] }),
	Buffer.from('zz\r\n')]), status: 400 }),
	'a length and chunks': () => ({ bytes: post('0\r\n\r\n',
		{ length: 3, extra: ['Transfer-Encoding: chunked'] }), status: 400 }),
};

// path: status of a signed event that is sent there.
const PATHS = {
	[`${WEBHOOK}x`]: 404,
	'/api/webhooks/stripe/../': 404,
	'/api/webhooks/stripe/../status/': 405,
	'/api/webhooks/stripe/%2e%2e/': 404,
	'/api/webhooks/stripe/%2e%2e%2f': 404,
	'/api/webhooks/stripe//x': 404,
	'/api/webhooks/stripe;x': 404,
	'/api/webhooks/stripe/;x': 404,
	'/api/webhooks/stripe%00': 400,
	'/api/webhooks/stripe/%00': 400,
	'/api/webhooks/stripe%0a': 404,
	'/api/webhooks/Stripe/': 404,
	'/api/webhooks/strip': 404,
	'/api/webhooks/stripes': 404,
	'/api/webhooks/': 404,
	'/': 405,
	'/../../etc/passwd': 400,
	'/api/webhooks/stripe/%': 400,
	'/api/webhooks/stripe/\\': 404,
	'/api/webhooks/stripe.php': 404,
	'/api/webhooks/stripe/index.php': 404,
};

// That the workers have used so far, ms.
const work = () => workers.reduce((sum, pid) => sum + cpuTime(pid), 0);

async function check({ bytes, status, code, allow, empty, stored }) {
	const before = work();
	const answer = await sendRaw(server.httpPort, bytes);
	const wanted = [].concat(status);
	assert.ok(wanted.includes(answer.status),
		`status ${answer.status}, not ${wanted}: ${answer.text.slice(0, 300)}`);
	assert.equal(answer.ended, 'closed');
	const ms = work() - before;
	assert.ok(ms < 1000, `took ${ms} ms of work`);
	if (answer.status === 200 || empty)
		return stored;
	const { error } = JSON.parse(answer.body);
	if (code)
		assert.match(error.code, typeof code === 'string' ?
			new RegExp(`^${code}$`) : code, error.message);
	assert.match(error.code, /^[a-z0-9_]+$/);
	assert.ok(error.message.length > 0);
	assert.match(answer.text, /^Content-Type: application\/json/im);
	if (allow)
		assert.match(answer.text, new RegExp(`^Allow: ${allow}\r$`, 'im'));
	assert.doesNotMatch(answer.text, /nginx\/\d/);
	return stored;
}

async function nothingHappened(stored = 0) {
	assert.equal(await server.count('event_journal'), stored);
	assert.equal(await server.count('event_payloads'), stored);
	assert.deepEqual(server.workers().sort(), workers, 'the workers live');
}

describe('each gets its answer', () => {
	for (const [name, make] of Object.entries(CASES))
		test(name, async () => {
			const before = await server.count('event_journal');
			const stored = await check(make());
			await nothingHappened(before + (stored ? 1 : 0));
		});
});

describe('path tricks', () => {
	for (const [path, status] of Object.entries(PATHS))
		test(path, async () => {
			const before = await server.count('event_journal');
			await check({ bytes: post(event(), { path }), status });
			await nothingHappened(before);
		});
	// nginx makes the plain path of these.
	for (const path of ['//api/webhooks/stripe/', '/api//webhooks/stripe/',
		'/x/../api/webhooks/stripe/', '/api/webhooks/./stripe/',
		'/api/webhooks/%73tripe/'])
		test(`${path} is the webhook, or nothing`, async () => {
			const answer = await sendRaw(server.httpPort,
				post(event(), { path }));
			assert.ok([200, 404].includes(answer.status), answer.text);
		});
});

describe('a body that does not come', () => {
	test('cut off: no answer, nothing stored', async () => {
		const before = await server.count('event_journal');
		const body = event();
		const answer = await sendRaw(server.httpPort,
			post(body.slice(0, 100), { signature: sign(body, SECRET),
				length: body.length }), { half: true });
		assert.ok([0, 400].includes(answer.status), answer.text);
		assert.equal(answer.ended, 'closed');
		await nothingHappened(before);
	});

	test('cut off after a full body was announced twice', async () => {
		const before = await server.count('event_journal');
		const body = event();
		await sendRaw(server.httpPort, [post(body.slice(0, -1),
			{ signature: sign(body, SECRET), length: body.length })],
		{ half: true });
		await nothingHappened(before);
	});

	test('40 slow senders keep no delivery waiting', async () => {
		const body = event();
		const half = post(body, { signature: sign(body, SECRET) });
		const slow = Array.from({ length: 40 }, () => sendRaw(server.httpPort,
			half.subarray(0, half.length - 10), { timeout: 8000 }));
		assert.equal((await Promise.race([server.deliver(makePayment()),
			...slow])).status, 200);
		await Promise.all(slow);
	});
});

test('duplicate keys: one event, the last one counts', async () => {
	const first = newId('evt');
	const last = newId('evt');
	const body = print(makePayment({}, { id: first }))
		.replace(/\}$/, `,"id":"${last}"}`);
	const answer = await server.deliver(body);
	assert.ok([200, 400].includes(answer.status));
	const rows = await server.sql('SELECT stripe_event_id AS id FROM ' +
		`event_journal WHERE stripe_event_id IN ('${first}', '${last}')`);
	assert.deepEqual(rows, answer.status === 200 ? [{ id: last }] : []);
});

test(`${ROUNDS} rounds of it all leave the workers no bigger`, async () => {
	const all = Object.values(CASES);
	const round = async () => {
		for (const make of all)
			await check(make());
	};
	// What is free may go back to the kernel now or later: so the most of the
	// first rounds, in which each worker has its turn, and the least of the last.
	const sizes = workers.map(() => []);
	for (let i = 0; i < ROUNDS; i++) {
		await round();
		workers.forEach((pid, k) => sizes[k].push(memory(pid)));
	}
	assert.deepEqual(server.workers().sort(), workers, 'the workers live');
	for (const list of sizes)
		assert.ok(Math.min(...list.slice(-ROUNDS / 3)) -
			Math.max(...list.slice(0, ROUNDS / 3)) < GROWTH, `${list} kB`);
	assert.equal((await server.deliver(makePayment())).status, 200);
});

test('of what was not verified nothing is logged', async () => {
	const body = print(makePayment({ description: 'never-to-be-logged' }));
	await server.deliver(body, { signature: sign(body, 'whsec_other') });
	await server.deliver('never-to-be-logged', { signature: null });
	assert.ok(!server.log().includes('never-to-be-logged'));
	assert.ok(!server.log().includes(JSON.parse(body).id));
});
