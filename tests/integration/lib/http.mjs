// HTTP as Stripe, a browser or an attacker speaks it.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

export const WEBHOOK = '/api/webhooks/stripe/';

// Resolves with the answer; rejects if there is none.
export function request(url, { method = 'GET', headers = {}, body, agent,
	timeout = 60000 } = {}) {
	const start = process.hrtime.bigint();
	const client = url.startsWith('https:') ? https : http;
	return new Promise((resolve, reject) => {
		const req = client.request(url, { method, headers, agent,
			rejectUnauthorized: false }, (res) => {
			const chunks = [];
			res.on('data', (chunk) => chunks.push(chunk));
			res.on('error', reject);
			res.on('end', () => {
				const text = Buffer.concat(chunks).toString();
				let json;
				try {
					json = JSON.parse(text);
				} catch { /* not every answer is JSON */ }
				resolve({ status: res.statusCode, headers: res.headers,
					text, json,
					ms: Number(process.hrtime.bigint() - start) / 1e6 });
			});
		});
		req.on('error', reject);
		req.setTimeout(timeout, () => req.destroy(
			new Error(`no answer within ${timeout} ms`)));
		req.end(body);
	});
}

// Headers as Stripe sends them.
export const stripeHeaders = (body, signature) => ({
	'Content-Type': 'application/json; charset=utf-8',
	'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
	Accept: '*/*; q=0.5, application/xml',
	'Cache-Control': 'no-cache',
	'Content-Length': Buffer.byteLength(body),
	...(signature === undefined ? {} : { 'Stripe-Signature': signature }),
});

// Whole: a head, and an error as JSON.
const ANSWER = /HTTP\/1\.1 (\d{3}) [^]*?\}\}/;

// Sends one request again and again over many connections, several at once,
// until an answer has this status. Resolves with it and all statuses that were
// seen; rejects after the timeout.
export function flood(port, head, status, { connections = 100, atOnce = 10,
	timeout = 120000 } = {}) {
	const requests = `${head}\r\nHost: localhost\r\n\r\n`.repeat(atOnce);
	const seen = new Set();
	const sockets = new Set();
	return new Promise((resolve, reject) => {
		const end = (result) => {
			clearTimeout(timer);
			sockets.forEach((socket) => socket.destroy());
			sockets.clear();
			result instanceof Error ? reject(result) : resolve(result);
		};
		const timer = setTimeout(() => end(new Error(
			`no ${status}, only ${[...seen]}`)), timeout);
		const open = () => {
			const socket = net.connect(port, '127.0.0.1');
			let text = '';
			let answers = 0;
			sockets.add(socket);
			socket.on('connect', () => socket.write(requests));
			socket.on('data', (data) => {
				text += data.toString('latin1');
				for (let one; (one = ANSWER.exec(text)) !== null;) {
					text = text.slice(one.index + one[0].length);
					seen.add(Number(one[1]));
					if (Number(one[1]) === status)
						return end({ seen, text: one[0] });
					if (++answers % atOnce === 0)
						socket.write(requests);
				}
			});
			socket.on('error', () => {});
			// After a thousand requests nginx closes.
			socket.on('close', () => sockets.delete(socket) && open());
		};
		for (let i = 0; i < connections; i++)
			open();
	});
}

// Sends bytes as they are. Resolves with all that came back until the other
// side closed, or until the timeout; ended: which of them.
export function sendRaw(port, chunks, { timeout = 30000, half = false } = {}) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, '127.0.0.1');
		const start = Date.now();
		let text = '';
		const done = (ended) => {
			clearTimeout(limit);
			socket.destroy();
			const match = /^HTTP\/1\.[01] (\d{3})/.exec(text);
			resolve({ text, ended, ms: Date.now() - start,
				status: match ? Number(match[1]) : 0,
				body: text.slice(text.indexOf('\r\n\r\n') + 4) });
		};
		const limit = setTimeout(() => done('timeout'), timeout);
		socket.on('connect', () => {
			for (const chunk of [].concat(chunks))
				socket.write(chunk);
			if (half)
				socket.end();
		});
		socket.on('data', (data) => {
			text += data.toString('latin1');
		});
		socket.on('close', () => done('closed'));
		// A reset after the answer is no matter: see text.
		socket.on('error', (error) => text === '' && error.code !== 'EPIPE' &&
			error.code !== 'ECONNRESET' ? reject(error) : undefined);
	});
}
