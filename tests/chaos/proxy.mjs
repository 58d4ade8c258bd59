// Stands between stripehookd and MariaDB, and misbehaves when told to. A
// thread of its own, so that the load doesn't slow it down.
import { once } from 'node:events';
import net from 'node:net';
import { Worker, isMainThread, parentPort, workerData } from
	'node:worker_threads';

// What it does with bytes:
//   pass    hands them on, after `delay` ms
//   stall   takes connections and hands nothing on: a half-open connection
//   mute    hands on what the client says and drops the answers: the database
//           commits, and nobody learns of it
//   refuse  does not listen
// reset ends all connections at once; it is an event, not a state.
class Proxy {
	mode = 'pass';
	delay = 0;
	pairs = new Set();

	constructor({ port, socket }) {
		Object.assign(this, { port, socket });
	}

	listen() {
		this.server = net.createServer({ allowHalfOpen: true },
			(client) => this.#accept(client));
		this.server.listen(this.port, '127.0.0.1');
		return once(this.server, 'listening');
	}

	#accept(client) {
		const database = net.connect({ path: this.socket,
			allowHalfOpen: true });
		const pair = { client, database };
		this.pairs.add(pair);
		const end = () => {
			this.pairs.delete(pair);
			client.destroy();
			database.destroy();
		};
		for (const side of [client, database]) {
			side.on('error', end);
			side.on('close', end);
		}
		this.#join(pair, client, database, 'up');
		this.#join(pair, database, client, 'down');
	}

	// Bytes wait in order; a pair's timers all have the same delay but when
	// that is changed, so each takes the queue's head.
	#join(pair, from, to, way) {
		const waiting = [];
		const flush = () => {
			if (this.mode === 'stall')
				return;
			const chunk = waiting.shift();
			if (chunk === undefined ||
				(this.mode === 'mute' && way === 'down'))
				return;
			if (chunk === null)
				to.end();
			else
				to.write(chunk);
		};
		const take = (chunk) => {
			waiting.push(chunk);
			if (this.delay > 0)
				setTimeout(flush, this.delay);
			else
				flush();
		};
		pair[way] = () => {
			while (waiting.length > 0 && this.mode === 'pass')
				flush();
		};
		from.on('data', take);
		from.on('end', () => take(null));
	}

	// With reset, no connection made in between sees the old state.
	async set({ mode = this.mode, delay = this.delay, reset = false }) {
		const before = this.mode;
		Object.assign(this, { mode, delay });
		if (reset)
			this.reset();
		if (before === 'refuse' && mode !== 'refuse')
			await this.listen();
		if (before !== 'refuse' && mode === 'refuse')
			this.server.close();
		for (const { up, down } of this.pairs) {
			up();
			down();
		}
	}

	reset() {
		const n = this.pairs.size;
		for (const { client, database } of this.pairs) {
			client.resetAndDestroy();
			database.destroy();
		}
		return n;
	}

	count() {
		return this.pairs.size;
	}
}

// The same calls from the main thread.
export class ProxyThread {
	static async start(options) {
		const self = new ProxyThread();
		self.worker = new Worker(new URL(import.meta.url),
			{ workerData: options });
		self.worker.unref();
		await self.call('listen');
		return self;
	}

	async call(name, argument) {
		this.worker.ref();
		this.worker.postMessage({ name, argument });
		const [{ value, error }] = await once(this.worker, 'message');
		this.worker.unref();
		if (error !== undefined)
			throw new Error(`proxy: ${error}`);
		return value;
	}

	set = (state) => this.call('set', state);
	reset = () => this.call('reset');
	count = () => this.call('count');
	close = () => this.worker.terminate();
}

if (!isMainThread) {
	const proxy = new Proxy(workerData);
	parentPort.on('message', async ({ name, argument }) => {
		try {
			const value = await proxy[name](argument);
			parentPort.postMessage({
				value: typeof value === 'number' ? value : null });
		} catch (error) {
			parentPort.postMessage({ error: error.message });
		}
	});
}
