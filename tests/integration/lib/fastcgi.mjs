// FastCGI as nginx speaks it to a worker, and as it should not be spoken.
import net from 'node:net';
import { quickPayment, sign } from './events.mjs';
import { WEBHOOK } from './http.mjs';
import { late } from './processes.mjs';

export const TYPE = { BEGIN: 1, ABORT: 2, END: 3, PARAMS: 4, STDIN: 5,
	STDOUT: 6, GET_VALUES: 9 };
const RECORD_MAX = 65535;

export function record(type, content = Buffer.alloc(0), { id = 1, version = 1,
	length = content.length, padding = 0 } = {}) {
	const header = Buffer.from([version, type, id >> 8, id & 255,
		length >> 8, length & 255, padding, 0]);
	return Buffer.concat([header, Buffer.from(content),
		Buffer.alloc(padding)]);
}

export const begin = (options = {}) => record(TYPE.BEGIN,
	Buffer.from([0, options.role ?? 1, options.flags ?? 0, 0, 0, 0, 0, 0]),
	options);

const size = (n) => n < 128 ? Buffer.from([n]) :
	Buffer.from([n >>> 24 | 128, n >>> 16 & 255, n >>> 8 & 255, n & 255]);
export const pair = (name, value, { nameLength = name.length,
	valueLength = Buffer.byteLength(value) } = {}) => Buffer.concat([
	size(nameLength), size(valueLength), Buffer.from(name + value)]);
export const pairs = (params) => Buffer.concat(
	Object.entries(params).map(([name, value]) => pair(name, value)));

const stream = (type, content, options) => {
	const records = [];
	for (let i = 0; i < content.length; i += RECORD_MAX)
		records.push(record(type, content.subarray(i, i + RECORD_MAX),
			options));
	return Buffer.concat([...records, record(type, undefined, options)]);
};

export const params = (body, more = {}) => ({ REQUEST_METHOD: 'POST',
	DOCUMENT_URI: WEBHOOK, QUERY_STRING: '', CONTENT_TYPE: 'application/json',
	CONTENT_LENGTH: String(body.length), REMOTE_ADDR: '127.0.0.1',
	SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_ID: 'f'.repeat(32), ...more });

// A whole request, as nginx sends it.
export function fcgiRequest(body, more, options) {
	return Buffer.concat([begin(options),
		stream(TYPE.PARAMS, pairs(params(body, more)), options),
		stream(TYPE.STDIN, Buffer.from(body), options)]);
}

export function fcgiDelivery(secret, t, options) {
	const { id, body } = quickPayment();
	return { id, bytes: fcgiRequest(Buffer.from(body),
		{ HTTP_STRIPE_SIGNATURE: sign(body, secret, t) }, options) };
}

// Connects; errors are the peer's own affair. Resolves when connected.
export function peer(path) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(path);
		socket.received = '';
		socket.on('data', (data) => {
			socket.received += data.toString('latin1');
		});
		socket.ended = new Promise((end) => {
			socket.on('close', end);
		});
		socket.on('error', reject);		// after 'connect' without effect
		socket.on('connect', () => resolve(socket));
	});
}

// Sends bytes; resolves with the HTTP status of the answer, 0 if there is
// none.
export async function exchange(path, bytes, ms = 30000) {
	const socket = await peer(path);
	socket.write(bytes);
	await Promise.race([socket.ended, late(ms)]);
	socket.destroy();
	return Number(/Status: (\d{3})/.exec(socket.received)?.[1] ?? 0);
}
