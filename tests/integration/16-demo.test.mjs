// The demo page and what makes its payments: what it starts happens, nobody
// but its own page drives it, and production has none of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT } from './lib/events.mjs';
import { processName, signal, sleep, until } from './lib/processes.mjs';
import { STATUS_KEY, Server, run } from './lib/server.mjs';
import { Site } from './lib/site.mjs';

const HTML = path.join(ROOT, 'nginx/html');
const FILES = ['index.html', 'demo.css', 'demo.js', 'demo.svg'];
const PAGE = fs.readFileSync(path.join(HTML, 'index.html'), 'utf8');
const SCENARIOS = [...PAGE.matchAll(/name="scenario" value="(\w+)"/g)]
	.map(([, name]) => name);

let server;
let secretFile;
before(async () => {
	secretFile = path.join(fs.mkdtempSync('/tmp/sh-test-secret-'), 'secret');
	fs.writeFileSync(secretFile, 'whsec_first_0123456789abcdef');
	server = await Server.start({ env: { STRIPE_WEBHOOK_SECRET: undefined,
		STRIPE_WEBHOOK_SECRET_FILE: secretFile } });
});
after(async () => {
	const stopped = await server?.stop();
	fs.rmSync(path.dirname(secretFile), { recursive: true });
	assert.deepEqual(stopped?.left ?? [], []);
});

const JSON_TYPE = { 'Content-Type': 'application/json' };

function start(scenario, { headers = JSON_TYPE, body } = {}) {
	return server.get('/demo/payments', { method: 'POST', headers,
		body: body ?? JSON.stringify({ scenario }) });
}

async function started(scenario) {
	const { status, json, text } = await start(scenario);
	assert.equal(status, 200, text);
	return json;
}

const state = async (id, credential) => (await server.get(
	`/api/webhooks/status/${id}`,
	{ headers: { Authorization: `Bearer ${credential}` } })).json;

// Until nothing is delivered any more.
async function over() {
	let last;
	await until(async () => {
		const [before] = [last, last = await server.count('webhook_events'),
			await sleep(4000)];
		return before === last;
	}, 'the end of all stories');
}

const reaches = (told, name) => until(async () =>
	(await state(told.id, told.client_secret)).state === name, name);

describe('the page', () => {
	test('comes with a policy that forbids what it does not use', async () => {
		const { status, headers, text } = await server.get('/');
		assert.equal(status, 200);
		assert.equal(text, PAGE);
		assert.equal(headers['content-type'], 'text/html; charset=utf-8');
		assert.equal(headers['x-content-type-options'], 'nosniff');
		const policy = headers['content-security-policy'].split('; ');
		assert.ok(policy.includes("default-src 'none'"));
		for (const rule of policy)
			assert.match(rule, /^[a-z-]+ '(none|self)'$/);
	});

	test('and needs nothing from elsewhere', async () => {
		for (const file of [...FILES, 'stripehook-status.js']) {
			const { status, headers, text } = await server.get(`/${file}`);
			assert.equal(status, 200, file);
			assert.equal(headers['x-content-type-options'], 'nosniff');
			assert.doesNotMatch(text.replace('http://www.w3.org/2000/svg', ''),
				/(src|href|url|import|fetch)[^\n]{0,20}https?:/, file);
		}
		assert.match((await server.get('/demo.js')).headers['content-type'],
			/^text\/javascript/);
		assert.doesNotMatch(PAGE, /<style|\bstyle=|\bon\w+=|<script>/);
	});

	test('with no other file of its directory', async () => {
		for (const file of ['stripehook-status.d.ts', 'html/index.html',
			'index.html/', '../nginx.conf', 'demo.js.map'])
			assert.equal((await server.get(`/${file}`)).status, 404, file);
	});
});

