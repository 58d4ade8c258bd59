// A status route whose answers the test makes itself.
import { once } from 'node:events';
import http from 'node:http';

export const ID = 'pi_1ScriptedScriptedScripted';
export const SECRET = `${ID}_secret_0123456789abcdefghijklmno`;

const HEADERS = { 'Cache-Control': 'no-store' };

export const event = (state) => `id: ${state.state}-${state.updated_at}\n` +
	`data: ${JSON.stringify(state)}\n\n`;

export const state = (name, more = {}) => ({ id: ID, object: 'payment_intent',
	state: name, final: ['succeeded', 'canceled'].includes(name),
	updated_at: 1, ...more });

export function json(res, body, { status = 200, ...headers } = {}) {
	const etag = body.state === undefined ? {} :
		{ ETag: `"${body.state}-${body.updated_at}"` };
	res.writeHead(status, { 'Content-Type': 'application/json', ...HEADERS,
		...etag, ...headers });
	res.end(JSON.stringify(body));
}

export function stream(res, ...states) {
	res.writeHead(200, { 'Content-Type': 'text/event-stream', ...HEADERS });
	res.write('retry: 300\n\n');
	for (const one of states)
		res.write(event(one));
	return res;
}

export const refuse = (res, status, code, headers) => json(res,
	{ error: { code, message: `It is ${code}.` } }, { status, ...headers });

export class Scripted {
	requests = [];

	// answer(res, asked): asked = { url, headers, way, n, at, open }.
	static async listen(answer, port = 0) {
		const server = new Scripted();
		server.answer = answer;
		server.http = http.createServer((req, res) => server.#take(req, res));
		server.http.listen(port, '127.0.0.1');
		// A test that fails may leave it open.
		server.http.unref();
		await once(server.http, 'listening');
		server.port = server.http.address().port;
		server.base = `http://127.0.0.1:${server.port}`;
		return server;
	}

	#take(req, res) {
		const url = new URL(req.url, this.base);
		const asked = { url, headers: req.headers, n: this.requests.length,
			at: Date.now(), open: true,
			way: req.headers.accept === 'text/event-stream' ? 'stream' :
				url.searchParams.has('wait') ? 'wait' : 'poll' };
		this.requests.push(asked);
		res.on('close', () => {
			asked.open = false;
		});
		this.answer(res, asked);
	}

	get ways() {
		return this.requests.map(({ way }) => way).join(' ');
	}

	close() {
		this.http.closeAllConnections?.();
		return new Promise((closed) => this.http.close(closed));
	}
}
