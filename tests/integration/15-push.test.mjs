// Who waits is told: long polls, server-sent events, and their ends.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeEvent, makePayment, newId, randomText } from './lib/events.mjs';
import { signal, sleep, until } from './lib/processes.mjs';
import { openStream, statusPath } from './lib/push.mjs';
import { median } from './lib/ranks.mjs';
import { Server, metric } from './lib/server.mjs';

const WAIT_MAX = 12;		// seconds

let server;
before(async () => {
	server = await Server.start({ env: {
		STRIPEHOOK_STATUS_WAIT_MAX: String(WAIT_MAX) } });
});
after(() => server?.stop());

const ask = (id, credential, query = '', headers = {}) => server.get(
	`${statusPath(id)}${query}`,
	{ headers: { Authorization: `Bearer ${credential}`, ...headers } });
const stream = (id, credential, options) =>
	openStream(server.base, id, credential, options);
const parked = async () =>
	metric(await server.metrics(), 'stripehook_status_parked');

async function deliver(event) {
	assert.equal((await server.deliver(event)).status, 200);
	return performance.now();
}

// One payment's events, a second apart as Stripe's clock has it.
function story() {
	const first = makePayment();
	const { id, client_secret: secret } = first.data.object;
	let created = first.created - 100;
	const step = (type, object) => makeEvent(type,
		{ ...first.data.object, last_payment_error: null, ...object },
		{ created: created++ });
	return { id, secret, step };
}

const processing = { status: 'processing', amount_received: 0 };
const declined = { status: 'requires_payment_method', amount_received: 0,
	last_payment_error: { code: 'card_declined', decline_code: 'stolen_card',
		message: 'Your card was declined.', type: 'card_error' } };

describe('server-sent events', () => {
	test('each change, from pending to the end', async () => {
		const { id, secret, step } = story();
		const s = await stream(id, secret);
		assert.equal(s.status, 200);
		assert.match(s.headers['content-type'], /^text\/event-stream/);
		assert.equal(s.headers['cache-control'], 'no-store, no-transform');
		assert.equal((await s.next(1)).data.state, 'pending');
		assert.ok(s.retry >= 500 && s.retry <= 5000, `retry ${s.retry}`);

		await deliver(step('payment_intent.processing', processing));
		assert.equal((await s.next(2)).data.state, 'processing');
		await deliver(step('payment_intent.payment_failed', declined));
		const { data } = await s.next(3);
		assert.equal(data.state, 'failed');
		assert.equal(data.final, false);
		assert.equal(data.failure.decline_code, 'generic_decline');
		assert.equal(data.failure.message, 'Your card was declined.');
		await deliver(step('payment_intent.succeeded', {}));
		const last = await s.next(4);
		assert.equal(last.data.state, 'succeeded');
		assert.equal(last.data.final, true);
		assert.equal(await s.ended, true);
		assert.equal(s.events.length, 4);
		const { headers } = await ask(id, secret);
		assert.equal(headers.etag, `"${last.id}"`);
	});

	// By the ordinary look it would take a second or two.
	test('at once', async () => {
		const times = [];
		for (let i = 0; i < 9; i++) {
			const { id, secret, step } = story();
			const s = await stream(id, secret);
			await s.next(1);
			const at = await deliver(step('payment_intent.succeeded', {}));
			times.push((await s.next(2)).at - at);
		}
		assert.ok(median(times) < 500, `${times} ms`);
	});

	test('what is known comes first, what is final ends it', async () => {
		const event = makePayment();
		const { id, client_secret: secret } = event.data.object;
		await deliver(event);
		const s = await stream(id, secret);
		assert.equal(await s.ended, true);
		assert.deepEqual(s.events.map(({ data }) => data.state),
			['succeeded']);
	});

	test('taken up again, it doesn\'t repeat what the client has', async () => {
		const { id, secret, step } = story();
		await deliver(step('payment_intent.processing', processing));
		const first = await stream(id, secret);
		const { id: etag } = await first.next(1);
		first.close();
		const second = await stream(id, secret,
			{ headers: { 'Last-Event-ID': etag } });
		await sleep(500);
		assert.equal(second.events.length, 0);
		await deliver(step('payment_intent.succeeded', {}));
		const { data, id: final } = await second.next(1);
		assert.equal(data.state, 'succeeded');
		assert.equal(await second.ended, true);
		// No content: an EventSource then stops coming back.
		const third = await stream(id, secret,
			{ headers: { 'Last-Event-ID': final } });
		assert.equal(third.status, 204);
		third.close();
	});

	test('ends at its bound, not in an error', async () => {
		const { id, secret } = story();
		const start = performance.now();
		const s = await stream(id, secret);
		assert.equal(await s.ended, true);
		const ms = performance.now() - start;
		assert.ok(ms > WAIT_MAX * 875 - 500, `${ms} ms`);
		assert.equal(s.events.length, 1);
	});

	test('those that began together don\'t end together', async () => {
		const ends = await Promise.all(Array.from({ length: 16 }, async () => {
			const { id, secret } = story();
			const s = await stream(id, secret);
			assert.equal(await s.ended, true);
			return performance.now();
		}));
		const ms = Math.max(...ends) - Math.min(...ends);
		assert.ok(ms > 400, `${ms} ms`);
	});

	test('refusals are ordinary answers', async () => {
		const { id } = story();
		for (const [credential, code] of [['nonsense', 'bad_credential'],
			[`${newId('pi')}_secret_${randomText(25)}`, 'wrong_id']]) {
			const s = await stream(id, credential);
			assert.equal(s.status, 401);
			await s.ended;
			assert.equal(JSON.parse(s.text).error.code, code);
		}
	});
});

