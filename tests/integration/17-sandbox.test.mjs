// Workers in their sandbox: that it is in force, what one that misbehaves can
// still do, and that what workers need goes on working in it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { ROOT, makePayment } from './lib/events.mjs';
import { Load } from './lib/load.mjs';
import { alive, signal, sleep, until } from './lib/processes.mjs';
import { Server, runSync } from './lib/server.mjs';
import { answers } from './lib/sql.mjs';

// Programs that do harm when a header says so: scripts/test makes them.
const MISBEHAVING = process.env.STRIPEHOOK_TEST_MISBEHAVING ??
	path.join(ROOT, 'var/build-misbehaviour');
const HOST = 'LOCALHOST';	// "localhost" would be libmariadb's unix socket

let server;
const begin = async (options) => {
	server = await Server.start(options);
};
const beginMisbehaving = (env) => {
	assert.ok(fs.existsSync(path.join(MISBEHAVING, 'stripehookd')),
		`${MISBEHAVING} is not there: "scripts/test integration" makes it`);
	return begin({ build: MISBEHAVING, env });
};
const stop = async () => {
	const stopping = server;
	server = undefined;
	const { left } = await stopping?.stop() ?? { left: [] };
	assert.deepEqual(left, [], 'nothing is left running');
};

const field = (pid, name) => new RegExp(`^${name}:\\s+(\\S+)`, 'm')
	.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
// The log is long: a failure must not print it.
const says = (pattern, text = server.log()) => pattern.test(text);
const both = () => [...server.workers(), ...server.workers('status')];

// What a worker holds open, and which of it are files.
const open = (pid) => fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
	try {
		return [fs.readlinkSync(`/proc/${pid}/fd/${fd}`)];
	} catch {
		return [];	// a connection that is over
	}
});
const files = (pid) => open(pid)
	.filter((name) => !/^(pipe:|socket:|anon_inode:|\/memfd:)/.test(name));

const checkup = async () => {
	const { code, stdout, stderr } = await server.ctl(['check']);
	return { code, stderr, sandbox: /^sandbox +(.*)\n((?: {4}.*\n)*)/m
		.exec(stdout).slice(1).map((text) => text.trim()) };
};

// Landlock's version here, as the daemon says it; 0 for none.
const landlock = () => Number(/sandbox: seccomp, (?:Landlock (\d+)|no Landlock)/
	.exec(server.log())[1] ?? 0);

describe('ordinary workers', () => {
	before(async () => {
		await begin();
	});
	after(stop);

	test('all are in it, and say so', async () => {
		assert.equal(both().length, 4);
		for (const pid of both()) {
			assert.equal(field(pid, 'Seccomp'), '2');
			assert.equal(field(pid, 'NoNewPrivs'), '1');
			assert.match(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'),
				/^Max core file size +0 +0 /m);
		}
		assert.ok(says(new RegExp('serving with 2 ingest and 2 status ' +
			'workers; sandbox: seccomp, (no )?Landlock .*, no new ' +
			`privileges; user ${os.userInfo().username}\n`)));
		const { code, sandbox, stderr } = await checkup();
		assert.equal(code, 0, stderr);
		assert.equal(sandbox[0], 'ok');
		assert.match(sandbox[1], new RegExp('^seccomp, ' +
			(landlock() ? `Landlock ${landlock()}` : 'no Landlock \\(.*\\)') +
			`, no new privileges, user ${os.userInfo().username}$`));
	});

	test('they hold no file but the log, no socket but their own', async () => {
		for (const pid of both()) {
			assert.deepEqual([...new Set(files(pid))].sort(),
				['/dev/null', server.logFile,
					path.join(server.state, 'stripehookd.log')].sort());
			// nginx's, the master's, the database's; and for a moment that
			// of the last question.
			await until(() => open(pid).filter((name) =>
				/^socket:/.test(name)).length === 3, 'three sockets');
		}
	});

	test('they take no orders', async () => {
		const workers = both().sort();
		const headers = { 'X-Misbehave': 'fork' };
		assert.equal((await server.deliver(makePayment(), { headers })).status,
			200);
		assert.equal((await server.get('/healthz', { headers })).status, 200);
		assert.deepEqual(both().sort(), workers);
		assert.ok(!says(/misbehave/));
		assert.ok(!fs.readFileSync(path.join(server.build, 'stripehookd'))
			.includes('HTTP_X_MISBEHAVE'));
	});

	test('rotating the log under load loses not one line', async () => {
		const workers = both().sort();
		const load = new Load(server, { connections: 24 }).start();
		const old = [];
		for (let i = 0; i < 6; i++) {
			await sleep(300);
			old.push({ name: `${server.logFile}.${i}` });
			fs.renameSync(server.logFile, old.at(-1).name);
			signal(server.master, 'SIGUSR1');
			await until(() => fs.existsSync(server.logFile) && both()
				.every((pid) => files(pid).includes(server.logFile)),
			'all have the new one');
			old.at(-1).size = fs.statSync(old.at(-1).name).size;
		}
		await until(() => load.acked.size > 500, '500 deliveries');
		await load.stop();
		assert.equal(load.failures, 0, JSON.stringify([...load.statuses]));
		assert.deepEqual(both().sort(), workers, 'the same workers');
		for (const { name, size } of old)
			assert.equal(fs.statSync(name).size, size, `${name} grew`);
		const written = [...old.map((file) => file.name), server.logFile];
		const lines = () => {
			const counts = new Map();
			for (const name of written)
				for (const [, id] of fs.readFileSync(name, 'utf8')
					.matchAll(/ (evt_\w+) \S+ processed 200 /g))
					counts.set(id, (counts.get(id) ?? 0) + 1);
			return [...load.acked.keys()].map((id) => counts.get(id) ?? 0);
		};
		// An event is answered first.
		await until(() => !lines().includes(0), 'all lines');
		assert.deepEqual(new Set(lines()), new Set([1]));
	});
});

