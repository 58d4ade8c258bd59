// The routes for front ends and operators.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
	Renamer, makeEvent, makePayment, newId, now, randomText, readFixture,
	readJson,
} from './lib/events.mjs';
import { flood } from './lib/http.mjs';
import { Load } from './lib/load.mjs';
import { signal, sleep, until } from './lib/processes.mjs';
import { median } from './lib/ranks.mjs';
import {
	PUBLISHABLE_KEY, STATUS_KEY, Server, metric, parseMetrics,
} from './lib/server.mjs';
import crypto from 'node:crypto';

let server;
before(async () => {
	server = await Server.start();
});
after(() => server?.stop());

const ask = (id, credential, options = {}) => server.get(
	`/api/webhooks/status/${id}`, { ...options, headers: {
		...(credential === undefined ? {} :
			{ Authorization: `Bearer ${credential}` }),
		...options.headers } });

const makeToken = (id, expiry, key = STATUS_KEY) => `sht1.${expiry}.` +
	crypto.createHmac('sha256', key).update(`sht1.${id}.${expiry}`)
		.digest('hex');

async function ctlToken(id, ...args) {
	const { code, stdout, stderr } = await server.ctl(['token', id, ...args]);
	assert.equal(code, 0, stderr);
	return stdout.trim();
}

async function delivered(event) {
	assert.equal((await server.deliver(event)).status, 200);
	return event.data.object;
}

