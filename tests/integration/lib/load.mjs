// Load over many connections, and a ledger of every answer.
import http from 'node:http';
import { print, quickPayment, sign } from './events.mjs';
import { WEBHOOK, request, stripeHeaders } from './http.mjs';
import { sleep } from './processes.mjs';

export class Load {
	acked = new Map();		// id -> how often answered 2xx
	refused = new Map();		// id -> status (0: no answer) of the last try
	statuses = new Map();		// status -> how often
	bodies = new Map();		// id -> body, of those not acknowledged
	withoutRetryAfter = 0;		// 503 that doesn't say when to come again
	times = [];			// ms, of each answer
	open = new Set();		// requests that wait for theirs

	// pause: ms after a refusal; think: after an acknowledgement.
	constructor(server, { connections = 48, make = quickPayment,
		pause = 50, think = 0, keepAlive = true } = {}) {
		Object.assign(this, { server, connections, make, pause, think });
		this.agent = new http.Agent({ keepAlive, maxSockets: connections });
	}

	start() {
		this.going = true;
		this.loops = Array.from({ length: this.connections },
			() => this.#loop());
		return this;
	}

	async stop() {
		this.going = false;
		await Promise.all(this.loops);
		this.agent.destroy();
		return this;
	}

	async run(ms) {
		this.start();
		await sleep(ms);
		return this.stop();
	}

	get total() {
		let sum = 0;
		for (const n of this.statuses.values())
			sum += n;
		return sum;
	}

	get slowest() {
		return this.times.reduce((most, ms) => Math.max(most, ms), 0);
	}

	get failures() {
		return this.total - (this.statuses.get(200) ?? 0);
	}

	async send({ id, body }) {
		const waits = { id };
		let status = 0;
		this.open.add(waits);
		try {
			const answer = await request(this.server.base + WEBHOOK, {
				method: 'POST', body, agent: this.agent,
				headers: stripeHeaders(body, sign(body, this.server.secret,
					this.server.clock())),
			});
			status = answer.status;
			this.times.push(answer.ms);
			if (status === 503 && answer.headers['retry-after'] === undefined)
				this.withoutRetryAfter++;
		} catch { /* no answer: 0 */ }
		this.open.delete(waits);
		this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
		if (status >= 200 && status < 300) {
			this.acked.set(id, (this.acked.get(id) ?? 0) + 1);
			this.refused.delete(id);
			this.bodies.delete(id);
		} else {
			this.refused.set(id, status);
			this.bodies.set(id, body);
		}
		return status;
	}

	async #loop() {
		while (this.going && !this.server.stopped) {
			const event = this.make();
			const status = await this.send(typeof event.body === 'string' ?
				event : { id: event.id, body: print(event) });
			if (status !== 200)
				await sleep(this.pause);
			else if (this.think > 0)
				await sleep(this.think);
		}
	}

	// What was refused comes again, as from Stripe. Returns how many of them
	// were refused once more.
	async resend() {
		const agent = this.agent = new http.Agent({ keepAlive: true,
			maxSockets: this.connections });
		const again = [...this.bodies];
		let failed = 0;
		const worker = async () => {
			for (let next; (next = again.pop()) !== undefined;)
				if (await this.send({ id: next[0], body: next[1] }) !== 200)
					failed++;
		};
		await Promise.all(Array.from({ length: this.connections }, worker));
		agent.destroy();
		return failed;
	}

	// Compares the ledger with the journal. Every event answered 2xx must be
	// there, once, processed, with its object; none may be 'failed'. The
	// counter may be one too high for each try that got no 2xx.
	async audit(status = 'processed') {
		const rows = new Map((await this.server.sql(
			'SELECT j.stripe_event_id AS id, j.status, j.deliveries, ' +
			'j.object_id IN (SELECT stripe_payment_intent_id FROM payments) ' +
			'AS object FROM event_journal j'))
			.map((row) => [row.id, row]));
		const problems = [];
		for (const [id, times] of this.acked) {
			const row = rows.get(id);
			if (row === undefined)
				problems.push(`${id}: answered 2xx, not stored`);
			else if (row.status !== status)
				problems.push(`${id}: ${row.status}`);
			else if (row.object !== '1')
				problems.push(`${id}: its payment is not there`);
			else if (Number(row.deliveries) < times)
				problems.push(`${id}: ${row.deliveries} deliveries of ${times}`);
		}
		for (const [id] of this.refused)
			if (rows.get(id)?.status === 'failed')
				problems.push(`${id}: refused, and stored as failed`);
		return problems;
	}
}
