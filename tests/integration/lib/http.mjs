// HTTP as Stripe, a browser or an attacker speaks it.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

export const WEBHOOK = '/api/webhooks/stripe/';

// Resolves with the answer; rejects if there is none.
export function request(url, { method = 'GET', headers = {}, body, agent,
	timeout = 20000 } = {}) {
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

// Sends one request again and again over many connections, until an answer has
// this status. Resolves with it and all statuses that were seen; rejects after
// the timeout.
export function flood(port, head, status, { connections = 100,
	timeout = 60000 } = {}) {
	const request = `${head}\r\nHost: localhost\r\n\r\n`;
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
			sockets.add(socket);
			socket.on('connect', () => socket.write(request));
			// Answers are small: they come in one piece.
			socket.on('data', (data) => {
				const got = Number(data.toString('latin1', 9, 12));
				seen.add(got);
				if (got === status)
					end({ seen, text: data.toString() });
				else
					socket.write(request);
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
// side closed, or until `quiet` ms after an answer; ended: who closed.
export function sendRaw(port, chunks, { timeout = 5000, half = false,
	quiet = 100 } = {}) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, '127.0.0.1');
		const start = Date.now();
		let text = '';
		let timer;
		const done = (ended) => {
			clearTimeout(limit);
			clearTimeout(timer);
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
			clearTimeout(timer);
			timer = setTimeout(() => done('answered'), quiet);
		});
		socket.on('close', () => done('closed'));
		// A reset after the answer is no matter: see text.
		socket.on('error', (error) => text === '' && error.code !== 'EPIPE' &&
			error.code !== 'ECONNRESET' ? reject(error) : undefined);
	});
}
