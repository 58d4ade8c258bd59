// The module in Chromium, on pages that ask a real stripehook.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
	makeEvent, makePayment, newId, now, randomText,
} from '../integration/lib/events.mjs';
import { signal, sleep, until } from '../integration/lib/processes.mjs';
import { Server } from '../integration/lib/server.mjs';
import { Site } from '../integration/lib/site.mjs';
import { launch, picture, shows } from './lib/chromium.mjs';
import { Web } from './lib/web.mjs';

let web, elsewhere, server, browser;
before(async () => {
	browser = await launch();
	// Their origins must be known before the server starts.
	web = await Web.listen('http://127.0.0.1');
	elsewhere = await Web.listen('http://127.0.0.1');
	server = await Server.start({ env: {
		STRIPEHOOK_ALLOWED_ORIGINS: web.origin } });
	web.target = new URL(server.base);
});
after(async () => {
	await browser?.close();
	await web?.close();
	await elsewhere?.close();
	await server?.stop();
});

// One payment's life: told(type, fields) delivers its next event, a second
// later by Stripe's clock than the one before.
class Payment {
	constructor() {
		this.object = { ...makePayment().data.object, created: now() - 60,
			status: 'requires_payment_method', amount_received: 0 };
		this.at = now() - 50;
		this.id = this.object.id;
		this.secret = this.object.client_secret;
	}

	async told(type, fields) {
		Object.assign(this.object, { latest_charge: newId('ch') }, fields);
		const { status } = await server.deliver(makeEvent(
			`payment_intent.${type}`, this.object, { created: this.at++ }));
		assert.equal(status, 200);
	}

	succeeds() {
		return this.told('succeeded', { status: 'succeeded',
			last_payment_error: null,
			amount_received: this.object.amount });
	}

	processes() {
		return this.told('processing', { status: 'processing' });
	}

	fails() {
		return this.told('payment_failed', {
			status: 'requires_payment_method', last_payment_error: {
				type: 'card_error', code: 'card_declined',
				decline_code: 'insufficient_funds',
				message: 'Your card has insufficient funds.' } });
	}
}

// A page of its own that watches a payment, or id; asked: what the proxy saw.
async function open(t, payment, { origin = web.origin, context,
	...options } = {}) {
	const own = context ?? await browser.newContext(
		{ viewport: { width: 640, height: 480 }, ignoreHTTPSErrors: true });
	const page = await own.newPage();
	const errors = [];
	page.on('pageerror', (error) => errors.push(error));
	t.after(() => own.close());
	// As Stripe.js comes back.
	await page.goto(`${origin}/?payment_intent_client_secret=` +
		payment.secret);
	await page.waitForFunction(() => window.isReady);
	await watch(page, payment, options);
	return Object.assign(page, { errors });
}

const watch = (page, payment, options = {}) => page.evaluate(
	([id, more]) => window.watch(id, more), [payment.id,
		{ secret: payment.secret, timeout: 90000, ...options }]);

const asked = (payment) => web.requests
	.filter(({ url }) => url.includes(payment.id));
const pushed = (payment) => until(() =>
	asked(payment).at(-1)?.status === 200, 'the stream is open');