describe('long poll', () => {
	test('answers when there is something to say', async () => {
		const { id, secret, step } = story();
		const waiting = ask(id, secret, '?wait=12');
		await sleep(600);
		await deliver(step('payment_intent.processing', processing));
		const answer = await waiting;
		assert.equal(answer.json.state, 'processing');

		const next = ask(id, secret,
			`?wait=12&after=${encodeURIComponent(answer.headers.etag)}`);
		await sleep(300);
		await deliver(step('payment_intent.succeeded', {}));
		assert.equal((await next).json.state, 'succeeded');
	});

	test('a retry of a failed payment: after= waits for the next', async () => {
		const { id, secret, step } = story();
		await deliver(step('payment_intent.payment_failed',
			{ ...declined, latest_charge: 'ch_1first' }));
		const failed = await ask(id, secret);
		assert.equal(failed.json.attempt, 'ch_1first');
		const next = ask(id, secret,
			`?after=${failed.headers.etag.replaceAll('"', '')}`);
		await sleep(300);
		await deliver(step('payment_intent.payment_failed',
			{ ...declined, latest_charge: 'ch_1second' }));
		const again = await next;
		assert.equal(again.json.state, 'failed');
		assert.equal(again.json.attempt, 'ch_1second');
	});

	test('the present state when the time is over', async () => {
		const { id, secret, step } = story();
		const start = performance.now();
		const nothing = await ask(id, secret, '?wait=1');
		const ms = performance.now() - start;
		assert.ok(ms >= 990 && ms < WAIT_MAX * 1000, `${ms} ms`);
		assert.equal(nothing.json.state, 'pending');
		await deliver(step('payment_intent.processing', processing));
		const { headers: { etag } } = await ask(id, secret);
		const same = await ask(id, secret, '?wait=1',
			{ 'If-None-Match': etag });
		assert.equal(same.status, 304);
		assert.equal((await ask(id, secret, `?wait=1&after=${etag}`))
			.json.state, 'processing');
	});

	test('what is final is answered at once', async () => {
		const event = makePayment();
		const { id, client_secret: secret } = event.data.object;
		await deliver(event);
		const { headers: { etag }, ms } = await ask(id, secret, '?wait=12');
		assert.ok(ms < 9000, `${ms} ms`);
		const again = await ask(id, secret, `?wait=12&after=${etag}`);
		assert.ok(again.ms < 9000, `${again.ms} ms`);
	});

	test('a wait that is no number', async () => {
		const { id, secret } = story();
		for (const wait of ['', 'x', '-1', '1.5', '1s', '99999999999999999999']) {
			const { status, json } = await ask(id, secret, `?wait=${wait}`);
			assert.equal(status, 400, wait);
			assert.equal(json.error.code, 'bad_query');
		}
	});
});