// How an act ends: the error that it gets, or the system call that kills.
const EACCES = 'Permission denied';
const dies = (call) => ({ call });
const acts = {
	read: EACCES,
	write: EACCES,
	execute: dies('execve'),
	fork: dies('clone'),
	trace: dies('ptrace'),
	signal: dies('kill'),
	'make-code': dies('mmap'),
	'show-memory': dies('prctl'),
	'socket-inet': dies('socket'),
	'socket-netlink': dies('socket'),
	'socket-packet': dies('socket'),
};
const actsByName = () => ({
	...acts,
	read: landlock() >= 1 ? EACCES : 'done',
	write: dies('openat'),
	'socket-inet': 'done',
	'socket-netlink': 'Address family not supported by protocol',
	connect: landlock() >= 4 ? EACCES : 'done',
});

const pools = {
	ingest: (headers) => server.deliver(makePayment(), { headers }),
	status: (headers) => server.get('/healthz', { headers }),
};
const misbehave = (pool, act) => pools[pool]({ 'X-Misbehave': act })
	.catch(() => ({ status: 0 }));

const all = (text, pattern) => [...text.matchAll(pattern)];

async function tryAct(pool, act, end) {
	const seen = server.log().length;
	const news = () => server.log().slice(seen);
	const { status } = await misbehave(pool, act);
	if (end.call === undefined) {
		assert.equal(status, 200, `${pool} ${act}`);
		// It answers first.
		await until(() => new RegExp(` ${pool} .* misbehaved: ${act}: ${end}\n`)
			.test(news()), `${pool} tells of ${act}`);
		return;
	}
	// Nginx asks a second worker, which dies of it as well.
	assert.equal(status, 503, `${pool} ${act}`);
	await until(() => all(news(), new RegExp(`worker \\d+ \\(${pool}, pid \\d+` +
		'\\) died: killed by signal 31 \\(Bad system call\\);', 'g'))
		.length === 2, `both die of ${act}`);
	assert.equal(all(news(), new RegExp('SIGSYS: its sandbox does not let it ' +
		`make the system call ${end.call} \\(\\d+\\)\\. .*SANDBOX=off`, 'g'))
		.length, 2, news());
	assert.doesNotMatch(news(), /misbehaved/);
	await until(() => server.workers(pool).length === 2, 'both are back');
	await server.ready();
}

