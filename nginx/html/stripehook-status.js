/*
 * watchStatus(): how a payment, a subscription, an invoice or a checkout
 * session stands, the moment it is true. Options: stripehook-status.d.ts.
 *
 * It asks stripehook's status route. The secret or token goes in a header,
 * never in a URL. There are three ways to ask; it goes down one, until the
 * network changes, where the better one doesn't get through:
 *   STREAM  server-sent events; not through a proxy that holds them back, nor
 *           while the server has no room (it then answers with JSON)
 *   WAIT    a long poll, once there is a state to wait for the next of; not
 *           through a proxy that cuts it off
 *   POLL    a plain question; also when too many wait already (429)
 * Whatever may get better by itself (no network, a restart, 429, 5xx) is tried
 * again: later and later, at random, not before the answer's Retry-After; and
 * at once when the network is back, the page is shown or the machine wakes up.
 * It ends with a final state, after the time-out (no failure: what is wrong may
 * be on the way here only), or with what can't get better (401, 404).
 */
const POLL = 0, WAIT = 1, STREAM = 2;
const PATIENCE = [10000, 35000, 4000];	// ms without a byte, by way
const HEARTBEAT = 25000;		// the same once a stream flows
const LONG = 5000;			// ms: an answer that was waited for; sleep
const BACKOFF_MAX = 8000;

const bare = (etag) => etag?.replace(/^W\/|"/g, '');

export function watchStatus(id, {
	secret, token, base = '', after, timeout = 60000, signal, onState,
} = {}) {
	return new Promise((resolve, reject) => {
		// A secret in place of the id would show in logs.
		id = id.split('_secret_')[0];
		const url = `${base.replace(/\/+$/, '')}/api/webhooks/status/` +
			encodeURIComponent(id);
		const life = new AbortController();
		let way = STREAM, failures = 0, reconnect = 1000, retryAfter = 0;
		let seen = bare(after), last, bearer;
		let request, hurry, wake, pause, clock;
		let heard, patience = Infinity;
		let beat = Date.now(), deadline = beat + timeout, grace = 2 * LONG;

		function end(settle, value) {
			life.abort();
			clearTimeout(clock);
			settle(value);
			again();
		}

		// Whatever it is doing, it asks anew.
		function again() {
			hurry = true;
			failures = 0;
			request?.abort();
			clearTimeout(pause);
			wake?.();
		}

		// Returns whether it is news.
		function take(state, etag) {
			if (life.signal.aborted)
				return;
			// Some proxies take it away.
			etag = bare(etag) ||
				[state.state, state.attempt, state.updated_at].join();
			const news = etag !== seen;
			state = { ...state, etag };
			if (news) {
				seen = etag;
				failures = 0;
				last = state;
				// What it throws is not ours.
				queueMicrotask(() => onState?.(state));
			}
			if (state.final)
				end(resolve, state);
			return news;
		}

		async function readStream(body) {
			const reader = body.getReader(), decoder = new TextDecoder();
			let text = '';
			for (;;) {
				const { done, value } = await reader.read();
				if (done)
					break;
				heard = Date.now();
				patience = HEARTBEAT;
				failures = 0;
				text += decoder.decode(value, { stream: true })
					.replace(/\r/g, '');
				const blocks = text.split('\n\n');
				text = blocks.pop();
				for (const block of blocks) {
					const event = {};
					for (const line of block.matchAll(/^(\w+): ?([^\n]*)/gm))
						event[line[1]] = line[2];
					reconnect = +event.retry || reconnect;
					if (event.data)
						take(JSON.parse(event.data), event.id);
				}
			}
			if (patience !== HEARTBEAT)
				throw 0;
			return reconnect;
		}

		// Later each time, but not before the server said.
		const later = () => Math.max(retryAfter,
			Math.min(500 * 2 ** failures++, BACKOFF_MAX));

		// Asks once. Returns after how many ms to ask again, or throws.
		async function ask() {
			const renewed = !bearer;
			bearer ??= secret ??
				(typeof token === 'function' ? await token() : token);
			const headers = { Authorization: `Bearer ${bearer}` };
			let query = '';
			if (way === STREAM) {
				headers.Accept = 'text/event-stream';
				if (seen)
					headers['Last-Event-ID'] = seen;
			} else if (way === WAIT && seen) {
				query = `?wait=25&after=${encodeURIComponent(seen)}`;
			}
			heard = Date.now();
			patience = PATIENCE[way];
			const answer = await fetch(url + query, { headers,
				cache: 'no-store', referrerPolicy: 'no-referrer',
				signal: request.signal });
			const { ok, status } = answer;
			const header = (name) => answer.headers.get(name);
			retryAfter = header('Retry-After') * 1000 || 0;
			if (ok && /^text\/event-stream/.test(header('Content-Type')))
				return readStream(answer.body);

			const text = await answer.text();
			if (ok) {
				way = Math.min(way, WAIT);
				const news = take(JSON.parse(text), header('ETag'));
				return news || Date.now() - heard > LONG ? 250 : later();
			}
			if (status === 401 && typeof token === 'function' && !renewed) {
				bearer = undefined;
				return 0;
			}
			if (status === 429)
				way = POLL;
			if (status >= 500 || [408, 425, 429].includes(status))
				throw 0;
			let error = {};
			try {
				({ error } = JSON.parse(text));
			} catch { /* not from stripehook */ }
			end(reject, Object.assign(
				new Error(error.message ?? `${status} from ${url}`),
				{ name: 'StatusError', status, code: error.code }));
		}

		async function watch() {
			while (!life.signal.aborted) {
				request = new AbortController();
				hurry = false;
				retryAfter = 0;
				const cut = way === WAIT;
				let ms;
				try {
					ms = await ask();
				} catch {
					if (cut && !hurry && Date.now() - heard > LONG)
						way = POLL;
					ms = later();
				}
				patience = Infinity;
				if (!hurry)
					await new Promise((go) => {
						wake = go;
						pause = setTimeout(go, ms * (1 + Math.random() / 2));
					});
			}
		}

		// The only clock: time that it missed was slept through.
		function tick() {
			const now = Date.now(), slept = now - beat > LONG;
			beat = now;
			if (slept) {
				again();
			} else if (now - heard > patience) {
				way = Math.max(way - 1, POLL);
				request.abort();
			}
			if (slept && grace && now > deadline) {
				// One more look at what happened meanwhile.
				deadline = now + grace;
				grace = 0;
			}
			if (now < deadline)
				clock = setTimeout(tick, Math.min(deadline - now, 1000));
			else
				end(resolve, { ...(last ?? { id, state: 'pending',
					final: false }), timedOut: true });
		}

		const on = (target, name, call) =>
			target?.addEventListener?.(name, call, { signal: life.signal });

		if (signal?.aborted)
			return reject(signal.reason);
		on(signal, 'abort', () => end(reject, signal.reason));
		on(globalThis, 'online', () => {
			way = STREAM;
			again();
		});
		on(globalThis.document, 'visibilitychange',
			() => document.hidden || again());
		tick();
		watch();
	});
}