describe('whose news they are', () => {
	test('a wrong secret hears nothing, however long it waits', async () => {
		const { id, secret, step } = story();
		const right = await stream(id, secret);
		const wrong = await stream(id, `${id}_secret_${randomText(25)}`);
		await wrong.next(1);
		await deliver(step('payment_intent.processing', processing));
		await deliver(step('payment_intent.succeeded', {}));
		await right.ended;
		await sleep(2500);
		assert.deepEqual(wrong.events.map(({ data }) => data),
			[{ id, object: 'payment_intent', state: 'pending',
				final: false }]);
		wrong.close();
	});

	test('an invoice by its payment\'s secret, before any is known',
		async () => {
			const payment = makePayment();
			const { id, client_secret: secret } = payment.data.object;
			const invoice = newId('in');
			const s = await stream(invoice, secret);
			assert.equal((await s.next(1)).data.state, 'pending');
			await deliver(payment);
			await deliver(makeEvent('invoice.paid', { id: invoice,
				object: 'invoice', status: 'paid', payment_intent: id,
				amount_due: 500, currency: 'eur',
				hosted_invoice_url: 'https://invoice.example/1' }));
			const { data } = await s.next(2);
			assert.equal(data.state, 'paid');
			assert.equal(data.hosted_invoice_url, 'https://invoice.example/1');
			assert.equal(data.payment_intent, id);
			await s.ended;
		});

	test('a session follows the payment that it made', async () => {
		const { id, secret, step } = story();
		const session = newId('cs_test');
		const key = `${session}_secret_${randomText(40)}`;
		const s = await stream(session, key);
		await s.next(1);
		await deliver(makeEvent('checkout.session.completed', { id: session,
			object: 'checkout.session', client_secret: key, mode: 'payment',
			amount_total: 1999, currency: 'usd', status: 'complete',
			payment_status: 'unpaid', payment_intent: id }));
		assert.equal((await s.next(2)).data.state, 'processing');
		assert.equal(s.events[1].data.payment_intent, id);
		await deliver(step('payment_intent.succeeded', {}));
		const { data } = await s.next(3);
		assert.equal(data.state, 'succeeded');
		assert.equal(data.final, true);
		assert.equal(await s.ended, true);
		assert.ok(!s.text.includes(secret));
	});

	test('what another host commits is found within seconds', async () => {
		const { id, secret, step } = story();
		await deliver(step('payment_intent.processing', processing));
		const s = await stream(id, secret);
		await s.next(1);
		await server.sql("UPDATE payments SET status = 'canceled' " +
			`WHERE stripe_payment_intent_id = '${id}'`);
		assert.equal((await s.next(2)).data.state, 'canceled');
	});
});

describe('slots', () => {
	test('who goes away frees its own', async () => {
		await until(async () => await parked() === 0, 'nobody waits');
		const streams = await Promise.all(Array.from({ length: 40 }, () => {
			const { id, secret } = story();
			return stream(id, secret);
		}));
		await until(async () => await parked() === 40, '40 wait');
		for (const s of streams)
			s.close();
		await until(async () => await parked() === 0, 'nobody waits');
	});

	test('a reload and a restart end every wait cleanly', async () => {
		const { id, secret, step } = story();
		for (const name of ['SIGHUP', 'SIGTERM']) {
			const s = await stream(id, secret);
			await s.next(1);
			const waiting = ask(id, secret, '?wait=12');
			await until(async () => await parked() === 2, 'two wait');
			if (name === 'SIGHUP')
				signal(server.master, name);
			else
				for (const pid of server.workers('status'))
					signal(pid, name);
			assert.equal(await s.ended, true, name);
			const { status, json } = await waiting;
			assert.equal(status, 200, name);
			assert.equal(json.state, 'pending');
			await server.ready();
		}
		const s = await stream(id, secret);
		await deliver(step('payment_intent.succeeded', {}));
		await s.ended;
		assert.equal(s.events.at(-1).data.state, 'succeeded');
	});
});

test('a stream without news shows signs of life', async () => {
	const slow = await Server.start({
		env: { STRIPEHOOK_STATUS_WAIT_MAX: '20' } });
	try {
		const { id, secret } = story();
		const s = await openStream(slow.base, id, secret);
		await s.next(1);
		await until(() => s.comments > 0, 'a comment', 12000);
		assert.equal(s.events.length, 1);
		s.close();
	} finally {
		await slow.stop();
	}
});

test('a full table answers at once, like a poll', async () => {
	const small = await Server.start({ env: { STRIPEHOOK_STATUS_SLOTS: '2',
		STRIPEHOOK_STATUS_WORKERS: '1' } });
	try {
		const open = () => {
			const { id, secret } = story();
			return openStream(small.base, id, secret);
		};
		const waiting = [await open(), await open()];
		const third = await open();
		assert.equal(third.status, 200);
		assert.match(third.headers['content-type'], /^application\/json/);
		await third.ended;
		assert.equal(JSON.parse(third.text).state, 'pending');
		assert.equal(waiting[0].headers['content-type'], 'text/event-stream');
		waiting[0].close();
		await until(async () => metric(await small.metrics(),
			'stripehook_status_parked') === 1, 'a slot is free');
		const fourth = await open();
		assert.equal(fourth.headers['content-type'], 'text/event-stream');
		for (const s of [waiting[1], fourth])
			s.close();
	} finally {
		await small.stop();
	}
});