describe('with a client_secret', () => {
	test('a payment that succeeded', async () => {
		const payment = await delivered(makePayment());
		const answer = await ask(payment.id, payment.client_secret);
		assert.equal(answer.status, 200, answer.text);
		assert.match(answer.headers['content-type'], /^application\/json/);
		assert.equal(answer.headers['cache-control'], 'no-store');
		assert.match(answer.headers.etag, /^(W\/)?"[^"]+"$/);
		const { json } = answer;
		assert.equal(json.id, payment.id);
		assert.equal(json.object, 'payment_intent');
		assert.equal(json.state, 'succeeded');
		assert.equal(json.final, true);
		assert.equal(json.attempt, payment.latest_charge);
		assert.equal(json.amount, payment.amount);
		assert.equal(json.currency, 'usd');
		assert.ok(json.updated_at);
		assert.ok(!answer.text.includes('secret'));
	});

	const states = {
		requires_payment_method: 'pending', requires_confirmation: 'pending',
		requires_action: 'requires_action', processing: 'processing',
		requires_capture: 'authorized', canceled: 'canceled',
		succeeded: 'succeeded',
	};
	for (const [status, state] of Object.entries(states))
		test(`status ${status} is state ${state}`, async () => {
			const payment = await delivered(makePayment({ status },
				{ type: 'payment_intent.created' }));
			const { json, headers } = await ask(payment.id,
				payment.client_secret);
			assert.equal(json.state, state);
			assert.equal(json.final, ['canceled', 'succeeded'].includes(state));
			if (!json.final)
				assert.ok(headers['retry-after'] >= 1);
		});

	test('a payment that failed says why, and is not final', async () => {
		const names = new Renamer();
		const { data } = JSON.parse(names.text(
			readFixture('payment_intent.payment_failed.basil.json')));
		const payment = await delivered(makeEvent(
			'payment_intent.payment_failed', data.object));
		const { json, text } = await ask(payment.id, payment.client_secret);
		assert.equal(json.state, 'failed');
		assert.equal(json.final, false);
		assert.match(text, /insufficient_funds/);
		assert.match(text, /Your card has insufficient funds\./);
	});

	for (const code of ['lost_card', 'stolen_card', 'fraudulent',
		'merchant_blacklist'])
		test(`${code} is nobody's business`, async () => {
			const payment = await delivered(makePayment({
				status: 'requires_payment_method', last_payment_error: {
					code: 'card_declined', decline_code: code,
					message: 'Your card was declined.' } },
			{ type: 'payment_intent.payment_failed' }));
			const { text } = await ask(payment.id, payment.client_secret);
			assert.ok(!text.includes(code), text);
			assert.match(text, /generic_decline/);
		});

	test('a setup intent, a checkout session', async () => {
		for (const [prefix, type, object] of [
			['seti', 'setup_intent.succeeded', { object: 'setup_intent',
				status: 'succeeded' }],
			['cs_test', 'checkout.session.completed', {
				object: 'checkout.session', status: 'complete',
				payment_status: 'paid', mode: 'payment' }]]) {
			const id = `${prefix}_1${randomText(40)}`;
			const secret = `${id}_secret_${randomText(25)}`;
			await delivered(makeEvent(type, { id, created: now(),
				client_secret: secret, ...object }));
			const { json, status } = await ask(id, secret);
			assert.equal(status, 200);
			assert.equal(json.object, object.object);
			assert.notEqual(json.state, 'pending');
		}
	});

	test('opens the invoice and subscription of the payment', async () => {
		const names = new Renamer();
		const events = ['payment_intent.succeeded', 'invoice.payment_succeeded',
			'customer.subscription.updated'].map((type) => JSON.parse(
			names.text(readFixture(`${type}.2024-06-20.json`))));
		for (const event of events)
			await delivered(event);
		const [payment, invoice, subscription] =
			events.map(({ data }) => data.object);
		assert.equal((await ask(invoice.id, payment.client_secret)).json.state,
			'paid');
		assert.equal(
			(await ask(subscription.id, payment.client_secret)).json.state,
			subscription.status);
		const told = (await ask(payment.id, payment.client_secret)).json;
		assert.deepEqual([told.invoice, told.subscription],
			[invoice.id, subscription.id]);
		const other = await delivered(makePayment());
		assert.equal((await ask(invoice.id, other.client_secret)).json.state,
			'pending');
	});

	test('of a payment of several invoices names the last', async () => {
		const payment = await delivered(makePayment());
		for (const name of ['b', 'c', 'a']) {
			const names = new Renamer();
			const event = JSON.parse(names.text(
				readFixture('invoice.payment_succeeded.2024-06-20.json')));
			Object.assign(event.data.object, { id: `in_${name}_${payment.id}`,
				subscription: `sub_${name}`, payment_intent: payment.id });
			await delivered(event);
		}
		const { json } = await ask(payment.id, payment.client_secret);
		assert.deepEqual([json.invoice, json.subscription],
			[`in_c_${payment.id}`, 'sub_c']);
	});

	test('wrong, and of an unknown object: the same answer', async () => {
		const payment = await delivered(makePayment());
		const unknown = newId('pi');
		const wrong = await ask(payment.id,
			`${payment.id}_secret_${randomText(25)}`);
		const none = await ask(unknown, `${unknown}_secret_${randomText(25)}`);
		assert.equal(wrong.status, 200);
		assert.equal(wrong.json.state, 'pending');
		assert.equal(wrong.json.final, false);
		assert.equal(wrong.text.replaceAll(payment.id, 'X'),
			none.text.replaceAll(unknown, 'X'));
		const names = ({ headers }) => Object.keys(headers)
			.filter((name) => name !== 'date').sort();
		assert.deepEqual(names(wrong), names(none));
		assert.equal(wrong.headers['retry-after'],
			none.headers['retry-after']);
	});

	test('asked before the event comes, then after', async () => {
		const event = makePayment();
		const { id, client_secret: secret } = event.data.object;
		assert.equal((await ask(id, secret)).json.state, 'pending');
		await server.deliver(event);
		assert.equal((await ask(id, secret)).json.state, 'succeeded');
	});

	test('If-None-Match', async () => {
		const payment = await delivered(makePayment());
		const { headers } = await ask(payment.id, payment.client_secret);
		const again = await ask(payment.id, payment.client_secret,
			{ headers: { 'If-None-Match': headers.etag } });
		assert.equal(again.status, 304);
		assert.equal(again.text, '');
		assert.equal(again.headers.etag, headers.etag);
	});

	test('stands in no table but the payload', async () => {
		const payment = await delivered(makePayment());
		const tables = await server.sql('SELECT table_name AS name FROM ' +
			"information_schema.tables WHERE table_schema = 'stripehook' AND " +
			"table_type = 'BASE TABLE' AND table_name <> 'event_payloads'");
		assert.ok(tables.length >= 14);
		const part = payment.client_secret.split('_secret_')[1];
		for (const { name } of tables) {
			const columns = (await server.sql('SELECT column_name AS name FROM ' +
				"information_schema.columns WHERE table_schema = 'stripehook' " +
				`AND table_name = '${name}'`)).map((c) => `CAST(\`${c.name}\` AS BINARY)`);
			assert.equal(await server.count(name,
				`CONCAT_WS('', ${columns}) LIKE '%${part}%'`), 0, name);
		}
		assert.ok(!server.log().includes(part));
	});
});