describe('a payment', () => {
	test('goes its way, and is seen in the list of events', async () => {
		const told = await started('retried');
		assert.match(told.id, /^pi_/);
		assert.ok(told.client_secret.startsWith(`${told.id}_secret_`));
		assert.equal(told.subscription, undefined);
		assert.ok(told.lasts_ms > 2000 && told.lasts_ms < 20000);
		await reaches(told, 'failed');
		const { failure } = await state(told.id, told.client_secret);
		assert.equal(failure.message, 'Your card has insufficient funds.');
		await reaches(told, 'succeeded');
		const { json } = await server.get('/demo/events');
		assert.equal(json.fault, null);
		const mine = json.events.filter(({ object }) => object === told.id);
		assert.deepEqual(mine.map(({ type }) => type), [
			'payment_intent.succeeded', 'payment_intent.payment_failed',
			'payment_intent.created']);
		for (const { status, ms, received, id } of mine) {
			assert.equal(status, 'processed');
			assert.ok(ms > 0 && ms < 60000, `${ms} ms`);
			assert.ok(Date.now() - Date.parse(received) < 120000);
			const { stdout } = await run('grep', [id, server.logFile]);
			assert.ok(stdout.includes(` ${ms.toFixed(3)} ms`), stdout);
		}
	});

	test('all that the page offers, at once', async () => {
		assert.equal(SCENARIOS.length, 7);
		await over();
		const before = await server.count('webhook_events');
		const all = await Promise.all(SCENARIOS.map(started));
		const slowest = Math.max(...all.map(({ lasts_ms: ms }) => ms));
		const expected = all.reduce((n, { events }) => n + events, before);
		// Nobody waits for it meanwhile.
		for (let i = 0; i < 3; i++)
			await server.get('/demo/events');
		assert.ok(await server.count('webhook_events') < expected);
		await until(async () =>
			await server.count('webhook_events') === expected,
		`${expected} events`, slowest + 60000);
		assert.equal(await server.count('admin_failed_events'), 0);
		const ends = {};
		for (const told of all) {
			const [id, credential] = told.token ?
				[told.subscription, told.token] :
				[told.id, told.client_secret];
			ends[told.scenario] = (await state(id, credential)).state;
			for (const renewal of told.renewals)
				assert.equal((await state(renewal.id,
					renewal.client_secret)).state, 'succeeded');
		}
		assert.deepEqual(ends, { one_time: 'succeeded', retried: 'succeeded',
			secured: 'succeeded', debited: 'succeeded', trial: 'active',
			paid: 'active', recovered: 'active' });
	});

	const shell = (command) => run('sh', ['-c', command],
		{ env: server.env, cwd: ROOT });

	test('goes another way by the commands shown', async (t) => {
		const told = await started('debited');
		await reaches(told, 'processing');
		// The story must not go on before all of this is done.
		const pid = server.pid('stripehookctl');
		signal(pid, 'SIGSTOP');
		t.after(() => signal(pid, 'SIGCONT'));
		const born = new Set();
		for (const [type, name] of [['requires_action', 'requires_action'],
			['payment_failed', 'failed'], ['succeeded', 'succeeded']]) {
			// Stripe's seconds tell what came last.
			await sleep(1100);
			const { command } = told.commands.find((one) =>
				one.command.includes(`payment_intent.${type} `));
			const { code, stderr } = await shell(command);
			assert.equal(code, 0, stderr);
			assert.equal((await state(told.id, told.client_secret)).state, name);
			// It is the payment that it was, not another one with its id.
			born.add(await server.value('SELECT TIMESTAMPDIFF(SECOND, ' +
				"'1970-01-01', created) FROM payments WHERE " +
				`stripe_payment_intent_id = '${told.id}'`));
			born.add(/--born (\d+)/.exec(command)[1]);
		}
		assert.equal(born.size, 1);
		// What comes late changes nothing any more.
		signal(pid, 'SIGCONT');
		await sleep(told.lasts_ms);
		assert.equal((await state(told.id, told.client_secret)).state,
			'succeeded');
	});

	test('each command shown works', async () => {
		const told = await started('paid');
		assert.ok(told.commands.length >= 3);
		for (const { what, command } of told.commands) {
			assert.ok(what.length > 5);
			const { code, stderr } = await shell(
				command.replace('--rate 1', '--rate 100'));
			assert.equal(code, 0, `${command}: ${stderr}`);
		}
		assert.equal((await state(told.subscription, told.token)).state,
			'canceled');
	});

	test('is signed by the secret that is valid now', async () => {
		fs.writeFileSync(secretFile, 'whsec_second_0123456789abcdef');
		signal(server.master, 'SIGHUP');
		await until(() => /reloading[^]*serving[^]*$/.test(server.log()),
			'reload');
		await reaches(await started('one_time'), 'succeeded');
	});
});

