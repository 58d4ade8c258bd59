// What goes on while things break: deliveries with duplicates whose ledger is
// compared with the journal, lifecycles whose rows are compared with the model,
// and front ends.
import crypto from 'node:crypto';
import { print, quickPayment } from '../integration/lib/events.mjs';
import { Load } from '../integration/lib/load.mjs';
import { sleep } from '../integration/lib/processes.mjs';
import { Background } from '../integration/lib/rounds.mjs';
import { Watchers } from './watchers.mjs';

const CONNECTIONS = 24;
const THINK_MS = 15;
const DUPLICATES = 0.2;
const RECENT = 200;		// events that a duplicate is taken from
const AT_ONCE = 1000;		// ids in one query
const PATIENCE_MS = 120000;

const digest = (body) =>
	crypto.createHash('sha256').update(body).digest('hex');

// refusals: answers other than 2xx that the fault may cause.
export class Traffic {
	digests = new Map();		// id -> of its body
	recent = [];

	constructor(rig, random, refusals) {
		Object.assign(this, { rig, random });
		this.load = new Load(rig, { connections: CONNECTIONS,
			think: THINK_MS, make: () => this.#make() });
		this.stories = new Background(rig, random.int(1, 1e9),
			{ patience: PATIENCE_MS, refusals });
	}

	#make() {
		if (this.recent.length > 0 && this.random.chance(DUPLICATES))
			return this.random.pick(this.recent);
		const event = quickPayment();
		this.digests.set(event.id, digest(event.body));
		this.recent.push(event);
		if (this.recent.length > RECENT)
			this.recent.shift();
		return event;
	}

	// One more event, once. Returns the status of the answer.
	send(event, body = print(event)) {
		this.digests.set(event.id, digest(body));
		return this.load.send({ id: event.id, body });
	}

	start() {
		this.load.start();
		this.watchers = new Watchers(this.rig, () => this.#acknowledged());
		return this;
	}

	// One that a front end may ask for.
	#acknowledged() {
		const event = this.recent[this.recent.length - 1 -
			Math.floor(Math.random() * RECENT / 4)];
		return event !== undefined && this.load.acked.has(event.id) ?
			{ pi: event.pi, secret: /"client_secret": "([^"]*)"/
				.exec(event.body)[1] } : undefined;
	}

	// Until everything was taken: what was refused comes again, as from
	// Stripe. Returns what is wrong with the rows of the lifecycles.
	async stop() {
		await this.watchers.stop();
		await this.load.stop();
		const end = Date.now() + PATIENCE_MS;
		while (await this.load.resend() > 0) {
			if (Date.now() > end)
				throw new Error('events are refused for good');
			await sleep(100);
		}
		await this.stories.stop();
	}

	get answers() {
		return [...this.load.statuses].sort()
			.map(([status, n]) => `${status || 'none'} ${n}`).join(', ');
	}

	// What the ledger has and the journal has not, or not so.
	async audit() {
		const problems = [];
		const ids = [...this.load.acked.keys()];
		for (let i = 0; i < ids.length; i += AT_ONCE)
			problems.push(...await this.#compare(ids.slice(i, i + AT_ONCE)));
		return problems;
	}

	async #compare(ids) {
		const rows = new Map((await this.rig.sql(
			'SELECT e.stripe_event_id AS id, e.status, e.deliveries, ' +
			'SHA2(e.payload, 256) AS digest, (SELECT COUNT(*) FROM payments ' +
			'WHERE stripe_payment_intent_id = e.object_id) AS objects FROM ' +
			`webhook_events e WHERE e.stripe_event_id IN ('${
				ids.join("', '")}')`)).map((row) => [row.id, row]));
		return ids.map((id) => {
			const row = rows.get(id);
			const times = this.load.acked.get(id);
			if (row === undefined)
				return `${id}: answered 2xx, not stored`;
			if (row.status !== 'processed')
				return `${id}: ${row.status}`;
			if (row.digest !== this.digests.get(id))
				return `${id}: not the body that was sent`;
			if (row.objects !== '1')
				return `${id}: ${row.objects} payments`;
			if (Number(row.deliveries) < times)
				return `${id}: ${row.deliveries} deliveries, answered ${times}`;
			return undefined;
		}).filter((problem) => problem !== undefined);
	}
}