describe('with a token', () => {
	test('made by stripehookctl', async () => {
		const payment = await delivered(makePayment());
		const { json } = await ask(payment.id, await ctlToken(payment.id));
		assert.equal(json.state, 'succeeded');
	});

	test('made by anybody who has the key', async () => {
		const payment = await delivered(makePayment());
		const token = makeToken(payment.id, now() + 60);
		assert.equal((await ask(payment.id, token)).json.state, 'succeeded');
	});

	test('for subscriptions and invoices', async () => {
		const names = new Renamer();
		const subscription = await delivered(JSON.parse(names.text(
			readFixture('customer.subscription.updated.basil.json'))));
		const invoice = await delivered(JSON.parse(names.text(
			readFixture('invoice.payment_failed.basil.json'))));
		for (const object of [subscription, invoice]) {
			const { json } = await ask(object.id, await ctlToken(object.id));
			assert.equal(json.state, object.status);
			assert.equal(json.object, object.object);
		}
	});

	test('of an unknown id: pending', async () => {
		const id = newId('pi');
		assert.equal((await ask(id, makeToken(id, now() + 60))).json.state,
			'pending');
	});

	test('stripehookctl status says the same', async () => {
		const payment = await delivered(makePayment());
		const { code, stdout } = await server.ctl(['status', payment.id]);
		assert.equal(code, 0);
		assert.equal(JSON.parse(stdout).state, 'succeeded');
		assert.equal((await server.ctl(['status', newId('pi')])).code, 1);
		assert.equal((await server.ctl(['status', 'nonsense'])).code, 2);
	});

	test('vectors', async () => {
		const { vectors } = readJson('token-vectors.json');
		assert.ok(vectors.length > 0);
		for (const v of vectors.filter((v) => v.keys.length === 1 &&
			v.expect === 'ok'))
			assert.equal(makeToken(v.id, v.token.split('.')[1], v.keys[0]),
				v.token, v.name);
	});
});

describe('refused', () => {
	const id = newId('pi');
	const other = newId('pi');
	const cases = {
		'no credential': [undefined, 'no_credential'],
		'an empty one': ['', 'no_credential'],
		nonsense: ['hello', 'bad_credential'],
		'a secret of another id': [`${other}_secret_abcdefgh`, 'wrong_id'],
		'a token of another id': [makeToken(other, now() + 60),
			'forged_token'],
		'a token of another key': [makeToken(id, now() + 60, 'x'.repeat(32)),
			'forged_token'],
		'an expired token': [makeToken(id, now() - 5), 'expired_token'],
		'an endless token': ['sht1.99999999999999999999.' + 'a'.repeat(64),
			/bad_credential|forged_token/],
		'a cut token': [makeToken(id, now() + 60).slice(0, -1),
			/bad_credential|forged_token/],
		'a secret with quotes': [`${id}_secret_' OR 1=1 --`, 'bad_credential'],
		'a secret of 4 kB': [`${id}_secret_${'a'.repeat(4096)}`,
			'bad_credential'],
	};
	for (const [name, [credential, code]] of Object.entries(cases))
		test(name, async () => {
			const answer = await ask(id, credential);
			assert.equal(answer.status, 401, answer.text);
			assert.match(answer.json.error.code,
				typeof code === 'string' ? new RegExp(`^${code}$`) : code);
			assert.ok(answer.json.error.message);
		});

	test('a credential in the URL does not count', async () => {
		const payment = await delivered(makePayment());
		for (const name of ['client_secret', 'token', 'access_token'])
			assert.equal((await server.get(`/api/webhooks/status/${payment.id}` +
				`?${name}=${payment.client_secret}`)).status, 401);
	});

	test('another scheme than Bearer', async () => {
		const payment = await delivered(makePayment());
		assert.equal((await server.get(`/api/webhooks/status/${payment.id}`,
			{ headers: { Authorization: `Basic ${payment.client_secret}` } }))
			.status, 401);
	});

	for (const path of ['', 'x', 'ch_1abc', 'pi_', 'pi_1/x', 'pi_1%27', 'pi_ü',
		`pi_${'a'.repeat(300)}`])
		test(`no such id: ${path.slice(0, 20) || '(none)'}`, async () => {
			const answer = await server.get(
				`/api/webhooks/status/${encodeURI(path)}`);
			assert.equal(answer.status, 404, answer.text);
			assert.ok(answer.json.error.code);
		});

	test('other methods', async () => {
		for (const method of ['POST', 'PUT', 'DELETE']) {
			const answer = await ask(id, undefined, { method });
			assert.equal(answer.status, 405);
			assert.match(answer.headers.allow, /GET/);
		}
		const head = await ask(id, `${id}_secret_abcdefgh`,
			{ method: 'HEAD' });
		assert.equal(head.status, 200);
		assert.equal(head.text, '');
	});
});

