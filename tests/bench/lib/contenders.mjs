// Who is measured. Each gets a database of its own on the same server, and
// the same work: check the signature, store the event once, keep the payment.
import fs from 'node:fs';
import path from 'node:path';
import { request } from '../../integration/lib/http.mjs';
import { answers, listens, run, start, stop, tree } from './processes.mjs';

export const SECRET = 'whsec_bench_5eQmT0cX9yLrVw3KpZ8dNs';
export const STATUS_KEY = 'bench-status-key-0123456789abcdef0123';
const PASSWORD = 'bench';

// Settings of a stripehookd; written to a file, so that none is inherited.
function settings(bench, c, extra) {
	const values = {
		STRIPE_WEBHOOK_SECRET: SECRET,
		STRIPEHOOK_DB_SOCKET: c.dbSocket ?? c.db.socket,
		STRIPEHOOK_DB_NAME: c.database,
		STRIPEHOOK_DB_PASSWORD: PASSWORD,
		STRIPEHOOK_STATUS_DB_PASSWORD: PASSWORD,
		STRIPEHOOK_OWNER_DB_USER: 'root',
		STRIPEHOOK_INGEST_SOCKET: c.ingest,
		STRIPEHOOK_STATUS_SOCKET: c.status,
		STRIPEHOOK_SCOREBOARD: path.join(bench.run, `${c.id}.scoreboard`),
		STRIPEHOOK_STATUS_KEY: STATUS_KEY,
		STRIPEHOOK_LOG_FILE: path.join(bench.state, `${c.id}-webhooks.log`),
		...extra,
	};
	c.config = path.join(bench.state, `${c.id}.env`);
	fs.writeFileSync(c.config, Object.entries(values)
		.map(([key, value]) => `${key}="${value}"\n`).join(''),
	{ mode: 0o600 });
}

const daemon = (program) => async (bench, c, extra = {}) => {
	settings(bench, c, extra);
	// Not through a proxy that makes the database slow.
	await run([bench.program('stripehookctl', c.build), '-c', c.config, 'migrate'],
		{ env: { STRIPEHOOK_DB_SOCKET: c.db.socket } });
	// What it writes to standard error is in its log file, too.
	return start(c.id, ['sh', '-c', 'exec "$@" 2>/dev/null', '-',
		bench.program(program, c.build), '-c', c.config], { log: c.log });
};

const plain = (processes, stores) => (bench, c) =>
	start(c.id, [bench.program('bench-fcgi'), c.ingest, String(processes),
		...(stores ? [SECRET, c.db.socket, c.database] : [])],
	{ log: c.log });

const peer = (folder, command, env) => (bench, c) =>
	start(c.id, command(c), {
		cwd: path.join(bench.root, 'tests/bench', folder), log: c.log,
		env: { SOCKET: c.ingest, DB_SOCKET: c.db.socket, DB_NAME: c.database,
			WEBHOOK_SECRET: SECRET, ...env },
	});

// kind: how nginx reaches it. schema: its database needs peers.sql.
export const CONTENDERS = {
	stripehook: {
		title: 'stripehook', kind: 'stripehook', start: daemon('stripehookd'),
		durable: true,
	},
	nodb: {
		title: 'stripehook, database left out', kind: 'stripehook',
		start: daemon('bench-nodb'),
	},
	answer: {
		title: 'FastCGI worker that only answers', kind: 'fastcgi',
		start: plain(2, false),
	},
	nginx: { title: 'nginx alone', kind: 'nothing' },
	four: {
		title: 'plain C, four statements, a commit each', kind: 'fastcgi',
		start: plain(8, true), schema: true, durable: true,
	},
	express: {
		title: 'Express, mysql2, 2 processes', kind: 'proxy',
		start: peer('express', () => ['node', 'server.mjs'],
			{ PROCESSES: '2', NODE_ENV: 'production' }),
		schema: true, durable: true,
	},
	django: {
		title: 'Django, gunicorn, 4 workers', kind: 'proxy',
		start: peer('django', (c) => ['gunicorn', '--workers', '4', '--bind',
			`unix:${c.ingest}`, '--worker-tmp-dir', '/dev/shm', 'wsgi'],
		{ PYTHONDONTWRITEBYTECODE: '1' }),
		schema: true, durable: true,
	},
};

// A place for a contender on a database server; started by startContender().
export function contender(bench, name, db, { id = name, title } = {}) {
	const what = CONTENDERS[name];
	return { ...what, name, id, db, title: title ?? what.title,
		database: `bench_${id.replaceAll('-', '_')}`,
		ingest: path.join(bench.run, `${id}.sock`),
		status: path.join(bench.run, `${id}-status.sock`),
		log: path.join(bench.state, `${id}.log`) };
}

// settings: of a stripehookd.
export async function startContender(bench, c, settings) {
	if (c.start === undefined)
		return;
	await c.db.sql(`CREATE DATABASE IF NOT EXISTS ${c.database}`);
	if (c.schema)
		await c.db.sql(`USE ${c.database}; ${fs.readFileSync(path.join(
			bench.root, 'tests/bench/peers.sql'), 'utf8')}`);
	fs.rmSync(c.ingest, { force: true });
	c.server = await c.start(bench, c, settings);
	await answers(c.server, () => listens(c.ingest));
	if (c.kind === 'stripehook')
		await answers(c.server, () =>
			request(`http://127.0.0.1:${c.http}/readyz`)
				.then(({ status }) => status === 200, () => false));
}

// Nothing of it is left, on the disk either.
export async function endContender(c) {
	if (c.server === undefined)
		return;
	await stop(c.server);
	c.server = undefined;
	await c.db.sql(`DROP DATABASE ${c.database}`);
}

// Its processes: who answers, without nginx and database.
export const processesOf = (c) =>
	c.server === undefined ? [] : tree(c.server.pid);

// Events that it has stored.
export const stored = async (c) => Number(await c.db.sql(`SELECT COUNT(*) FROM ` +
	`${c.database}.${c.schema ? 'webhook_events' : 'event_journal'}`));
