// Whoever may connect to the FastCGI sockets, slow, silent or hostile, costs
// the others nothing and brings no worker down.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makePayment } from './lib/events.mjs';
import {
	TYPE, begin, exchange, fcgiDelivery, fcgiRequest, pair, peer, record,
} from './lib/fastcgi.mjs';
import { sleep, until } from './lib/processes.mjs';
import { median } from './lib/ranks.mjs';
import { Server } from './lib/server.mjs';

const PEERS = 60;		// on each socket
const GIVEN_MS = 5000;		// for a request to come whole

let server;
before(async () => {
	server = await Server.start();
});
after(async () => {
	const { left } = await server?.stop() ?? { left: [] };
	assert.deepEqual(left, [], 'nothing is left running');
});

const socketOf = (pool) => path.join(server.state, `run/${pool}.sock`);
const good = () => fcgiDelivery(server.secret).bytes;
const processes = () => [...server.workers(), ...server.workers('status')];

// How long answers take meanwhile, ms.
async function serves(n) {
	const times = [];
	for (let i = 0; i < n; i++) {
		const delivered = await server.deliver(makePayment());
		const asked = await server.get('/readyz');
		assert.equal(delivered.status, 200);
		assert.equal(asked.status, 200);
		times.push(delivered.ms, asked.ms);
	}
	return times;
}

test('a request that comes in pieces is a request', async () => {
	const bytes = good();
	for (const at of [1, 8, 30, 200, bytes.length - 8, bytes.length - 1]) {
		const socket = await peer(socketOf('ingest'));
		const one = good();
		socket.write(one.subarray(0, at));
		await sleep(30);
		socket.write(one.subarray(at));
		await socket.ended;
		assert.match(socket.received, /Status: 200 /, `cut at ${at}`);
	}
});

test('silent peers and half requests delay nobody', async () => {
	const workers = processes();
	const peers = [];
	for (const pool of ['ingest', 'status'])
		for (let i = 0; i < PEERS; i++) {
			const socket = await peer(socketOf(pool));
			socket.write(good().subarray(0, i % 2 === 0 ? 0 : i * 20));
			peers.push(socket);
		}
	const start = Date.now();
	await sleep(200);
	const times = await serves(20);
	// Who waited for one of them would wait until it is cut off.
	assert.ok(median(times) < 500 && Math.max(...times) < GIVEN_MS - 500,
		`${times}`);
	await Promise.all(peers.map(({ ended }) => ended));
	const ms = Date.now() - start;
	assert.ok(ms > GIVEN_MS - 500 && ms < 4 * GIVEN_MS,
		`cut off after ${ms} ms`);
	assert.deepEqual(processes(), workers);
});

const HOSTILE = {
	'FCGI_GET_VALUES with more names than libfcgi has room for':
		record(TYPE.GET_VALUES, Buffer.concat(Array.from({ length: 20 },
			() => pair('FCGI_MAX_CONNS', ''))), { id: 0 }),
	'a parameter of 2 GB': Buffer.concat([begin(), record(TYPE.PARAMS,
		pair('A', 'b', { nameLength: 0x7ffffffe })), record(TYPE.PARAMS),
	record(TYPE.STDIN)]),
	'another role': fcgiRequest(Buffer.from('{}'), {}, { role: 2 }),
	'an abort': Buffer.concat([begin(), record(TYPE.ABORT)]),
};
for (const [name, bytes] of Object.entries(HOSTILE))
	test(`${name}: cut off, and nobody dies`, async () => {
		const workers = processes();
		for (const pool of ['ingest', 'status'])
			for (let i = 0; i < 4; i++)
				assert.equal(await exchange(socketOf(pool), bytes), 0);
		await serves(2);
		assert.deepEqual(processes(), workers);
		assert.match(server.log(), /FastCGI socket: a peer was cut off: /);
	});

// What is half there when the worker is told to go is not lost.
for (const signal of ['SIGHUP', 'SIGTERM'])
	test(`half a request at ${signal} is served`, async () => {
		const bytes = good();
		const sockets = [];
		for (let i = 0; i < 8; i++) {
			const socket = await peer(socketOf('ingest'));
			const one = good();
			socket.write(one.subarray(0, 40 + i));
			sockets.push([socket, one.subarray(40 + i)]);
		}
		await sleep(100);
		const old = server.workers();
		const { length } = server.log();
		process.kill(server.master, signal);
		await until(() => signal === 'SIGTERM' ||
			/serving with/.test(server.log().slice(length)), 'new workers');
		await sleep(100);
		for (const [socket, rest] of sockets)
			socket.write(rest);
		for (const [socket] of sockets) {
			await socket.ended;
			assert.match(socket.received, /Status: 200 /);
		}
		await server.ready();
		await until(() => server.workers().length === 2 &&
			!server.workers().some((pid) => old.includes(pid)), 'new ones');
		assert.equal(await exchange(socketOf('ingest'), bytes), 200);
	});
