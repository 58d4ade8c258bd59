// The production site before the status route: its limits, its own errors, and
// that it passes on what comes bit by bit.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import https from 'node:https';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { makePayment, newId, now, print, randomText } from './lib/events.mjs';
import { flood } from './lib/http.mjs';
import { until } from './lib/processes.mjs';
import { median } from './lib/ranks.mjs';
import { Server, metric } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

const ROUTE = '/api/webhooks/status/';
const SHOP = 'https://shop.example';

let server;
let site;
before(async () => {
	server = await Server.start({ env: { STRIPEHOOK_ALLOWED_ORIGINS: SHOP } });
	const { stdout } = await server.ctl(['settings', '--nginx-origins']);
	// The worker asks nginx for no buffering, too: the site must do without.
	site = await Site.start(server, { origins: stdout, edit: (text) =>
		text.replace('include snippets/stripehook-status.conf;',
			'$& fastcgi_ignore_headers X-Accel-Buffering;') });
});
after(async () => {
	await site?.stop();
	await server?.stop();
});

// A question that the worker answers without asking the database.
const cheap = (from, headers) => site.get(`${ROUTE}pi_1`, { from, headers });

const parked = async () =>
	metric(await server.metrics(), 'stripehook_status_parked');

// Asks for news of what nobody knows; resolves, so far as nginx lets it wait,
// when the worker has parked it.
class Waiting {
	#agent = new https.Agent({ rejectUnauthorized: false });
	#requests = [];
	refused = 0;

	async add(n, from) {
		const before = await parked();
		const { refused } = this;
		for (let i = 0; i < n; i++) {
			const id = newId('pi');
			this.#requests.push(https.get(`${site.base}${ROUTE}${id}?wait=50`, {
				agent: this.#agent, headers: { 'X-Forwarded-For': from,
					Authorization: `Bearer ${id}_secret_${randomText(25)}` },
			}, (res) => {
				assert.equal(res.statusCode, 429);
				this.refused++;
				res.resume();
			}).on('error', () => {}));
		}
		await until(async () => await parked() - before + this.refused -
			refused === n, `${n} requests of ${from}`);
		return this.refused - refused;
	}

	async end() {
		this.#requests.forEach((request) => request.destroy());
		await until(async () => await parked() === 0, 'all are forgotten');
	}
}

describe('limits', () => {
	test('30 questions a second and 200 at once, then 429', async () => {
		const from = '192.0.2.10';
		const start = Date.now();
		let passed = 0;
		let answer;
		do {
			const all = await Promise.all(Array.from({ length: 60 }, () =>
				cheap(from, { Origin: SHOP })));
			passed += all.filter(({ status }) => status === 401).length;
			answer = all.find(({ status }) => status === 429);
		} while (answer === undefined && Date.now() - start < 60000);
		const seconds = (Date.now() - start) / 1000;
		assert.ok(passed >= 200, `${passed} in ${seconds} s`);
		assert.ok(passed <= 202 + 30 * seconds, `${passed} in ${seconds} s`);
		assert.equal(answer.status, 429);
		assert.equal(answer.json.error.code, 'too_many_requests');
		assert.equal(answer.headers['retry-after'], '1');
		assert.equal(answer.headers['cache-control'], 'no-store');
		assert.equal(answer.headers['access-control-allow-origin'], SHOP);
		assert.equal(answer.headers['access-control-expose-headers'],
			'ETag, Retry-After');
		assert.equal(answer.headers.vary, 'Origin');
		// Others, and those who wait as they are told, are let in.
		assert.equal((await cheap('192.0.2.11')).status, 401);
		await until(async () => (await cheap(from)).status === 401, 'patience');
	});

	const exhaust = (from) => until(async () => (await Promise.all(
		Array.from({ length: 60 }, () => cheap(from)))).some(
		({ status }) => status === 429), '429');

	test('429 is not for everybody to read', async () => {
		const from = '192.0.2.12';
		await exhaust(from);
		for (const origin of ['https://evil.example', 'null', undefined]) {
			const answer = await until(async () => {
				const answers = await Promise.all(Array.from({ length: 20 },
					() => cheap(from, origin && { Origin: origin })));
				return answers.find(({ status }) => status === 429);
			}, '429');
			assert.equal(answer.headers['access-control-allow-origin'],
				undefined);
			assert.equal(answer.headers.vary, 'Origin');
		}
	});

	test('all addresses of an IPv6 network are one client', async () => {
		await exhaust('2001:db8:0:7::1');
		// Of its own it has 200, of an exhausted client's 30 a second.
		const limited = async (from) => (await Promise.all(Array.from(
			{ length: 180 }, () => cheap(from)))).some(
			({ status }) => status === 429);
		assert.ok(await limited('2001:db8:0:7:ffff:1:2:3'));
		for (const other of ['2001:db8:0:8::1', '2001:db8::1', '2001:db9::7',
			'::ffff:192.0.2.1', 'fe80::7:0:0:1'])
			assert.ok(!await limited(other), other);
	});

	test('none for deliveries', async () => {
		const statuses = new Set();
		for (let i = 0; i < 10; i++)
			(await Promise.all(Array.from({ length: 40 }, () => server.deliver(
				makePayment(), { url: `${site.base}/api/webhooks/stripe/`,
					agent: site.agent })))).forEach(
				({ status }) => statuses.add(status));
		assert.deepEqual(statuses, new Set([200]));
	});

	test('100 wait of a client, 300 in all; the others poll', async () => {
		const waiting = new Waiting();
		try {
			assert.equal(await waiting.add(103, '192.0.2.20'), 3);
			assert.equal(await waiting.add(100, '192.0.2.21'), 0);
			assert.equal(await waiting.add(100, '2001:db8:5::1'), 0);
			assert.equal(await waiting.add(1, '2001:db8:5::2'), 1);
			assert.equal(await waiting.add(1, '192.0.2.23'), 1);
			const id = newId('pi');
			for (const from of ['192.0.2.20', '192.0.2.23']) {
				const headers = { Authorization: `Bearer ${id}_secret_abc` };
				assert.equal((await site.get(ROUTE + id, { from, headers }))
					.status, 200);
				assert.equal((await site.get(ROUTE + id, { from, headers: {
					...headers, Accept: 'Text/Event-Stream' } })).status, 429);
				assert.equal((await site.get(`${ROUTE}${id}?after=x`,
					{ from, headers })).status, 429);
			}
			// nginx's connections suffice for deliveries beside these.
			assert.equal((await server.deliver(makePayment(), { agent:
				site.agent, url: `${site.base}/api/webhooks/stripe/` }))
				.status, 200);
		} finally {
			await waiting.end();
		}
		assert.doesNotMatch(site.log(), /worker_connections|\[(alert|crit)\]/);
	});
});