describe('workers that misbehave', () => {
	afterEach(stop);

	test('each act is refused or its end, and they come back', async () => {
		await beginMisbehaving();
		for (const pool of Object.keys(pools))
			for (const [act, end] of Object.entries(acts))
				await tryAct(pool, act, end);
		assert.ok(!fs.existsSync('/dev/shm/misbehaved'));
		assert.equal((await server.deliver(makePayment())).status, 200);
	});

	test('under load: what was answered 2xx is stored', async () => {
		await beginMisbehaving();
		const load = new Load(server, { connections: 32 }).start();
		const names = Object.keys(acts);
		for (let i = 0; i < 2 * names.length; i++) {
			await sleep(150);
			await Promise.all(Object.keys(pools).map((pool) =>
				misbehave(pool, names[i % names.length])));
		}
		await load.stop();
		assert.ok([...load.statuses.keys()].every((s) =>
			[0, 200, 503].includes(s)), JSON.stringify([...load.statuses]));
		assert.ok(load.acked.size > 100, `${load.acked.size} deliveries`);
		await until(async () => await load.resend() === 0, 'resent');
		assert.deepEqual((await load.audit()).slice(0, 10), []);
		assert.ok(says(/SIGSYS/));
	});

	// Or else the acts would prove nothing.
	test('without the sandbox each is done', async () => {
		await beginMisbehaving({ STRIPEHOOK_SANDBOX: 'off' });
		try {
			assert.ok(says(/; sandbox: off \(STRIPEHOOK_SANDBOX\); /));
			assert.deepEqual((await checkup()).sandbox,
				['ok', 'off (STRIPEHOOK_SANDBOX)']);
			for (const pid of both())
				assert.equal(field(pid, 'Seccomp'), '0');
			await misbehave('ingest', 'execute');
			await until(() => / died: exit status 0;/.test(server.log()),
				'a worker became /bin/true');
			await server.ready();
			for (const act of Object.keys(acts))
				if (act !== 'execute' &&
					(act !== 'socket-packet' || process.getuid() === 0))
					await tryAct('ingest', act, 'done');
			assert.ok(fs.existsSync('/dev/shm/misbehaved'));
		} finally {
			fs.rmSync('/dev/shm/misbehaved', { force: true });
		}
	});
});

// A MariaDB with a TCP port and TLS, not one of scripts/run's.
class Database {
	static async start(dir) {
		const db = new Database();
		db.dir = dir;
		db.socket = path.join(dir, 'db.sock');
		db.ca = path.join(dir, 'ca.pem');
		const { status, stdout, stderr } = runSync('bash', ['-c',
			'source scripts/lib.sh && db_create "$0/data" >&2 && ' +
			'make_certificate "$0" && free_port && ' +
			'install -m 644 "$0/localhost.pem" "$0/ca.pem"', dir],
		{ cwd: ROOT, env: { ...process.env, STRIPEHOOK_STATE_DIR: dir } });
		assert.equal(status, 0, stderr);
		db.port = Number(stdout);
		await db.begin();
		return db;
	}

	async begin() {
		this.process = spawn('setpriv', ['--pdeathsig', 'TERM', 'mariadbd',
			'--no-defaults', `--datadir=${this.dir}/data`,
			`--socket=${this.socket}`, `--port=${this.port}`,
			'--bind-address=127.0.0.1', '--require-secure-transport',
			'--skip-name-resolve',
			'--skip-log-bin', '--performance-schema=OFF',
			`--pid-file=${this.dir}/db.pid`,
			'--character-set-server=utf8mb4',
			`--ssl-cert=${this.dir}/localhost.pem`,
			`--ssl-key=${this.dir}/localhost.key`,
			...(process.getuid() === 0 ? ['--user=root'] : [])],
		{ stdio: ['ignore', 'ignore', 'ignore'] });
		this.ended = new Promise((resolve) => this.process.on('exit', resolve));
		await until(() => answers(this.socket), 'the database answers');
	}

	async end(name = 'SIGTERM') {
		signal(this.process.pid, name);
		await this.ended;
	}

	// Another file in the place of the certificates, as a package brings it.
	replaceCertificates() {
		fs.copyFileSync(this.ca, `${this.ca}.new`);
		fs.renameSync(`${this.ca}.new`, this.ca);
	}

