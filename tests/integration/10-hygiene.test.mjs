// Nothing is left behind and nothing is given away.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, makePayment, newId } from './lib/events.mjs';
import {
	commandLine, leftBehind, processName, processesOf, signal, sleep, until,
} from './lib/processes.mjs';
import {
	PUBLISHABLE_KEY, SECRET, STATUS_KEY, Server, run, runSync,
} from './lib/server.mjs';

const listens = (port) => new Promise((resolve) => {
	const socket = net.connect(port, '127.0.0.1');
	socket.on('connect', () => {
		socket.destroy();
		resolve(true);
	});
	socket.on('error', () => resolve(false));
});

const sockets = (dir) => fs.existsSync(dir) ?
	fs.readdirSync(dir, { recursive: true })
		.filter((name) => /\.sock$/.test(name)) : [];

describe('the end', () => {
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
		test(`${name}: all stops, and nothing else`, async () => {
			const server = await Server.start();
			await server.deliver(makePayment());
			const before = processesOf(server.dir);
			assert.ok(before.length >= 8, `${before.length} processes`);
			process.env.STRIPEHOOK_TEST_KEEP = '1';
			const { end, left } = await server.stop(name);
			delete process.env.STRIPEHOOK_TEST_KEEP;
			try {
				assert.deepEqual(left, []);
				assert.equal(end?.code, 0, server.output);
				assert.deepEqual(sockets(server.state), []);
				assert.ok(!await listens(server.httpPort));
				assert.ok(!await listens(server.httpsPort));
			} finally {
				fs.rmSync(server.dir, { recursive: true, force: true });
			}
		});

	test('scripts/run killed outright: its servers go, and the next start ' +
		'is clean', async () => {
		const server = await Server.start();
		const event = makePayment();
		await server.deliver(event);
		const script = processesOf(server.dir).find((pid) =>
			commandLine(pid).includes('scripts/run') &&
			processName(pid) === 'run' || pid === server.process.pid);
		signal(script, 'SIGKILL');
		await until(() => !processesOf(server.dir).some((pid) =>
			['stripehookd', 'nginx', 'mariadbd'].includes(processName(pid))),
		'the servers go');
		const { output, dir } = server;
		const again = runSync('bash', ['-c',
			'scripts/run >"$0/again.log" 2>&1 & pid=$!; ' +
			'for i in $(seq 3000); do grep -q ^ready "$0/again.log" && break; ' +
			'sleep 0.1; done; kill -TERM $pid; wait $pid; ' +
			'cat "$0/again.log"', dir],
		{ cwd: ROOT, env: server.env });
		await server.stop();
		assert.match(again.stdout, /^ready/m, output + again.stderr);
		assert.deepEqual(await leftBehind(dir), []);
	});

	test('a second one in the same place says so, and harms nothing',
		async () => {
			const server = await Server.start();
			try {
				const second = await run('scripts/run', [],
					{ cwd: ROOT, env: server.env });
				assert.notEqual(second.code, 0);
				assert.match(second.stderr, /already running/);
				assert.equal((await server.deliver(makePayment())).status, 200);
			} finally {
				await server.stop();
			}
		});

	test('a taken port is named', async () => {
		const server = await Server.start();
		const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-test-'));
		try {
			const second = await run('scripts/run', [], { cwd: ROOT,
				env: { ...server.env, STRIPEHOOK_STATE_DIR: dir } });
			assert.notEqual(second.code, 0);
			assert.match(second.stderr,
				new RegExp(`port ${server.httpPort} is taken`));
			assert.equal((await server.deliver(makePayment())).status, 200);
		} finally {
			await server.stop();
			fs.rmSync(dir, { recursive: true });
		}
	});
});

test('two side by side know nothing of each other', async () => {
	const other = { STRIPE_WEBHOOK_SECRET: 'whsec_of_the_second_one' };
	const [first, second] = await Promise.all([Server.start(),
		Server.start({ env: other })]);
	try {
		const event = makePayment();
		assert.equal((await first.deliver(event)).status, 200);
		assert.equal(await second.event(event.id), undefined);
		assert.equal((await second.deliver(event)).status, 200);
		assert.equal((await second.deliver(makePayment(),
			{ secret: SECRET })).status, 400);
		await first.stop();
		assert.equal((await second.deliver(makePayment())).status, 200);
	} finally {
		await first.stop();
		await second.stop();
	}
});

