// Stripe's side of `stripe listen`, on loopback: the session and the
// websocket through which events come to the CLI.
import crypto from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';	// RFC 6455
const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 };

function frame(opcode, payload) {
	const data = Buffer.from(payload);
	let head;
	if (data.length < 126) {
		head = Buffer.from([0x80 | opcode, data.length]);
	} else if (data.length < 65536) {
		head = Buffer.from([0x80 | opcode, 126, 0, 0]);
		head.writeUInt16BE(data.length, 2);
	} else {
		head = Buffer.alloc(10);
		head[0] = 0x80 | opcode;
		head[1] = 127;
		head.writeBigUInt64BE(BigInt(data.length), 2);
	}
	return Buffer.concat([head, data]);
}

// Takes whole frames off the front of data: [{ opcode, payload, final }], rest.
function unframe(data) {
	const frames = [];
	for (;;) {
		if (data.length < 2)
			break;
		let length = data[1] & 0x7f;
		let at = 2;
		if (length === 126) {
			if (data.length < 4)
				break;
			length = data.readUInt16BE(2);
			at = 4;
		} else if (length === 127) {
			if (data.length < 10)
				break;
			length = Number(data.readBigUInt64BE(2));
			at = 10;
		}
		const masked = (data[1] & 0x80) !== 0;
		if (data.length < at + (masked ? 4 : 0) + length)
			break;
		const mask = data.subarray(at, at + 4);
		if (masked)
			at += 4;
		const payload = Buffer.from(data.subarray(at, at + length));
		if (masked)
			for (let i = 0; i < length; i++)
				payload[i] ^= mask[i % 4];
		frames.push({ opcode: data[0] & 0x0f, final: data[0] >= 0x80, payload });
		data = data.subarray(at + length);
	}
	return { frames, rest: data };
}

// Emits 'connected', and 'message' with each object that the CLI sends.
export class StripeBackend extends EventEmitter {
	constructor(secret) {
		super();
		this.secret = secret;
		this.requests = [];
		this.server = http.createServer((req, res) => this.#answer(req, res));
		this.server.on('upgrade', (req, socket) => this.#upgrade(req, socket));
	}

	async listen() {
		this.server.listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		this.port = this.server.address().port;
		this.base = `http://127.0.0.1:${this.port}`;
		return this;
	}

	#answer(req, res) {
		this.requests.push(`${req.method} ${req.url}`);
		req.resume();
		const session = req.url.startsWith('/v1/stripecli/sessions');
		const body = JSON.stringify(session ? {
			display_connect_filter_warning: false,
			reconnect_delay: 3600,
			secret: this.secret,
			websocket_authorized_feature: 'webhooks',
			websocket_id: 'cliws_integration',
			websocket_url: `ws://127.0.0.1:${this.port}/subscribe`,
			default_version: '2025-08-27.basil',
			latest_version: '2025-08-27.basil',
		} : { error: { message: 'not here', type: 'invalid_request_error' } });
		res.writeHead(session ? 200 : 404,
			{ 'Content-Type': 'application/json' });
		res.end(body);
	}

	#upgrade(req, socket) {
		const accept = crypto.createHash('sha1')
			.update(req.headers['sec-websocket-key'] + GUID).digest('base64');
		socket.write('HTTP/1.1 101 Switching Protocols\r\n' +
			'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
			`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
		this.socket = socket;
		let rest = Buffer.alloc(0);
		let text = [];
		socket.on('data', (data) => {
			const { frames, rest: left } = unframe(Buffer.concat([rest, data]));
			rest = left;
			for (const { opcode, payload, final } of frames) {
				if (opcode === OPCODE.ping) {
					socket.write(frame(OPCODE.pong, payload));
				} else if (opcode === OPCODE.close) {
					socket.end(frame(OPCODE.close, payload));
				} else if (opcode <= OPCODE.text) {
					text.push(payload);
					if (final) {
						this.emit('message', JSON.parse(Buffer.concat(text)));
						text = [];
					}
				}
			}
		});
		socket.on('error', () => {});
		this.emit('connected');
	}

	// Hands an event to the CLI as Stripe does.
	push(body, headers) {
		const text = String(body);
		const { id } = JSON.parse(text);
		this.socket.write(frame(OPCODE.text, JSON.stringify({
			type: 'webhook_event',
			endpoint: { api_version: null, status: 'enabled' },
			event_payload: text,
			http_headers: headers,
			webhook_conversation_id: `wc_${id}`,
			webhook_id: `wh_${id}`,
		})));
	}

	close() {
		this.socket?.destroy();
		this.server.closeAllConnections?.();
		this.server.close();
	}
}
