// The status route at its edges: pages of other origins, methods, ETags, ids and
// credentials of attackers.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
	ROOT, makeEvent, makePayment, newId, now, randomText,
} from './lib/events.mjs';
import { sendRaw } from './lib/http.mjs';
import { signal, sleep, until } from './lib/processes.mjs';
import { STATUS_KEY, Server } from './lib/server.mjs';

const ROUTE = '/api/webhooks/status/';
const SHOP = 'https://shop.example';
// Longer than nginx's maps take plain text.
const PREVIEW = `https://${'a-branch-with-a-long-name-'.repeat(5)}.shop.example`;
const ORIGINS = [SHOP, 'http://localhost:5173', 'http://[::1]:3000', PREVIEW];
const STRANGERS = ['https://evil.example', 'null', 'http://shop.example',
	'https://shop.example:444', 'https://shop.example.evil.example',
	'https://shop.exampl', 'https://shopxexample', 'https://SHOP.example',
	'https://shop.example/', 'https://evil.example https://shop.example',
	'https://shop.example, https://evil.example', 'shop.example', '*',
	'.*', 'https://shop.example\\E|.*'];

let server;
let payment;		// that has succeeded
before(async () => {
	server = await Server.start({ env: {
		STRIPEHOOK_ALLOWED_ORIGINS: ORIGINS.join() } });
	payment = await delivered(makePayment());
});
after(() => server?.stop());

async function delivered(event) {
	assert.equal((await server.deliver(event)).status, 200);
	return event.data.object;
}

const ask = (id, credential, { headers, ...options } = {}) => server.get(
	`${ROUTE}${id}`, { ...options, headers: {
		...(credential === undefined ? {} :
			{ Authorization: `Bearer ${credential}` }), ...headers } });

const makeToken = (id, expiry, key = STATUS_KEY) => `sht1.${expiry}.` +
	crypto.createHmac('sha256', key).update(`sht1.${id}.${expiry}`)
		.digest('hex');

