// Lifecycles delivered in random orders, with duplicates, over many
// connections, and the rows that must come out.
import assert from 'node:assert/strict';
import http from 'node:http';
import { makeEvent, newId, print, sign } from './events.mjs';
import { WEBHOOK, request, stripeHeaders } from './http.mjs';
import { makeLifecycles } from './lifecycles.mjs';
import { differences, expectedRows, storedRows } from './model.mjs';
import { sleep } from './processes.mjs';
import { EVENT, ROUND, Random } from './story.mjs';

export const CONNECTIONS = 16;
const SAME = 3;		// rounds until other lifecycles are made

// Delivers to a server as Stripe would: until it is answered 2xx.
export class Sender {
	refused = 0;		// answers that weren't

	// Until an event is refused for good, ms; the answers that are refusals.
	constructor(server, connections = CONNECTIONS, { patience = 60000,
		refusals = [0, 503] } = {}) {
		Object.assign(this, { server, connections, patience,
			refusals: new Set(refusals) });
		this.agent = new http.Agent({ keepAlive: true,
			maxSockets: connections });
	}

	// Returns how often it was refused.
	async send(body) {
		const first = Date.now();
		for (let refused = 0; ; refused++, this.refused++) {
			let status = 0;
			try {
				({ status } = await request(this.server.base + WEBHOOK, {
					method: 'POST', body, agent: this.agent,
					headers: stripeHeaders(body,
						sign(body, this.server.secret,
							this.server.clock())),
				}));
			} catch { /* no answer */ }
			if (status === 200)
				return refused;
			assert.ok(this.refusals.has(status), `answered ${status}`);
			assert.ok(Date.now() - first < this.patience,
				`refused for ${this.patience} ms`);
			await sleep(30);
		}
	}

	// In the order of the list, over all connections.
	async sendAll(bodies) {
		let next = 0;
		const loop = async () => {
			while (next < bodies.length)
				await this.send(bodies[next++]);
		};
		await Promise.all(Array.from({ length: this.connections }, loop));
	}

	close() {
		this.agent.destroy();
	}
}

const renamed = (text, name) => text.replaceAll(ROUND, name);

// One delivery of the lifecycles in an order of its own, with new ids.
export class Round {
	constructor(stories, random) {
		this.name = `R${random.text(10)}`;
		this.expected = new Map();
		const lists = [];
		for (const story of stories) {
			const list = [];
			for (const event of story.events)
				this.#add(list, event, random);
			lists.push(list);
			for (const [key, columns] of expectedRows(story))
				this.expected.set(renamed(key, this.name), JSON.parse(
					renamed(JSON.stringify(columns), this.name)));
		}
		// All among each other, or one lifecycle at a time, so that its
		// events come together.
		this.deliveries = random.chance(0.4) ? random.shuffle(lists.flat()) :
			random.shuffle(lists).flatMap((list) => random.shuffle(list));
	}

	#add(list, event, random) {
		const id = `evt_1${random.text(EVENT.length - 5)}`;
		const one = { ...event, id,
			body: renamed(event.body, this.name).replace(EVENT, id) };
		do
			list.push(one);
		while (random.chance(0.3));
	}

	// What the events were that made this row, in the order of delivery.
	story(key) {
		const id = key.slice(key.indexOf(' ') + 1);
		const seen = new Map();
		return this.deliveries
			.filter(({ body }) => body.includes(`"id": "${id}"`))
			.map((one) => {
				const again = seen.has(one.id);
				seen.set(one.id, true);
				return `  ${one.id} ${one.created} ${one.type}${
					renamed(one.object, this.name) === id ? '' : ' (inside)'
				}${again ? ' (again)' : ` ${JSON.stringify(one.previous)}`}`;
			}).join('\n');
	}
}