describe('on pages', { concurrency: true }, () => {
	describe('a payment', { concurrency: 3 }, () => {
		test('succeeds: shown the moment it is true', async (t) => {
			const payment = new Payment();
			const page = await open(t, payment);
			await shows(page, 'state', 'pending');
			await picture(page, 'pending');
			await payment.succeeds();
			const told = Date.now();
			await shows(page, 'outcome', 'succeeded');
			const ms = await page.evaluate(() => window.changedAt) - told;
			t.diagnostic(`shown ${ms} ms after the delivery was answered`);
			assert.ok(ms < 5000, `${ms} ms`);
			await shows(page, 'states', 'pending succeeded');
			await picture(page, 'succeeded');
			assert.deepEqual(asked(payment).map(({ way }) => way), ['stream']);
			assert.deepEqual(page.errors, []);
		});

		test('had succeeded before: one answer', async (t) => {
			const payment = new Payment();
			await payment.succeeds();
			const page = await open(t, payment);
			await shows(page, 'outcome', 'succeeded');
			await shows(page, 'states', 'succeeded');
			assert.equal(asked(payment).length, 1);
		});

		test('had succeeded when the page last asked', async (t) => {
			const payment = new Payment();
			await payment.succeeds();
			const { headers } = await server.get(
				`/api/webhooks/status/${payment.id}`,
				{ headers: { Authorization: `Bearer ${payment.secret}` } });
			const page = await open(t, payment, { after: headers.etag });
			await shows(page, 'outcome', 'succeeded');
			await shows(page, 'states', '');
		});

		test('fails, and the retry succeeds', async (t) => {
			const payment = new Payment();
			const page = await open(t, payment);
			await shows(page, 'state', 'pending');
			await payment.fails();
			await shows(page, 'state', 'failed');
			await shows(page, 'failure', 'Your card has insufficient funds.');
			await shows(page, 'outcome', '…');
			await picture(page, 'failed');
			const { etag } = await page.evaluate(() => window.latest);
			await watch(page, payment, { after: etag });
			await sleep(1000);
			assert.equal((await page.evaluate(() => window.latest)).etag, etag);
			await payment.succeeds();
			await shows(page, 'outcome', 'succeeded');
			await shows(page, 'states', 'succeeded');
			await shows(page, 'failure', '');
			await picture(page, 'retried');
		});

		test('is slow', async (t) => {
			const payment = new Payment();
			const page = await open(t, payment);
			await shows(page, 'state', 'pending');
			await payment.processes();
			await shows(page, 'state', 'processing');
			await picture(page, 'processing');
			// Longer than nginx waits for ordinary answers.
			await sleep(15000);
			await payment.succeeds();
			await shows(page, 'states', 'pending processing succeeded');
			await shows(page, 'outcome', 'succeeded');
			assert.deepEqual(asked(payment).map(({ way }) => way), ['stream']);
		});

		test('is watched by a page with a fault of its own', async (t) => {
			const payment = new Payment();
			const page = await open(t, payment, { faulty: true });
			await shows(page, 'state', 'pending');
			await payment.succeeds();
			await shows(page, 'outcome', 'succeeded');
			assert.deepEqual(page.errors.map(({ message }) => message),
				['of the page', 'of the page']);
		});

		test('is watched in two tabs', async (t) => {
			const payment = new Payment();
			const first = await open(t, payment);
			const second = await open(t, payment, { context: first.context() });
			for (const page of [first, second])
				await shows(page, 'state', 'pending');
			await payment.succeeds();
			for (const page of [first, second])
				await shows(page, 'outcome', 'succeeded');
		});

		test('with a wrong secret: pending, then timed out', async (t) => {
			const payment = new Payment();
			await payment.succeeds();
			payment.secret = `${payment.id}_secret_${randomText(25)}`;
			const page = await open(t, payment, { timeout: 8000 });
			await shows(page, 'outcome', 'pending, timed out');
			await shows(page, 'states', 'pending');
			await picture(page, 'timed-out');
		});

		test('with the secret of another one: 401', async (t) => {
			const payment = new Payment();
			await payment.succeeds();
			payment.secret = new Payment().secret;
			const page = await open(t, payment);
			await shows(page, 'outcome', '401 wrong_id');
			await shows(page, 'states', '');
			assert.equal(asked(payment).length, 1);
		});

		test('through a proxy that buffers: by long poll', async (t) => {
			const proxy = await Web.listen(server.base);
			t.after(() => proxy.close());
			proxy.buffers = true;
			const payment = new Payment();
			const page = await open(t, payment, { origin: proxy.origin });
			await shows(page, 'state', 'pending');
			await until(() => proxy.requests.length >= 3, 'parked');
			assert.equal(proxy.ways, 'stream poll wait');
			await sleep(1000);
			await payment.succeeds();
			const told = Date.now();
			await shows(page, 'outcome', 'succeeded');
			const ms = await page.evaluate(() => window.changedAt) - told;
			assert.ok(ms < 5000, `${ms} ms`);
			await shows(page, 'states', 'pending succeeded');
			assert.equal(proxy.ways, 'stream poll wait');
			await picture(page, 'buffering-proxy');
		});
	});

	describe('another origin', { concurrency: 3 }, () => {
		for (const secure of [false, true])
			test(`on the list, by ${secure ? 'https' : 'http'}`, async (t) => {
				const payment = new Payment();
				const page = await open(t, payment, {
					base: secure ? server.secureBase : server.base });
				await shows(page, 'state', 'pending');
				await payment.fails();
				await shows(page, 'failure', 'Your card has insufficient funds.');
				const { etag } = await page.evaluate(() => window.latest);
				assert.match(etag, /^[^"]+$/);
				await payment.succeeds();
				await shows(page, 'outcome', 'succeeded');
				await shows(page, 'states', 'pending failed succeeded');
				assert.equal(asked(payment).length, 0);
				await picture(page, `another-origin-${secure ? 'https' : 'http'}`);
			});

		test('on the list: an error is told, too', async (t) => {
			const payment = new Payment();
			payment.secret = new Payment().secret;
			const page = await open(t, payment, { base: server.base });
			await shows(page, 'outcome', '401 wrong_id');
		});

		test('not on the list: hears nothing', async (t) => {
			const payment = new Payment();
			await payment.succeeds();
			const page = await open(t, payment, { origin: elsewhere.origin,
				base: server.base, timeout: 2000 });
			await shows(page, 'outcome', 'pending, timed out');
			await shows(page, 'states', '');
		});
	});

	describe('the production site', { concurrency: 2 }, () => {
		const start = async (t, name, from, to) => {
			const { stdout } = await server.ctl(['settings', '--nginx-origins']);
			const site = await Site.start(server, { name, origins: stdout,
				edit: (text) => {
					assert.ok(text.includes(from), from);
					return text.replace(from, to);
				} });
			t.after(() => site.stop());
			return site;
		};

		test('too many wait: the others poll', async (t) => {
			const site = await start(t, 'full', 'limit_conn stripehook_clients 100',
				'limit_conn stripehook_clients 1');
			const payment = new Payment();
			const first = await open(t, payment, { base: site.base });
			await shows(first, 'state', 'pending');
			const second = await open(t, payment, { base: site.base });
			await shows(second, 'state', 'pending');
			await payment.succeeds();
			for (const page of [first, second])
				await shows(page, 'states', 'pending succeeded');
			const log = fs.readFileSync(path.join(site.dir,
				'stripehook.access.log'), 'utf8');
			assert.equal(log.match(/"GET .*" 429 /g)?.length, 1, log);
		});

		test('too many questions: asked again, not at once', async (t) => {
			const site = await start(t, 'busy', 'rate=30r/s', 'rate=2r/m');
			const proxy = await Web.listen(site.base);
			t.after(() => proxy.close());
			const path = '/api/webhooks/status/x';
			while ((await site.get(path, { from: '127.0.0.1' })).status !== 429)
				;
			const payment = new Payment();
			const page = await open(t, payment, { origin: proxy.origin,
				timeout: 5000 });
			await shows(page, 'outcome', 'pending, timed out');
			assert.ok(proxy.requests.length >= 2 && proxy.requests.length <= 4,
				proxy.ways);
			// One that the end of the watch cut short has no answer.
			assert.deepEqual(proxy.requests.map(({ status }) => status)
				.filter((status) => status !== 429 && status !== undefined),
			[]);
		});
	});
});

describe('in adverse conditions', () => {
	test('offline and back', async (t) => {
		const payment = new Payment();
		const page = await open(t, payment);
		await shows(page, 'state', 'pending');
		await pushed(payment);
		await page.context().setOffline(true);
		web.hang();
		await payment.succeeds();
		await sleep(3000);
		assert.equal(await page.textContent('#state'), 'pending');
		await picture(page, 'offline');
		await page.context().setOffline(false);
		const back = Date.now();
		await shows(page, 'outcome', 'succeeded');
		const ms = await page.evaluate(() => window.changedAt) - back;
		// By itself it would find the stream silent after 25 s.
		assert.ok(ms < 15000, `${ms} ms`);
		await picture(page, 'online-again');
	});

	test('a tab that slept past its time-out looks once more', async (t) => {
		const payment = new Payment();
		const sleeper = await launch();
		t.after(() => sleeper.close());
		const page = await open(t, payment, { timeout: 4000,
			context: await sleeper.newContext() });
		const chrome = await sleeper.newBrowserCDPSession();
		const { processInfo } = await chrome.send('SystemInfo.getProcessInfo');
		const tabs = processInfo.filter(({ type }) => type === 'renderer');
		assert.ok(tabs.length > 0);
		await shows(page, 'state', 'pending');
		for (const { id } of tabs)
			signal(id, 'SIGSTOP');
		web.hang();
		await payment.succeeds();
		await sleep(7000);
		for (const { id } of tabs)
			signal(id, 'SIGCONT');
		await shows(page, 'outcome', 'succeeded');
	});

	test('the server is restarted', async (t) => {
		const payment = new Payment();
		const page = await open(t, payment);
		await shows(page, 'state', 'pending');
		await pushed(payment);
		const old = server.master;
		signal(old, 'SIGTERM');
		await until(() => server.master !== old, 'a new stripehookd');
		await server.ready();
		await payment.processes();
		await shows(page, 'state', 'processing');
		const before = server.pid('nginx');
		signal(before, 'SIGTERM');
		await until(() => server.pid('nginx') !== before, 'a new nginx');
		await server.ready();
		await payment.succeeds();
		await shows(page, 'outcome', 'succeeded');
		await shows(page, 'states', 'pending processing succeeded');
		await picture(page, 'restarted');
	});
});

test('no secret in any log, nor in a URL', () => {
	for (const file of [server.logFile,
		path.join(server.state, 'nginx/access.log'),
		path.join(server.state, 'nginx/error.log')])
		assert.ok(!fs.readFileSync(file, 'utf8').includes('_secret_'), file);
	assert.ok(web.requests.length > 10);
	for (const { url, referrer = '' } of web.requests)
		assert.ok(!`${url} ${referrer}`.includes('_secret_'));
});
