// Peers on the FastCGI sockets that are slow, silent, or speak nonsense.
import path from 'node:path';
import {
	TYPE, begin, fcgiDelivery, fcgiRequest, pair, pairs, params, peer, record,
} from '../../integration/lib/fastcgi.mjs';
import { sleep } from '../../integration/lib/processes.mjs';

const GIVEN_MS = 5000;		// for a request to come: nobody waits for another's
const NONE = Buffer.alloc(0);
const many = (n, make) => Buffer.concat(Array.from({ length: n },
	(_, i) => make(i)));
const name = (text) => pair(text, '');

// What they send, from random numbers and a good request; then they keep
// still. An array is sent bit by bit.
const PEERS = {
	silent: () => NONE,
	'half a header': (_, good) => good.subarray(0, 5),
	'half a request': (random, good) =>
		good.subarray(0, random.int(9, good.length - 9)),
	'a request without its end': (_, good) =>
		good.subarray(0, good.length - 1),
	'byte after byte': (_, good) => [...good].map((byte) =>
		Buffer.from([byte])),
	'FCGI_GET_VALUES': () => many(20, () => record(TYPE.GET_VALUES,
		many(20, () => name('FCGI_MAX_CONNS')), { id: 0 })),
	'unknown types': () => many(500, (i) => record(i % 200 + 12,
		Buffer.alloc(i % 40), { id: i % 3 })),
	'an abort': () => Buffer.concat([begin(), record(TYPE.ABORT)]),
	'an abort after its parameters': () => Buffer.concat([begin(),
		record(TYPE.PARAMS, pairs(params(''))), record(TYPE.ABORT)]),
	'empty records': () => many(200, (i) => record(i % 11 + 1)),
	'a begin that is too short': () => record(TYPE.BEGIN, Buffer.alloc(3)),
	'begin after begin': () => many(50, (i) => begin({ id: i + 1 })),
	'another request\'s parameters': () => Buffer.concat([begin({ id: 1 }),
		record(TYPE.PARAMS, pairs(params('')), { id: 2 }),
		record(TYPE.PARAMS, NONE, { id: 2 })]),
	'request 0': (_, good) => many(1, () => fcgiRequest(good, {}, { id: 0 })),
	'another version': (_, good) => Buffer.concat([Buffer.from([2]),
		good.subarray(1)]),
	'another role': () => fcgiRequest(NONE, {}, { role: 3 }),
	'parameters without end': () => Buffer.concat([begin(),
		many(40, (i) => record(TYPE.PARAMS, pair(`N${i}`,
			'x'.repeat(60000))))]),
	'a parameter of 2 GB': () => Buffer.concat([begin(),
		record(TYPE.PARAMS, pair('A', 'b', { nameLength: 0x7ffffffe })),
		record(TYPE.PARAMS), record(TYPE.STDIN)]),
	'a parameter that ends too early': () => Buffer.concat([begin(),
		record(TYPE.PARAMS, pair('A', 'b', { valueLength: 90 })),
		record(TYPE.PARAMS), record(TYPE.STDIN)]),
	'a body without end': () => Buffer.concat([begin(),
		record(TYPE.PARAMS, pairs(params(NONE))), record(TYPE.PARAMS),
		many(40, () => record(TYPE.STDIN, Buffer.alloc(60000, 32)))]),
	'less body than it said': () => fcgiRequest(Buffer.from('{}'),
		{ CONTENT_LENGTH: '4000' }),
	'a length that is none': () => fcgiRequest(Buffer.from('{}'),
		{ CONTENT_LENGTH: '-1' }),
	'padding everywhere': (_, good) => Buffer.concat([
		begin({ padding: 255 }), record(TYPE.PARAMS, NONE,
			{ padding: 255 }), good]),
	noise: (random) => Buffer.from(Array.from({ length: 4000 },
		() => random.int(0, 255))),
	'noise after a begin': (random) => Buffer.concat([begin(),
		Buffer.from(Array.from({ length: 4000 },
			() => random.int(0, 255)))]),
};

async function send(socket, bytes, until) {
	for (const piece of Array.isArray(bytes) ? bytes : [bytes]) {
		if (socket.destroyed || Date.now() > until)
			return;
		socket.write(piece);
		if (Array.isArray(bytes))
			await sleep(20);
	}
}

const sockets = (rig) => ['ingest', 'status'].map((pool) =>
	path.join(rig.state, `run/${pool}.sock`));

export default [
	{
		name: 'peers', keeps: ['ingest', 'status'], back: 500,
		slowest: GIVEN_MS - 1000,
		what: 'slow and malicious FastCGI peers, on both sockets',
		async run({ rig, random, say }) {
			const until = Date.now() + random.int(2000, 3000);
			const all = [];
			for (const what of random.shuffle(Object.keys(PEERS))) {
				const n = random.int(1, 8);
				say(`${n} peers: ${what}`);
				for (let i = 0; i < n; i++) {
					const socket = await peer(random.pick(sockets(rig)));
					const { bytes } = fcgiDelivery(rig.secret, rig.clock());
					all.push(socket);
					send(socket, PEERS[what](random, bytes), until);
				}
				await sleep(random.int(0, 60));
			}
			await sleep(Math.max(until - Date.now(), 0));
			for (const socket of all)
				socket.destroy();
		},
	},
	{
		name: 'peers-gone', keeps: ['ingest', 'status'], back: 500,
		slowest: GIVEN_MS - 1000,
		what: 'FastCGI peers that go away before or after their answer',
		async run({ rig, random, say }) {
			const n = random.int(100, 300);
			say(`${n} peers hang up`);
			for (let i = 0; i < n; i++) {
				const socket = await peer(random.pick(sockets(rig)));
				const { bytes } = fcgiDelivery(rig.secret, rig.clock());
				socket.write(bytes.subarray(0, random.chance(0.5) ?
					bytes.length : random.int(0, bytes.length)));
				if (random.chance(0.3))
					await sleep(random.int(0, 10));
				socket.destroy();
			}
		},
	},
];