describe('pages of other origins', () => {
	const secret = () => payment.client_secret;
	const known = (headers, options) =>
		ask(payment.id, secret(), { headers, ...options });
	const answers = {
		'200': known,
		'200 of HEAD': (headers) => known(headers, { method: 'HEAD' }),
		'200, pending': (headers) => {
			const id = newId('pi');
			return ask(id, `${id}_secret_${randomText(25)}`, { headers });
		},
		'304': async (headers) => known({ ...headers,
			'If-None-Match': (await known()).headers.etag }),
		'401': (headers) => ask(payment.id, undefined, { headers }),
		'404': (headers) => ask('ch_1', secret(), { headers }),
		'405': (headers) => known(headers, { method: 'PUT' }),
		"413, nginx's own": (headers) => known(headers, { method: 'POST',
			body: 'x'.repeat(20000) }),
		"405, nginx's own": (headers) => known(headers, { method: 'TRACE' }),
	};
	for (const [name, send] of Object.entries(answers)) {
		const status = Number(name.slice(0, 3));

		test(`may read ${name} if they are listed`, async () => {
			for (const origin of ORIGINS) {
				const answer = await send({ Origin: origin });
				assert.equal(answer.status, status);
				allowed(answer, origin);
			}
		});

		test(`may not read ${name} otherwise`, async () => {
			for (const origin of [undefined, ...STRANGERS]) {
				const answer = await send(origin === undefined ? {} :
					{ Origin: origin });
				assert.equal(answer.status, status);
				refused(answer, origin);
			}
		});
	}

	test('the same with 503', async () => {
		await server.sql('RENAME TABLE payments TO away');
		try {
			const answer = await known({ Origin: SHOP });
			assert.equal(answer.status, 503);
			allowed(answer, SHOP);
			assert.ok(answer.headers['retry-after'] >= 1);
			refused(await known({ Origin: 'https://evil.example' }));
		} finally {
			await server.sql('RENAME TABLE away TO payments');
		}
		await until(async () => (await known()).status === 200, 'recovery');
	});

	const preflight = (origin, headers = {}) => ask(payment.id, undefined, {
		method: 'OPTIONS', headers: { ...(origin && { Origin: origin }),
			'Access-Control-Request-Method': 'GET',
			'Access-Control-Request-Headers': 'authorization', ...headers } });

	test('a preflight', async () => {
		for (const origin of ORIGINS) {
			const { status, headers, text } = await preflight(origin);
			assert.equal(status, 204);
			assert.equal(text, '');
			assert.equal(headers['access-control-allow-origin'], origin);
			assert.equal(headers.vary, 'Origin');
			const list = (name) => headers[`access-control-allow-${name}`]
				.toLowerCase().split(/ *, */).sort();
			assert.deepEqual(list('methods'), ['get', 'head']);
			assert.deepEqual(list('headers'), ['authorization',
				'if-none-match', 'last-event-id']);
			assert.ok(headers['access-control-max-age'] > 0);
			assert.equal(headers['access-control-allow-credentials'],
				undefined);
		}
	});

	test('a preflight of strangers', async () => {
		for (const origin of [undefined, ...STRANGERS])
			refused(await preflight(origin), origin);
	});

	test('stripehookctl check compares the list of nginx', async () => {
		const file = path.join(server.state, 'nginx/origins.conf');
		const text = fs.readFileSync(file, 'utf8');
		const check = async (env = {}) => {
			const { code, stdout } = await server.ctl(['check'],
				{ env: { ...server.env, ...env } });
			return [code, /^nginx's origins +(.*(?:\n {4}.*)*)/m.exec(stdout)[1]];
		};
		assert.deepEqual(await check(), [0, 'ok']);
		for (const wrong of [text.replace(SHOP, 'https://shop.test'),
			text.replace(/\n\t"~.*localhost.*/, ''), '']) {
			fs.writeFileSync(file, wrong);
			const [code, said] = await check();
			assert.equal(code, 1);
			assert.match(said, /^wrong\n.*origins\.conf: differs from STRI/);
			assert.ok(said.includes(`--nginx-origins >${file}'`), said);
		}
		fs.writeFileSync(file, `# a comment of one's own\n${text}`);
		assert.deepEqual(await check(), [0, 'ok']);
		fs.writeFileSync(file, text);
		const none = path.join(server.state, 'nginx/none.conf');
		assert.match(String(await check({ STRIPEHOOK_NGINX_ORIGINS: none })),
			/^1,wrong\n.*none\.conf: No such file/);
		const [code, said] = await check({ STRIPEHOOK_NGINX_ORIGINS:
			path.join(server.state, 'nowhere/origins.conf') });
		assert.equal(code, 0);
		assert.match(said, /^ok\n.*nowhere\/origins\.conf: no such directory/);
		assert.deepEqual(await check({ STRIPEHOOK_ALLOWED_ORIGINS: '',
			STRIPEHOOK_NGINX_ORIGINS: none }), [0, 'ok']);
	});

	test('other routes are for nobody', async () => {
		for (const [route, options] of [['/readyz'], ['/nothing'],
			['/api/webhooks/stripe/', { method: 'POST', body: '{}' }],
			['/api/webhooks/stripe/', { method: 'OPTIONS' }]]) {
			const { headers } = await server.get(route,
				{ ...options, headers: { Origin: SHOP } });
			assert.equal(headers['access-control-allow-origin'], undefined,
				route);
		}
	});
});

test('every field of an answer is in the manual', async () => {
	const manual = fs.readFileSync(path.join(ROOT, 'man/stripehook-status.7'),
		'utf8');
	const documented = new Set([...manual.matchAll(/^\.It Li ([a-z_ ,]+)$/gm)]
		.flatMap(([, names]) => names.split(/ *, */)));
	const types = ['payment_intent.payment_failed', 'setup_intent.succeeded',
		'customer.subscription.updated', 'invoice.payment_failed',
		'checkout.session.completed'];
	const seen = new Set();
	for (const type of types) {
		const { code, stdout, stderr } = await server.ctl(['trigger', type,
			'--print']);
		assert.equal(code, 0, stderr);
		const { data: { object } } = JSON.parse(stdout);
		await delivered(makeEvent(type, object));
		const { json } = await ask(object.id, makeToken(object.id, now() + 60));
		assert.notEqual(json.state, 'pending', type);
		Object.keys(json).forEach((name) => seen.add(name));
	}
	assert.ok(seen.size > 20, [...seen].join());
	for (const name of seen)
		assert.ok(documented.has(name), name);
});

// Twice the same header would be joined by a comma.
function allowed({ headers }, origin) {
	assert.equal(headers['access-control-allow-origin'], origin);
	assert.equal(headers.vary, 'Origin');
	assert.deepEqual(headers['access-control-expose-headers']
		.split(/, */).sort(), ['ETag', 'Retry-After']);
	assert.equal(headers['access-control-allow-credentials'], undefined);
}

function refused({ headers }, origin) {
	for (const name of Object.keys(headers))
		assert.doesNotMatch(name, /^access-control-/, `${origin}: ${name}`);
	assert.equal(headers.vary, 'Origin', origin);
}

describe('methods', () => {
	test('others are 405 and say which will do', async () => {
		for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE',
			'PROPFIND']) {
			const answer = await ask(payment.id, payment.client_secret,
				{ method });
			assert.equal(answer.status, 405, method);
			assert.equal(answer.headers.allow, 'GET, HEAD, OPTIONS', method);
			assert.equal(answer.json.error.code, 'method_not_allowed');
			assert.equal(answer.headers['cache-control'], 'no-store');
		}
	});

	test('HEAD is GET without the body', async () => {
		const pending = newId('pi');
		for (const [id, secret] of [[payment.id, payment.client_secret],
			[pending, `${pending}_secret_abc`]]) {
			const get = await ask(id, secret);
			const head = await ask(id, secret, { method: 'HEAD' });
			assert.equal(head.status, 200);
			assert.equal(head.text, '');
			assert.deepEqual({ ...head.headers, date: 0 },
				{ ...get.headers, date: 0 });
		}
		assert.equal((await ask(payment.id, undefined, { method: 'HEAD' }))
			.status, 401);
	});
});

describe('ETag', () => {
	const askWith = (etag, id = payment.id, secret = payment.client_secret) =>
		ask(id, secret, { headers: { 'If-None-Match': etag } });

	test('304 while nothing changes', async () => {
		const { etag } = (await ask(payment.id, payment.client_secret)).headers;
		assert.match(etag, /^"[^"]+"$/);
		for (const sent of [etag, `W/${etag}`]) {
			const answer = await askWith(sent);
			assert.equal(answer.status, 304, sent);
			assert.equal(answer.text, '');
			assert.equal(answer.headers.etag, etag);
			assert.equal(answer.headers['cache-control'], 'no-store');
		}
		for (const sent of ['"other"', etag.toUpperCase() + '1', '""',
			etag.slice(0, -2) + '"', `"${'x'.repeat(4000)}"`])
			assert.equal((await askWith(sent)).status, 200, sent);
	});

	test('another one after a change', async () => {
		const created = makePayment({ status: 'processing' },
			{ type: 'payment_intent.processing', created: now() - 5 });
		const { id, client_secret: secret } = await delivered(created);
		const { headers } = await ask(id, secret);
		await delivered(makePayment({ ...created.data.object,
			status: 'succeeded' }));
		const answer = await askWith(headers.etag, id, secret);
		assert.equal(answer.status, 200);
		assert.notEqual(answer.headers.etag, headers.etag);
		assert.equal(answer.json.state, 'succeeded');
	});

	test('tells nothing of who is unknown', async () => {
		const unknown = newId('pi');
		const [a, b] = await Promise.all([
			ask(unknown, `${unknown}_secret_abc`),
			ask(payment.id, `${payment.id}_secret_abc`)]);
		const [c, d] = await Promise.all([
			askWith(a.headers.etag, unknown, `${unknown}_secret_abc`),
			askWith(b.headers.etag, payment.id, `${payment.id}_secret_abc`)]);
		assert.deepEqual([c.status, c.text], [d.status, d.text]);
	});
});

describe("attackers' ids", () => {
	const sql = ["' OR '1'='1", "'; DROP TABLE payments; --", "' UNION SELECT " +
		"client_secret_sha256 FROM payments -- ", '" OR ""="', '\\', '%', '_%',
		"' AND SLEEP(5) -- ", '/*', '--', '#', ' ', '\t', '\n', 'é', '%27', ';', '..', '/..', '.json', '?', '<script>'];
	for (const end of sql)
		test(`with ${JSON.stringify(end)}`, async () => {
			for (const id of [`${payment.id}${end}`, `pi_${end}`]) {
				const path = encodeURIComponent(id);
				const answer = await ask(path, payment.client_secret);
				assert.equal(answer.status, 404, id);
				assert.ok(answer.ms < 3000);
				const own = await ask(path, `${id}_secret_abc`
					.replace(/[^\x20-\x7e]/g, '.'));
				assert.equal(own.status, 404, id);
			}
		});

	for (const length of [253, 1000, 10240])
		test(`of ${length} bytes`, async () => {
			const id = `pi_${'a'.repeat(length - 3)}`;
			const known = length <= 255;
			assert.equal((await ask(id, payment.client_secret)).status,
				known ? 401 : 404);
			if (known)
				assert.equal((await ask(id, `${id}_secret_abc`)).json.state,
					'pending');
		});

	test('as bytes that are no URL', async () => {
		for (const id of [`${payment.id}\\x00`, `${payment.id} x`, '\xff\xfe',
			`${payment.id}\x00`, `${payment.id}\x7f`, '%', '%zz']) {
			const { status, text } = await sendRaw(server.httpPort,
				Buffer.from(`GET ${ROUTE}${id} HTTP/1.1\r\nHost: x\r\n` +
				`Authorization: Bearer ${payment.client_secret}\r\n` +
				'Connection: close\r\n\r\n', 'latin1'));
			assert.ok(status === 400 || status === 404, `${id}: ${status}`);
			assert.ok(!text.includes('succeeded'));
		}
	});

	const swap = (text) => text.replace(/[a-z]/gi, (c) =>
		c < 'a' ? c.toLowerCase() : c.toUpperCase());

	test('in the other case are other ids', async () => {
		const [prefix, rest] = [payment.id.slice(0, 3), payment.id.slice(3)];
		const part = payment.client_secret.slice(payment.id.length);
		for (const id of [prefix + swap(rest), prefix + rest.toLowerCase(),
			prefix + rest.toUpperCase()]) {
			assert.equal((await ask(id, payment.client_secret)).status, 401);
			assert.equal((await ask(id, id + part)).json.state, 'pending');
			assert.equal((await ask(id, makeToken(payment.id, now() + 60)))
				.status, 401);
		}
		assert.equal((await ask(swap(prefix) + rest, payment.client_secret))
			.status, 404);
	});

	test('longer and shorter than the one they want', async () => {
		const part = payment.client_secret.slice(payment.id.length);
		for (const id of [payment.id.slice(0, -1), `${payment.id}0`,
			`${payment.id}_`, `${payment.id}_secret`, payment.client_secret,
			`pi_${payment.id}`, 'pi__', payment.id.replace('pi_', 'seti_'),
			payment.id.replace('pi_', 'cs_')]) {
			const stolen = await ask(id, payment.client_secret);
			assert.equal(stolen.status, 401, id);
			const made = await ask(id, id + part);
			assert.ok(made.status === 401 || made.json.state === 'pending',
				`${id}: ${made.text}`);
		}
		for (const id of [payment.id.replace('pi_', 'in_'),
			payment.id.replace('pi_', 'sub_')])
			assert.equal((await ask(id, payment.client_secret)).json.state,
				'pending');
	});

	test('did nothing', async () => {
		assert.equal((await ask(payment.id, payment.client_secret)).json.state,
			'succeeded');
		assert.doesNotMatch(server.log(), /syntax|\(1064\)/);
	});
});

describe("attackers' secrets", () => {
	// 'pending' waits for the tick: so many at once.
	const all = (credentials, check) => Promise.all(credentials.map(
		async (credential) => check(await ask(payment.id, credential),
			credential)));
	const closed = ({ status, json }, credential) => assert.ok(status === 401 ||
		(status === 200 && json.state === 'pending' && !('amount' in json)),
	`${credential}: ${status}`);

	test('cut short, made longer, changed in one place', async () => {
		const secret = payment.client_secret;
		const wrong = [`${secret}0`, `${secret}_secret_abc`, ` ${secret}x`,
			secret.replace('_secret_', '_secret__'), `${secret},${secret}x`];
		for (let i = 0; i < secret.length; i++) {
			wrong.push(secret.slice(0, i));
			const c = secret[i];
			const other = c === c.toLowerCase() ? c.toUpperCase() :
				c.toLowerCase();
			wrong.push(secret.slice(0, i) + (other === c ? 'x' : other) +
				secret.slice(i + 1));
		}
		await all(wrong, closed);
	});

	test("another payment's", async () => {
		const other = await delivered(makePayment());
		const { status, json } = await ask(payment.id, other.client_secret);
		assert.equal(status, 401);
		assert.equal(json.error.code, 'wrong_id');
		closed(await ask(payment.id, payment.id +
			other.client_secret.slice(other.id.length)));
	});

	test('two Authorization headers: the first one counts', async () => {
		const { status, text } = await sendRaw(server.httpPort,
			`GET ${ROUTE}${payment.id} HTTP/1.1\r\nHost: x\r\n` +
			'Authorization: Bearer nonsense\r\n' +
			`Authorization: Bearer ${payment.client_secret}\r\n` +
			'Connection: close\r\n\r\n');
		assert.ok(status === 400 || status === 401, text);
	});
});

describe('tokens', () => {
	const refusal = async (id, token) => {
		const { status, json } = await ask(id, token);
		assert.equal(status, 401, token);
		return json.error.code;
	};

	test('expired, to the second', async () => {
		const { id } = payment;
		assert.equal(await refusal(id, makeToken(id, now())), 'expired_token');
		assert.equal(await refusal(id, makeToken(id, now() - 86400)),
			'expired_token');
		const end = now() + 2;
		const short = makeToken(id, end);
		for (let over = false; !over; await sleep(20)) {
			const before = now();
			over = (await ask(id, short)).status === 401;
			assert.ok(over ? now() >= end : before < end,
				`${over ? 'refused' : 'taken'} at ${before}, ${end}`);
		}
	});

	test('changed in one place, or its end put off', async () => {
		const token = makeToken(payment.id, now() + 60);
		const wrong = [];
		for (let i = 0; i < token.length; i++)
			wrong.push(token.slice(0, i) + (token[i] === '1' ? '2' : '1') +
				token.slice(i + 1), token.slice(0, i) + token.slice(i + 1));
		wrong.push(token.toUpperCase(), `${token}0`,
			token.replace(/\.\d+\./, (t) => `.0${t.slice(1)}`),
			token.replace(/\.\d+\./, `.${now() + 9999}.`));
		const codes = new Set(await Promise.all(wrong.map((text) =>
			refusal(payment.id, text))));
		assert.deepEqual(codes, new Set(['bad_credential', 'forged_token']));
	});

	test('of another id, another key, no key', async () => {
		const { id } = payment;
		const end = now() + 60;
		for (const token of [makeToken(newId('pi'), end),
			makeToken(id.slice(0, -1), end), makeToken(id.toLowerCase(), end),
			makeToken('', end), makeToken(id, end, STATUS_KEY.slice(1)),
			makeToken(id, end, STATUS_KEY.toUpperCase()),
			makeToken(id, end, ''), makeToken(id, end, 'x'.repeat(40))])
			assert.equal(await refusal(id, token), 'forged_token');
	});

	test('while the key is changed', async () => {
		const [old, fresh] = ['a'.repeat(40), 'b'.repeat(40)];
		const other = await Server.start({ env: {
			STRIPEHOOK_STATUS_KEY: undefined } });
		try {
			const file = path.join(other.state, 'run.env');
			const id = newId('pi');
			const status = async (key) => (await other.get(ROUTE + id, {
				headers: { Authorization: `Bearer ${makeToken(id,
					now() + 60, key)}` } })).status;
			const change = async (keys, ...expected) => {
				fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(
					/^STRIPEHOOK_STATUS_KEY=.*/m,
					`STRIPEHOOK_STATUS_KEY=${keys}`));
				signal(other.master, 'SIGHUP');
				await until(async () => String([await status(old),
					await status(fresh)]) === String(expected),
				`${expected}`);
			};
			await change(old, 200, 401);
			await change(`${fresh},${old}`, 200, 200);
			const { stdout } = await other.ctl(['token', id]);
			assert.equal(stdout.trim(),
				makeToken(id, stdout.split('.')[1], fresh));
			await change(fresh, 401, 200);
		} finally {
			await other.stop();
		}
	});
});