test('secrets are in no log, process title or table', async () => {
	const server = await Server.start({ env: {
		STRIPE_SECRET_KEY: 'sk_test_apiKeyOfTheOperator',
		STRIPEHOOK_LOG_LEVEL: 'debug' } });
	try {
		const event = makePayment();
		const { id, client_secret: clientSecret } = event.data.object;
		await server.deliver(event);
		await server.deliver(makePayment({ amount: clientSecret }));
		await server.deliver(event, { secret: 'whsec_other' });
		await server.get(`/api/webhooks/status/${id}`,
			{ headers: { Authorization: `Bearer ${clientSecret}` } });
		await server.get(`/api/webhooks/status/${id}?s=${clientSecret}`);
		const { stdout: token } = await server.ctl(['token', id]);
		await server.get(`/api/webhooks/status/${id}`,
			{ headers: { Authorization: `Bearer ${token.trim()}` } });
		signal(server.master, 'SIGHUP');
		await sleep(1000);
		const outputs = [];
		for (const args of [['check'], ['settings'], ['status', id]]) {
			const { stdout, stderr } = await server.ctl(args);
			outputs.push(stdout, stderr);
		}
		const runEnv = fs.readFileSync(path.join(server.state, 'run.env'),
			'utf8');
		const secrets = [SECRET, STATUS_KEY, clientSecret, token.trim(),
			'sk_test_apiKeyOfTheOperator',
			...[...runEnv.matchAll(/^STRIPEHOOK_\w*PASSWORD=(.+)$/gm)]
				.map(([, password]) => password)];
		assert.ok(secrets.length >= 9, `${secrets.length} secrets`);

		const places = { log: server.log(), output: server.output,
			tool: outputs.join('\n') };
		for (const file of ['stripehookd.log', 'mariadbd.log', 'migrate.log',
			'check.log', 'nginx/error.log', 'nginx/access.log',
			'nginx/nginx.conf'])
			places[file] = fs.existsSync(path.join(server.state, file)) ?
				fs.readFileSync(path.join(server.state, file), 'utf8') : '';
		for (const pid of processesOf(server.dir))
			places[`title of ${processName(pid)} ${pid}`] = commandLine(pid);
		// Everything in the database but the payloads.
		for (const { name } of await server.sql('SELECT table_name AS name ' +
			"FROM information_schema.tables WHERE table_schema = 'stripehook' " +
			"AND table_name NOT IN ('event_payloads', 'webhook_events')"))
			places[`table ${name}`] = JSON.stringify(
				await server.sql(`SELECT * FROM ${name}`));
		assert.match(places['table payments'], new RegExp(id));
		for (const [place, text] of Object.entries(places))
			for (const secret of secrets)
				assert.ok(!text.includes(secret), `${place}: ${secret}`);
		assert.ok(server.log().includes(event.id));

		// The daemon has no use for the API key.
		for (const pid of [server.master, ...server.workers()]) {
			const maps = fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1');
			assert.ok(!maps.includes('sk_test_'));
		}
	} finally {
		await server.stop();
	}
});