describe('for operators', () => {
	test('/api/webhooks/config', async () => {
		const answer = await server.get('/api/webhooks/config');
		assert.equal(answer.status, 200);
		assert.deepEqual(answer.json, { publishableKey: PUBLISHABLE_KEY });
	});

	test('/healthz and /readyz', async () => {
		assert.equal((await server.get('/healthz')).status, 200);
		assert.equal((await server.get('/readyz')).status, 200);
	});

	// A look costs the database as much as many questions in it.
	test('polls that come in a moment share a look', async () => {
		const POLLS = 60, MOMENT_MS = 4, WORKERS = 2;
		const payment = await delivered(makePayment());
		const looks = async () => metric(await server.metrics(),
			'stripehook_status_lookups_total');
		const before = await looks();
		const start = Date.now();
		const answers = [];
		for (let i = 0; i < POLLS; i++) {
			answers.push(ask(payment.id, payment.client_secret));
			await sleep(1);
		}
		for (const { status } of await Promise.all(answers))
			assert.equal(status, 200);
		const moments = (Date.now() - start) / MOMENT_MS + 2;
		const made = await looks() - before;
		assert.ok(made <= WORKERS * moments && made < POLLS,
			`${made} looks in ${moments} moments`);
	});

	test('/metrics counts', async () => {
		const before = await server.metrics();
		const event = makePayment();
		await server.deliver(event);
		await server.deliver(event);
		await server.deliver(event, { secret: 'whsec_other' });
		await server.deliver(makeEvent('some.thing', { id: 'x' }));
		const answer = await server.get('/metrics');
		assert.match(answer.headers['content-type'],
			/^text\/plain; version=0\.0\.4/);
		const after = parseMetrics(answer.text);
		const rise = (name, ...labels) =>
			metric(after, name, ...labels) - metric(before, name, ...labels);
		const requests = (outcome) => rise('stripehook_requests_total',
			'pool="ingest"', `outcome="${outcome}"`);
		assert.equal(requests('processed'), 1);
		assert.equal(requests('duplicate'), 1);
		assert.equal(requests('ignored'), 1);
		assert.equal(requests('mismatch'), 1);
		assert.equal(rise('stripehook_verification_failures_total',
			'reason="mismatch"'), 1);
		assert.ok(rise('stripehook_batches_total') >= 1);
		assert.ok(rise('stripehook_batch_events_count') >= 1);
		assert.equal(rise('stripehook_batch_events_sum'), 3);
		assert.ok(rise('stripehook_commit_duration_seconds_sum') > 0);
		// What they took is counted when they are answered.
		await until(async () => metric(await server.metrics(),
			'stripehook_request_duration_seconds_count') - metric(before,
			'stripehook_request_duration_seconds_count') >= 4, 'durations');
		assert.equal(metric(after, 'stripehook_workers', 'ingest'), 2);
		const age = now() - metric(after,
			'stripehook_last_verified_event_timestamp_seconds');
		assert.ok(age >= 0 && age < 60, `${age} s`);
		for (const name of ['stripehook_queue_length',
			'stripehook_requests_in_flight'])
			assert.ok(metric(after, name) >= 0);
	});

	test('counters outlive a worker', async () => {
		await server.deliver(makePayment());
		const total = async () => metric(await server.metrics(),
			'stripehook_requests_total', 'pool="ingest"', 'status="200"');
		const before = await total();
		const workers = server.workers();
		for (const pid of workers)
			signal(pid, 'SIGKILL');
		await until(() => server.workers().length === 2 &&
			!server.workers().some((pid) => workers.includes(pid)), 'new ones');
		await server.ready();
		assert.equal(await total(), before);
	});

	test('every other path is 404', async () => {
		for (const path of ['/x', '/x/', '/index', '/api', '/api/webhooks/',
			'/metrics/', '/healthz/x', '/.env', '/api/webhooks/config/']) {
			const answer = await server.get(path);
			assert.equal(answer.status, 404, path);
			assert.equal(answer.json.error.code, 'not_found');
		}
	});

	// Ten thousand at once are let in.
	test('an endless flood: 429, and the webhook does not mind', async () => {
		const load = new Load(server, { connections: 4 }).start();
		const statuses = new Set();
		let refusal;
		while (load.acked.size < 500) {
			const { seen, text } = await flood(server.httpPort,
				`GET /api/webhooks/status/${newId('pi')} HTTP/1.1`, 429);
			seen.forEach((status) => statuses.add(status));
			refusal = text;
		}
		await load.stop();
		assert.deepEqual(statuses, new Set([401, 429]));
		assert.match(refusal, /\r\nRetry-After: 1\r\n/);
		assert.match(refusal, /"code":"too_many_requests"/);
		assert.equal(load.failures, 0);
		assert.ok(median(load.times) < 500, `${median(load.times)} ms`);
	});

	test('/readyz says why not, and health and metrics go on', async () => {
		const pid = server.pid('mariadbd');
		signal(pid, 'SIGSTOP');
		try {
			// Until every worker has noticed.
			await until(async () => {
				await Promise.all(Array.from({ length: 20 },
					() => server.deliver(makePayment())));
				return metric(await server.metrics(),
					'stripehook_database_up') === 0;
			}, 'both know it');
			const answer = await server.get('/readyz');
			assert.equal(answer.status, 503);
			assert.match(answer.text, /database|connection|ingest/i);
			assert.ok(answer.json.error.message);
			assert.equal((await server.get('/healthz')).status, 200);
		} finally {
			signal(pid, 'SIGCONT');
		}
		await server.ready();
	});

	test('/readyz knows a schema that is not current', async () => {
		await server.sql('RENAME TABLE schema_migrations TO away');
		try {
			assert.equal((await server.get('/readyz')).status, 503);
		} finally {
			await server.sql('RENAME TABLE away TO schema_migrations');
		}
		await server.ready();
	});

	test('stripehookctl check: all is well', async () => {
		const { code, stdout, stderr } = await server.ctl(['check']);
		assert.equal(code, 0, stdout + stderr);
		assert.match(stdout, /ok/);
	});

	test('stripehookctl migrate: again, and twice at once', async () => {
		const runs = await Promise.all([server.ctl(['migrate']),
			server.ctl(['migrate'])]);
		for (const { code, stderr } of runs)
			assert.equal(code, 0, stderr);
		assert.equal((await server.deliver(makePayment())).status, 200);
	});
});

describe('without keys', () => {
	test('no publishable key, no status key', async () => {
		const other = await Server.start({ env: {
			STRIPE_PUBLISHABLE_KEY: undefined } });
		try {
			const answer = await other.get('/api/webhooks/config');
			assert.equal(answer.status, 404);
			assert.ok(answer.json.error.code);
		} finally {
			await other.stop();
		}
	});
});