// Delivers it, and compares all rows.
async function play(sender, round, what) {
	const { server } = sender;
	await sender.sendAll(round.deliveries.map(({ body }) => body));
	const stored = await storedRows(server, round.expected);
	const wrong = differences(round.expected, stored);
	if (wrong.length === 0)
		return;
	const [{ key }] = wrong;
	const id = key.slice(key.indexOf(' ') + 1);
	const journal = await server.sql('SELECT stripe_event_id, status, error, ' +
		`deliveries FROM event_journal WHERE object_id = '${id}'`);
	assert.fail(`${what}: ${wrong.length} wrong columns, the first of\n${key
	}\n${wrong.filter((one) => one.key === key).map((one) =>
		`  ${one.column}: ${JSON.stringify(one.stored)}, but it must be ${
			JSON.stringify(one.expected)}`).join('\n')}\ndelivered\n${
		round.story(key)}\nstored row ${JSON.stringify(stored.get(key))
	}\njournal ${JSON.stringify(journal)}\nall wrong rows: ${[...new Set(wrong
		.map((one) => one.key))].join(', ')}`);
}

// So many rounds. what says what it is.
export async function playRounds(sender, seed, { rounds, what }) {
	const random = new Random(seed);
	const count = { rounds: 0, deliveries: 0 };
	let stories;
	while (count.rounds < rounds) {
		if (count.rounds % SAME === 0)
			stories = makeLifecycles(random.int(1, 1e9));
		const round = new Round(stories, random);
		await play(sender, round, `${what}, round ${count.rounds}`);
		count.rounds++;
		count.deliveries += round.deliveries.length;
	}
	return count;
}

// Deliveries that go on until stop(): lifecycles, whose rows are compared at
// the end, and events about a few rows that many contribute to.
export class Background {
	constructor(server, seed, options) {
		this.server = server;
		this.sender = new Sender(server, 6, options);
		this.random = new Random(seed);
		this.stories = makeLifecycles(seed);
		this.rounds = [];
		this.name = `price_busy_${this.random.text(6)}`;
		this.going = true;
		this.done = this.#run();
		this.done.catch(() => {});
	}

	// Prices that the events of one second change again and again, alone and
	// inside subscriptions.
	#busy() {
		const n = this.count++;
		const created = 1800000000 + Math.floor(n / 20);
		const price = { id: `${this.name}_${Math.floor(n / 40)}`,
			object: 'price', active: true, created: 1700000000,
			currency: 'usd', product: 'prod_busy', lookup_key: `k${n}`,
			metadata: {}, nickname: `n${n}`, type: 'recurring',
			unit_amount: 100, unit_amount_decimal: '100', recurring: {
				interval: 'month', interval_count: 1,
				usage_type: 'licensed' } };
		return print(n % 2 === 0 ?
			makeEvent('price.updated', price, { created,
				data: { object: price, previous_attributes: {
					nickname: `n${n - 2}`, lookup_key: `k${n - 2}` } } }) :
			makeEvent('customer.subscription.updated', { id: newId('sub'),
				object: 'subscription', customer: newId('cus'), created,
				status: 'active', items: { object: 'list', data: [
					{ id: 'si_1', price, quantity: 1 }] } },
			{ created: created + 1 }));
	}

	async #run() {
		this.count = 0;
		while (this.going) {
			const round = new Round(this.random.shuffle(this.stories)
				.slice(0, 6), this.random);
			this.rounds.push(round);
			const bodies = round.deliveries.map(({ body }) => body);
			await this.sender.sendAll(this.random.shuffle([...bodies,
				...Array.from({ length: 60 }, () => this.#busy())]));
			await sleep(400);
		}
	}

	async stop() {
		this.going = false;
		await this.done;
		this.sender.close();
		for (const round of this.rounds)
			assert.deepEqual(differences(round.expected,
				await storedRows(this.server, round.expected)).slice(0, 3),
			[]);
		const number = "SUBSTRING_INDEX(plan_id, '_', -1)";
		assert.deepEqual(await this.server.sql('SELECT plan_id, nickname ' +
			`FROM plans WHERE plan_id LIKE '${this.name}%' AND nickname <> ` +
			`CONCAT('n', 40 * ${number} + 38) AND ${number} < ${
				Math.floor(this.count / 40)}`), []);
		return this.rounds.length;
	}
}