describe('rights', () => {
	test('sockets, settings and state are nobody else\'s', async () => {
		const server = await Server.start();
		try {
			const mode = (file) => (fs.statSync(path.join(server.state, file))
				.mode & 0o777).toString(8);
			assert.equal(mode('run/ingest.sock'), '660');
			assert.equal(mode('run/status.sock'), '660');
			assert.equal(mode('run.env'), '600');
			assert.equal(mode('.'), '700');
			const tcp = runSync('sh', ['-c', 'cat /proc/net/tcp']).stdout
				.split('\n').filter((line) => / 0A /.test(line))
				.map((line) => parseInt(line.split(':')[2], 16));
			assert.ok(tcp.includes(server.httpPort));
		} finally {
			await server.stop();
		}
	});

	test('each account can do its own and no more', async () => {
		const server = await Server.start();
		try {
			const env = Object.fromEntries([...fs.readFileSync(
				path.join(server.state, 'run.env'), 'utf8')
				.matchAll(/^(\w+)=(.*)$/gm)].map(([, k, v]) => [k, v]));
			const as = (user, key) => ({ user, password: env[key] });
			const ingest = as('stripehook_ingest', 'STRIPEHOOK_DB_PASSWORD');
			const status = as('stripehook_status',
				'STRIPEHOOK_STATUS_DB_PASSWORD');
			const app = as('stripehook_app', 'STRIPEHOOK_APP_DB_PASSWORD');
			const admin = as('stripehook_admin',
				'STRIPEHOOK_ADMIN_DB_PASSWORD');
			await server.deliver(makePayment());
			for (const [who, sql] of [
				[app, 'SELECT * FROM payments'],
				[app, 'SELECT * FROM user_subscriptions'],
				[admin, 'SELECT * FROM admin_payments'],
				[admin, 'SELECT * FROM admin_webhook_events'],
				[status, 'SELECT status FROM payments'],
			])
				await server.sql(sql, who);
			for (const [who, sql] of [
				[ingest, 'DELETE FROM event_journal'],
				[ingest, 'DROP TABLE payments'],
				[ingest, 'CREATE TABLE t (a INT)'],
				[status, 'SELECT payload FROM event_payloads'],
				[status, 'UPDATE payments SET amount = 0'],
				[status, 'SELECT payload FROM webhook_events'],
				[app, 'SELECT payload FROM webhook_events'],
				[app, 'SELECT payload FROM event_payloads'],
				[app, "UPDATE payments SET status = 'succeeded'"],
				[admin, 'SELECT * FROM payments'],
				[admin, 'SELECT payload FROM webhook_events'],
				[admin, 'DELETE FROM event_journal'],
			])
				await assert.rejects(server.sql(sql, who), /denied/,
					`${who.user}: ${sql}`);
		} finally {
			await server.stop();
		}
	});
});

// What git has of it, or, where there is no git, all that is not made.
function copyTree(from, to) {
	const git = runSync('git', ['ls-files', '-z', '--cached', '--others',
		'--exclude-standard'], { cwd: from });
	if (git.status === 0) {
		for (const file of git.stdout.split('\0'))
			if (file !== '' && fs.existsSync(path.join(from, file)))
				fs.cpSync(path.join(from, file), path.join(to, file));
		return;
	}
	const made = ['node_modules', 'var', 'logs', '.env', 'build', 'build-aux',
		'autom4te.cache', 'aclocal.m4', 'configure', 'config.log',
		'config.status', 'Makefile', 'Makefile.in'];
	fs.cpSync(from, to, { recursive: true,
		filter: (file) => !made.includes(path.basename(file)) });
}

// The promise of the README, but for the packages, which are here already.
test('a bare clone: scripts/run makes a secret and gets ready', async () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-clone-'));
	let server;
	try {
		copyTree(ROOT, dir);
		server = await Server.start({ root: dir, build: null,
			env: { STRIPE_WEBHOOK_SECRET: undefined,
				STRIPE_PUBLISHABLE_KEY: undefined,
				STRIPEHOOK_STATUS_KEY: undefined,
				STRIPEHOOK_LOG_FILE: undefined } });
		const env = fs.readFileSync(path.join(dir, '.env'), 'utf8');
		assert.equal((fs.statSync(path.join(dir, '.env')).mode & 0o777)
			.toString(8), '600');
		const [, secret] = /^STRIPE_WEBHOOK_SECRET=(whsec_\w{32,})$/m.exec(env);
		assert.match(server.output, /STRIPE_WEBHOOK_SECRET in \.env/);
		assert.ok(!server.output.includes(secret), 'it is not shown');
		const event = makePayment({}, { id: newId('evt') });
		assert.equal((await server.deliver(event, { secret })).status, 200);
		assert.equal((await server.event(event.id)).status, 'processed');
		assert.match(fs.readFileSync(path.join(dir, 'logs/webhooks.log'),
			'utf8'), new RegExp(event.id));
	} finally {
		const { left } = await server?.stop() ?? {};
		fs.rmSync(dir, { recursive: true, force: true });
		assert.deepEqual(left ?? [], []);
	}
});
