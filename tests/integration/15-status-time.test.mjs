// Time doesn't tell whether an object exists: whoever has no right to know gets
// the same answer after the same time.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { makePayment, newId, randomText, shuffle } from './lib/events.mjs';
import { request } from './lib/http.mjs';
import { median, rankTest } from './lib/ranks.mjs';
import { Server } from './lib/server.mjs';
import { Random } from './lib/story.mjs';

const ROUTE = '/api/webhooks/status/';
const SAMPLES = 2500;		// of each kind
const CONNECTIONS = 24;
const SIGMA_MAX = 5;

const wrong = (id) => `${id}_secret_${randomText(25)}`;

let server;
let payments;
let agent;
before(async () => {
	agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
	server = await Server.start();
	const events = Array.from({ length: 200 }, () => makePayment());
	for (const { status } of await Promise.all(events.map((event) =>
		server.deliver(event))))
		assert.equal(status, 200);
	payments = events.map(({ data }) => data.object);
});
after(async () => {
	agent.destroy();
	await server?.stop();
});

const random = new Random(1);
const anyOf = (list) => random.pick(list);

// Who asks, and may not know.
const kinds = {
	'an id that does not exist': () => {
		const id = newId('pi');
		return [id, wrong(id)];
	},
	'a wrong secret': () => {
		const { id } = anyOf(payments);
		return [id, wrong(id)];
	},
	'a secret that is right but for its end': () => {
		const { id, client_secret: secret } = anyOf(payments);
		return [id, `${secret.slice(0, -4)}${randomText(4)}`];
	},
	'the secret of what is yet to come': () => {
		const { id, client_secret: secret } = makePayment().data.object;
		return [id, secret];
	},
};

async function ask([id, credential]) {
	const answer = await request(`${server.base}${ROUTE}${id}`, { agent,
		headers: { Authorization: `Bearer ${credential}` } });
	return { ms: answer.ms, what: JSON.stringify([answer.status,
		answer.text.replace(id, 'ID'), Object.keys(answer.headers).sort(),
		answer.headers['content-length'] - id.length]) };
}

// All kinds in random order over the same connections, so that whatever slows
// this machine slows each of them alike.
async function measure() {
	const samples = Object.fromEntries(Object.keys(kinds).map(
		(name) => [name, []]));
	const answers = new Set();
	const order = shuffle(Array.from({ length: SAMPLES }, () =>
		Object.keys(kinds)).flat(), 1);
	const asker = async () => {
		for (let name; (name = order.pop()) !== undefined;) {
			const { ms, what } = await ask(kinds[name]());
			samples[name].push(ms);
			answers.add(what);
		}
	};
	await Promise.all(Array.from({ length: CONNECTIONS }, asker));
	return { samples, answers };
}

describe('who may not know', () => {
	let samples;
	let answers;
	before(async () => {
		// The first ones find cold caches.
		for (let i = 0; i < 5; i++)
			await Promise.all(Object.values(kinds).map((make) => ask(make())));
		({ samples, answers } = await measure());
	});

	test('gets one and the same answer', () => {
		assert.equal(answers.size, 1, [...answers].join('\n'));
		assert.match([...answers][0], /^\[200,/);
		assert.match([...answers][0], /\\"state\\":\\"pending\\"/);
	});

	test('gets it on the tick, not before', () => {
		for (const [name, list] of Object.entries(samples))
			assert.ok(Math.min(...list) >= 40,
				`${name}: after ${Math.min(...list)} ms`);
	});

	const names = Object.keys(kinds);
	for (let i = 0; i < names.length; i++)
		for (let k = i + 1; k < names.length; k++)
			test(`can't tell ${names[i]} from ${names[k]}`, (t) => {
				const [a, b] = [samples[names[i]], samples[names[k]]];
				const sigma = rankTest(a, b);
				const text = `medians ${median(a).toFixed(3)} and ` +
					`${median(b).toFixed(3)} ms, ranks off by ` +
					`${sigma.toFixed(1)} standard deviations`;
				t.diagnostic(text);
				assert.ok(Math.abs(sigma) < SIGMA_MAX, text);
			});
});

test('the statistics find what there is to find', () => {
	const noise = () => Array.from({ length: SAMPLES },
		() => 50 + random.next() ** 4 * 5);
	const [a, b] = [noise(), noise()];
	assert.ok(Math.abs(rankTest(a, b)) < SIGMA_MAX);
	assert.ok(rankTest(a.map((ms) => ms + 0.05), b) > SIGMA_MAX);
	assert.ok(rankTest(a, a) === 0);
	assert.equal(median([3, 1, 2]), 2);
	assert.equal(median([4, 1, 2, 3]), 2.5);
});