describe('refused', () => {
	before(over);

	const refusals = [
		['another site\'s name for this machine', { Host: 'evil.example' },
			403, 'bad_host'],
		['a name that begins like ours', { Host: 'localhost.evil.example' },
			403, 'bad_host'],
		['another origin', { Origin: 'https://evil.example' }, 403,
			'bad_origin'],
		['another port', { Origin: 'http://127.0.0.1:1' }, 403, 'bad_origin'],
		['no origin to speak of', { Origin: 'null' }, 403, 'bad_origin'],
		['another site', { 'Sec-Fetch-Site': 'cross-site' }, 403,
			'bad_origin'],
		['another port of this site', { 'Sec-Fetch-Site': 'same-site' }, 403,
			'bad_origin'],
		['a form', { 'Content-Type': 'text/plain' }, 400, 'bad_type'],
		['no type', { 'Content-Type': '' }, 400, 'bad_type'],
	];
	for (const [what, headers, status, code] of refusals)
		test(what, async () => {
			const before = await server.count('webhook_events');
			const answer = await start('one_time', { headers:
				{ ...JSON_TYPE, ...headers } });
			assert.equal(answer.status, status, answer.text);
			assert.equal(answer.json.error.code, code);
			assert.ok(answer.json.error.message.length > 20);
			assert.equal(answer.headers['access-control-allow-origin'],
				undefined);
			assert.equal(await server.count('webhook_events'), before);
		});

	for (const body of ['', '{', '[]', '{"scenario":1}', '{"scenario":"x"}',
		'"one_time"', '[{"scenario":"paid"}]',
		'[['.repeat(1000)])
		test(`the body ${body.slice(0, 24) || 'that is none'}`, async () => {
			const { status, json } = await start('', { body });
			assert.equal(status, 400);
			assert.equal(json.error.code, 'bad_scenario');
		});

	test('other methods and paths', async () => {
		for (const [method, route, status, allow] of [
			['GET', '/demo/payments', 405, 'POST'],
			['POST', '/demo/events', 405, 'GET'],
			['GET', '/demo/', 404], ['GET', '/demo/payments/', 404],
			['GET', '/demo/..%2fevents', 404]]) {
			const answer = await server.get(route, { method });
			assert.equal(answer.status, status, route);
			assert.equal(answer.headers.allow, allow);
		}
		const { status } = await start('', { body: ' '.repeat(5000) });
		assert.equal(status, 413);
	});

	test('the events, for another site\'s name', async () => {
		const { status } = await server.get('/demo/events',
			{ headers: { Host: 'evil.example' } });
		assert.equal(status, 403);
	});

	test('more than it can play at once, until one is over', async () => {
		await over();
		const answers = await Promise.all(Array.from({ length: 24 },
			() => start('retried')));
		const taken = answers.filter(({ status }) => status === 200).length;
		assert.equal(taken, 16);
		for (const { status, json } of answers)
			if (status !== 200)
				assert.deepEqual([status, json.error.code], [429, 'busy']);
		await until(async () => (await start('one_time')).status === 200,
			'room');
		await over();
	});
});

test('the page itself may, by either protocol', async () => {
	const own = { ...JSON_TYPE, 'Sec-Fetch-Site': 'same-origin' };
	const plain = await start('x', { headers: { ...own,
		Host: 'localhost:1', Origin: 'http://localhost:1' } });
	assert.equal(plain.json.error.code, 'bad_scenario');
	const client = http2.connect(`https://localhost:${server.httpsPort}`,
		{ rejectUnauthorized: false });
	const stream = client.request({ ':method': 'POST',
		':path': '/demo/payments', ...own,
		origin: `https://localhost:${server.httpsPort}` });
	stream.end('{"scenario":"x"}');
	let text = '';
	for await (const data of stream)
		text += data;
	client.close();
	assert.equal(JSON.parse(text).error.code, 'bad_scenario');
});

