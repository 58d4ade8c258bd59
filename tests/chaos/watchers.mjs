// Front ends that ask what became of their payments meanwhile: what was
// answered 2xx is seen at once, and those who wait in vain are in nobody's way.
import http from 'node:http';
import { newId, randomText } from '../integration/lib/events.mjs';
import { request } from '../integration/lib/http.mjs';
import { sleep } from '../integration/lib/processes.mjs';
import { statusPath } from '../integration/lib/push.mjs';

const ASKING = 4;
const WAITING = 8;		// for payments that never come
const PAUSE_MS = 25;
const REFUSALS = [0, 429, 503];

export class Watchers {
	seen = 0;
	problems = [];

	// known(): a payment that was answered 2xx, { pi, secret }, if there is
	// one.
	constructor(rig, known) {
		Object.assign(this, { rig, known, going: true });
		this.agent = new http.Agent({ keepAlive: true });
		this.loops = [
			...Array.from({ length: ASKING }, () => this.#ask()),
			...Array.from({ length: WAITING }, () => this.#wait()),
		];
	}

	async #get(id, secret, query) {
		try {
			return await request(`${this.rig.base}${statusPath(id)}${query}`,
				{ agent: this.agent,
					headers: { Authorization: `Bearer ${secret}` } });
		} catch {
			return { status: 0 };
		}
	}

	async #ask() {
		for (; this.going; await sleep(PAUSE_MS)) {
			const payment = this.known();
			if (payment === undefined)
				continue;
			const { status, json, text } = await this.#get(payment.pi,
				payment.secret, '');
			if (status === 200 && json?.state === 'succeeded')
				this.seen++;
			else if (this.going && !REFUSALS.includes(status))
				this.problems.push(`${payment.pi}: status ${status} ${text}`);
		}
	}

	async #wait() {
		for (; this.going; await sleep(PAUSE_MS)) {
			const id = newId('pi');
			const { status, json, text } = await this.#get(id,
				`${id}_secret_${randomText(25)}`, '?wait=2');
			if (status === 200 ? json?.state !== 'pending' :
				!REFUSALS.includes(status))
				this.problems.push(`unknown ${id}: status ${status} ${text}`);
		}
	}

	async stop() {
		this.going = false;
		this.agent.destroy();
		await Promise.all(this.loops);
	}
}