	get settings() {
		return {
			STRIPEHOOK_DB_HOST: HOST,
			STRIPEHOOK_DB_PORT: String(this.port),
			STRIPEHOOK_DB_TLS_CA: this.ca,
			STRIPEHOOK_DB_PASSWORD: 'of-ingest',
			STRIPEHOOK_STATUS_DB_PASSWORD: 'of-status',
			STRIPEHOOK_OWNER_DB_USER: 'root',
			STRIPEHOOK_OWNER_DB_PASSWORD: '',
			// Who is root can show that others may be in it, too.
			STRIPEHOOK_USER: process.getuid() === 0 ? 'nobody' : undefined,
		};
	}
}

describe('a database over TCP, by name, with TLS', () => {
	let dir;
	let db;
	before(async () => {
		dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-tcp-'));
		fs.chmodSync(dir, 0o755);
		db = await Database.start(dir);
		await beginMisbehaving(db.settings);
		Object.defineProperty(server, 'socket', { value: db.socket });
	});
	after(async () => {
		await stop();
		await db?.end();
		fs.rmSync(dir, { recursive: true, force: true });
	});

	// The server refuses what isn't encrypted.
	test('deliveries are stored', async () => {
		const event = makePayment();
		assert.equal((await server.deliver(event)).status, 200);
		assert.equal((await server.event(event.id)).status, 'processed');
		const hosts = (await server.sql('SELECT host FROM ' +
			'information_schema.processlist WHERE user LIKE "stripehook%"'))
			.map(({ host }) => host);
		assert.ok(hosts.length >= 4, `${hosts.length} connections`);
		assert.ok(hosts.every((host) => /^127\.0\.0\.1:/.test(host)), hosts);
		const { code, sandbox, stderr } = await checkup();
		assert.equal(code, 0, stderr);
		assert.match(sandbox[1], process.getuid() === 0 ?
			/, user nobody$/ : /, user /);
		if (process.getuid() === 0)
			for (const pid of both())
				assert.equal(field(pid, 'Uid'), field(both()[0], 'Uid'));
	});

	for (const name of ['SIGTERM', 'SIGKILL'])
		test(`${name} of the database under load, and a new start: the same ` +
			'workers come back to it', async () => {
			const workers = both().sort();
			const load = new Load(server, { connections: 24 }).start();
			await sleep(700);
			await db.end(name);
			await sleep(700);
			await db.begin();
			const before = load.acked.size;
			await until(() => load.acked.size > before + 200, 'it is back');
			await load.stop();
			await server.ready();
			assert.ok([...load.statuses.keys()].every((s) =>
				[200, 503].includes(s)), JSON.stringify([...load.statuses]));
			await until(async () => await load.resend() === 0, 'resent');
			assert.deepEqual((await load.audit()).slice(0, 10), []);
			assert.deepEqual(both().sort(), workers);
			assert.ok(!says(/SIGSYS/));
		});

	test('certificates replaced: new workers may read them', async () => {
		const workers = both();
		const load = new Load(server, { connections: 8 }).start();
		db.replaceCertificates();
		await until(() => server.log().includes(
			`${db.ca} was replaced: new workers will read it`), 'it is seen');
		await until(() => workers.every((pid) => !alive(pid)), 'the old go');
		await load.stop();
		assert.equal(load.failures, 0, JSON.stringify([...load.statuses]));
		await db.end();
		await db.begin();
		await until(async () =>
			(await server.deliver(makePayment())).status === 200, 'back');
		await server.ready();
		assert.ok(!says(/died/));
	});

	test('a log file that root made, and the same workers', async () => {
		const workers = both().sort();
		fs.renameSync(server.logFile, `${server.logFile}.old`);
		signal(server.master, 'SIGUSR1');
		await until(() => fs.existsSync(server.logFile), 'a new one');
		await until(async () => {
			const event = makePayment();
			await server.deliver(event);
			return server.log().includes(event.id);
		}, 'it is written');
		assert.deepEqual(both().sort(), workers);
		fs.writeFileSync(server.logFile, fs.readFileSync(
			`${server.logFile}.old`));
	});

	test('what a worker that misbehaves can do', async () => {
		for (const pool of Object.keys(pools))
			for (const [act, end] of Object.entries(actsByName()))
				await tryAct(pool, act, end);
		assert.ok(!fs.existsSync('/dev/shm/misbehaved'));
	});
});