describe('the server of it', () => {
	test('tells what keeps a payment from going on', async () => {
		// The second secret is nowhere but in the demo's settings.
		fs.writeFileSync(secretFile, 'whsec_unknown_0123456789abcdef');
		await started('one_time');
		await until(async () => /was not delivered: .*mismatch/.test(
			(await server.get('/demo/events')).json.fault), 'fault');
		fs.writeFileSync(secretFile, 'whsec_second_0123456789abcdef');
		await reaches(await started('one_time'), 'succeeded');
		assert.equal((await server.get('/demo/events')).json.fault, null);
	});

	test('is started again when it ends', async () => {
		const pid = server.pid('stripehookctl');
		assert.equal(processName(pid), 'stripehookctl');
		signal(pid, 'SIGKILL');
		await until(async () => server.pid('stripehookctl') !== pid &&
			(await server.get('/demo/events')).status === 200, 'again');
		await reaches(await started('one_time'), 'succeeded');
	});

	// It would end at once, too, if it got as far as its socket.
	const demo = (options, env = {}) => server.ctl(['demo', '--socket',
		path.join(server.dir, 'none/other.sock'), ...options],
	{ env: { ...server.env, ...env } });

	test('runs in development only', async () => {
		for (const value of ['0', '']) {
			const { code, stderr } = await demo([], { STRIPEHOOK_DEMO: value });
			assert.equal(code, 1);
			assert.match(stderr, /STRIPEHOOK_DEMO=1/);
		}
	});

	test('delivers to this machine only', async () => {
		const { code, stderr } = await demo(['--to', 'http://192.0.2.1/']);
		assert.equal(code, 2);
		assert.match(stderr, /another machine/);
	});

	test('is there once', async () => {
		const { code, stderr } = await server.ctl(['demo', '--socket',
			path.join(server.state, 'run/demo.sock')]);
		assert.equal(code, 3);
		assert.match(stderr, /another .* is running/);
	});

	test('prints no secret', () => {
		const log = fs.readFileSync(path.join(server.state,
			'stripehookctl.log'), 'utf8');
		assert.doesNotMatch(log, /whsec_|_secret_|sht1/);
		assert.ok(!log.includes(STATUS_KEY));
	});
});

test('without STRIPEHOOK_DEMO there is the page alone', async () => {
	const off = await Server.start({ env: { STRIPEHOOK_DEMO: '0' } });
	try {
		assert.equal((await off.get('/')).status, 200);
		assert.equal((await off.get('/demo/events')).status, 404);
		assert.equal((await off.get('/demo/payments', { method: 'POST',
			headers: JSON_TYPE, body: '{"scenario":"one_time"}' })).status, 404);
		assert.ok(!fs.existsSync(path.join(off.state, 'stripehookctl.pid')));
	} finally {
		await off.stop();
	}
});

describe('production', () => {
	test('its site has nothing of the demo', async () => {
		const site = await Site.start(server);
		try {
			assert.equal((await site.get('/healthz')).status, 200);
			for (const route of ['/', ...FILES.map((file) => `/${file}`),
				'/demo', '/demo/', '/demo/events', '/html/index.html'])
				assert.equal((await site.get(route)).status, 404, route);
			assert.equal((await site.get('/demo/payments', { method: 'POST',
				headers: JSON_TYPE, body: '{"scenario":"one_time"}' })).status,
			404);
		} finally {
			await site.stop();
		}
	});

	test('nor is any of it installed, or in the daemon', async () => {
		const dir = path.join(server.dir, 'installed');
		const { code, stderr } = await run('make', ['-s', '-C', server.build,
			'install', `DESTDIR=${dir}`], { env: server.env });
		assert.equal(code, 0, stderr);
		const files = fs.readdirSync(dir, { recursive: true })
			.map((file) => path.basename(file));
		assert.ok(files.includes('stripehook-site.conf'));
		for (const file of FILES)
			assert.ok(!files.includes(file), file);
		const has = (program) => fs.readFileSync(
			path.join(server.build, program)).includes('/demo/payments');
		assert.ok(has('stripehookctl'));
		assert.ok(!has('stripehookd'));
	});
});
