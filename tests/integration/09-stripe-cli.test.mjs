// The real Stripe CLI forwards events: Stripe's side of it is a backend on
// loopback.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import {
	Renamer, fixtureNames, readFixture, sign,
} from './lib/events.mjs';
import { WEBHOOK, stripeHeaders } from './lib/http.mjs';
import { late, until } from './lib/processes.mjs';
import { SECRET, Server } from './lib/server.mjs';
import { StripeBackend } from './lib/stripe-backend.mjs';

const CLI = path.join(path.dirname(fileURLToPath(import.meta.url)),
	'node_modules/.bin/stripe');
const EVENTS = 20;

let server;
let backend;
before(async () => {
	server = await Server.start();
	backend = await new StripeBackend(SECRET).listen();
});
after(async () => {
	backend?.close();
	await server?.stop();
});

// In a home of its own, without the network.
function startCli(args) {
	const home = path.join(server.dir, 'home');
	fs.mkdirSync(home, { recursive: true });
	const cli = spawn('setpriv', ['--pdeathsig', 'TERM', CLI, ...args], {
		env: { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: home,
			STRIPE_API_KEY: 'sk_test_fake0123456789',
			STRIPE_DEVICE_NAME: 'loopback', STRIPE_CLI_TELEMETRY_OPTOUT: '1',
			HTTPS_PROXY: 'http://127.0.0.1:1' },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	cli.text = '';
	for (const stream of [cli.stdout, cli.stderr])
		stream.on('data', (data) => {
			cli.text += data;
		});
	return cli;
}

for (const [where, base, extra] of [
	['http, with the slash', () => server.base + WEBHOOK, []],
	['https, without the slash',
		() => server.secureBase + WEBHOOK.slice(0, -1), ['--skip-verify']],
])
	test(`stripe listen forwards ${EVENTS} events by ${where}`, async () => {
		const answers = new Map();
		const collect = (message) => {
			if (message.type === 'webhook_response')
				answers.set(message.webhook_conversation_id, message.status);
		};
		backend.on('message', collect);
		const connected = once(backend, 'connected');
		const cli = startCli(['listen', '--api-base', backend.base,
			'--skip-update', '--color', 'off', '--all-snapshot',
			'--forward-to', base(), ...extra]);
		try {
			const first = await Promise.race([connected, once(cli, 'exit'),
				late(60000)]);
			assert.ok(Array.isArray(first) && first.length === 0,
				`the CLI did not connect: ${cli.text}`);
			const names = fixtureNames();
			const bodies = Array.from({ length: EVENTS }, (_, i) =>
				new Renamer().text(readFixture(names[i % names.length])));
			for (const body of bodies) {
				const headers = stripeHeaders(body, sign(body, SECRET));
				delete headers['Content-Length'];
				backend.push(body, headers);
			}
			await until(() => answers.size >= EVENTS, 'answers')
				.catch(() => {});
			assert.equal(answers.size, EVENTS, cli.text);
			assert.deepEqual([...new Set(answers.values())], [200]);
			for (const body of bodies) {
				const stored = await server.event(JSON.parse(body).id);
				assert.equal(stored?.status, 'processed');
				assert.ok(stored.payload.equals(Buffer.from(body)));
			}
		} finally {
			backend.off('message', collect);
			const gone = cli.exitCode === null && once(cli, 'exit');
			cli.kill('SIGTERM');
			await gone;
		}
	});