describe("nginx's own errors", () => {
	let broken;
	before(async () => {
		const { stdout } = await server.ctl(['settings', '--nginx-origins']);
		broken = await Site.start(server, { name: 'broken', origins: stdout,
			statusSocket: '/nowhere.sock' });
	});
	after(() => broken?.stop());

	test('503 while there is no worker', async () => {
		for (const origin of [SHOP, 'https://evil.example', undefined]) {
			const answer = await broken.get(`${ROUTE}pi_1`,
				{ headers: origin && { Origin: origin } });
			assert.equal(answer.status, 503);
			assert.equal(answer.json.error.code, 'unavailable');
			assert.equal(answer.headers['retry-after'], '5');
			assert.equal(answer.headers['access-control-allow-origin'],
				origin === SHOP ? SHOP : undefined);
			assert.equal(answer.headers.vary, 'Origin');
		}
		const readyz = await broken.get('/readyz', { headers: { Origin: SHOP } });
		assert.equal(readyz.status, 503);
		assert.equal(readyz.headers['access-control-allow-origin'], undefined);
		assert.equal(readyz.headers.vary, undefined);
	});

	test('as shipped nobody may read them', async () => {
		const shipped = await Site.start(server, { name: 'shipped',
			statusSocket: '/nowhere.sock' });
		try {
			const { status, headers } = await shipped.get(`${ROUTE}pi_1`,
				{ headers: { Origin: SHOP } });
			assert.equal(status, 503);
			assert.equal(headers['access-control-allow-origin'], undefined);
		} finally {
			await shipped.stop();
		}
	});
});

describe('an event stream', () => {
	// Resolves with what open(headers) gets: { status, headers, text, ended }.
	const story = async (open) => {
		const event = makePayment({ status: 'processing' },
			{ type: 'payment_intent.processing', created: now() - 5 });
		await server.deliver(event);
		const { id, client_secret: secret } = event.data.object;
		const stream = await open(`${ROUTE}${id}`, {
			Authorization: `Bearer ${secret}`, Accept: 'text/event-stream',
			'Accept-Encoding': 'gzip' });
		assert.equal(stream.status, 200);
		assert.match(stream.headers['content-type'], /^text\/event-stream/);
		assert.equal(stream.headers['content-encoding'], undefined);
		await until(() => /"state":"processing".*\n\n/.test(stream.text),
			'its first event');
		assert.ok(!stream.ended);
		const start = Date.now();
		await server.deliver(makePayment({ ...event.data.object,
			status: 'succeeded' }));
		await until(() => /"state":"succeeded".*\n\n/.test(stream.text),
			'its second event');
		const ms = Date.now() - start;
		await until(() => stream.ended, 'its end');
		return ms;
	};
	// Nothing on the way waits for more to come, nor for the next look, which
	// would take a second or two.
	const quick = (times) =>
		assert.ok(median(times) < 700, `${times} ms`);

	const follow = (stream, source) => {
		source.setEncoding('utf8').on('data', (data) => {
			stream.text += data;
		}).on('end', () => {
			stream.ended = true;
		});
		return stream;
	};

	test('comes through by HTTP/1.1', async () => {
		const times = [];
		for (let i = 0; i < 7; i++)
			times.push(await story(async (route, headers) => {
				const request = https.get(site.base + route, { headers,
					agent: false, rejectUnauthorized: false });
				const [res] = await once(request, 'response');
				return follow({ status: res.statusCode, headers: res.headers,
					text: '', ended: false }, res);
			}));
		quick(times);
	});

	test('comes through by HTTP/2, many over one connection', async () => {
		const session = http2.connect(site.base, { rejectUnauthorized: false });
		try {
			quick(await Promise.all(Array.from({ length: 8 }, () => story(
				async (route, headers) => {
					const request = session.request({ ':path': route,
						...Object.fromEntries(Object.entries(headers).map(
							([name, value]) => [name.toLowerCase(), value])) });
					const [head] = await once(request, 'response');
					return follow({ status: head[':status'], headers: head,
						text: '', ended: false }, request);
				}))));
		} finally {
			session.close();
		}
	});
});

test("the development server's flood is bounded, too", async () => {
	const { seen, text } = await flood(server.httpPort, `GET ${ROUTE}pi_1 ` +
		`HTTP/1.1\r\nOrigin: ${SHOP}`, 429);
	assert.deepEqual(seen, new Set([401, 429]));
	assert.match(text, /\r\nAccess-Control-Allow-Origin: https:\/\/shop\.example\r\n/);
	const event = makePayment();
	assert.equal((await server.deliver(print(event))).status, 200);
});
