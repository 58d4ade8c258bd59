// The status route as a front end that waits uses it.
import http from 'node:http';
import { until } from './processes.mjs';

export const statusPath = (id) => `/api/webhooks/status/${id}`;

// A stream of server-sent events. Resolves when its head is there, to an object
// that gathers events {id, data, ms, at}, comments, retry; ended is a promise.
export function openStream(base, id, credential, { headers = {}, query = '',
	timeout = 60000 } = {}) {
	return new Promise((resolve, reject) => {
		const req = http.get(`${base}${statusPath(id)}${query}`, { headers: {
			Accept: 'text/event-stream',
			Authorization: `Bearer ${credential}`, ...headers } }, (res) => {
			const stream = { status: res.statusCode, headers: res.headers,
				events: [], comments: 0, text: '', req,
				close: () => req.destroy() };
			let rest = '';
			stream.ended = new Promise((done) => {
				res.on('close', () => done(res.complete));
				res.on('error', () => done(false));
			});
			res.on('data', (chunk) => {
				stream.text += chunk;
				const blocks = (rest + chunk).split('\n\n');
				rest = blocks.pop();
				for (const block of blocks)
					readBlock(stream, block);
			});
			stream.next = async (n, ms) => {
				await until(() => stream.events.length >= n,
					`${n} events of ${id}`, ms);
				return stream.events[n - 1];
			};
			resolve(stream);
		});
		req.on('error', reject);
		req.setTimeout(timeout, () => req.destroy(
			new Error(`silent for ${timeout} ms`)));
	});
}

function readBlock(stream, block) {
	const fields = {};
	for (const line of block.split('\n')) {
		const colon = line.indexOf(':');
		if (colon === 0)
			stream.comments++;
		else
			fields[line.slice(0, colon)] = line.slice(colon + 1)
				.replace(/^ /, '');
	}
	if (fields.retry !== undefined)
		stream.retry = Number(fields.retry);
	if (fields.data !== undefined)
		stream.events.push({ id: fields.id, at: performance.now(),
			data: JSON.parse(fields.data) });
}
