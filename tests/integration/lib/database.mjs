// A MariaDB of a test's own, beside the one that scripts/run would start.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './events.mjs';
import { signal, until } from './processes.mjs';
import { answers, query } from './sql.mjs';

const PASSWORD = 'of-all-accounts';
export const ACCOUNTS = ['ingest', 'status', 'owner'];

// What lets scripts/run make the schema there.
export const MAKE_ACCOUNTS = 'CREATE DATABASE stripehook; ' + ACCOUNTS
	.map((name) => `CREATE USER stripehook_${name}@'%' ` +
		`IDENTIFIED BY '${PASSWORD}'; `).join('') +
	"GRANT ALL ON *.* TO stripehook_owner@'%' WITH GRANT OPTION";

export const settingsOf = (host, port) => ({
	STRIPEHOOK_DB_HOST: host, STRIPEHOOK_DB_PORT: String(port),
	STRIPEHOOK_DB_PASSWORD: PASSWORD,
	STRIPEHOOK_STATUS_DB_PASSWORD: PASSWORD,
	STRIPEHOOK_OWNER_DB_PASSWORD: PASSWORD });

// Runs a function of scripts/lib.sh, whose state is in dir.
const shell = (command, dir, args, env) => spawn('bash', ['-c',
	`source scripts/lib.sh; STATE=$1; shift; ${command}`, 'bash', dir, ...args],
{ cwd: ROOT, env, detached: true, stdio: ['ignore', 'inherit', 'inherit'] });

const end = (child) => new Promise((resolve) => child.on('close', resolve));

// What db_create makes, if scripts/test has made one to copy: that is quicker.
export async function copyEmpty(datadir) {
	const empty = process.env.STRIPEHOOK_TEST_DATABASE;
	if (empty)
		assert.equal(await end(spawn('cp',
			['-a', '--sparse=always', empty, datadir])), 0, datadir);
}

export class Database {
	env = process.env;

	constructor(dir, address, port) {
		Object.assign(this, { dir, address, port,
			socket: path.join(dir, 's') });
	}

	async create() {
		fs.mkdirSync(this.dir, { recursive: true });
		await copyEmpty(path.join(this.dir, 'data'));
		assert.equal(await end(shell(
			'db_create "$STATE/data" >"$STATE/install.log" 2>&1',
			this.dir, [])), 0, this.dir);
		return this;
	}

	begin(...options) {
		const child = shell('start_db "$STATE/data" "$STATE/s" "$@" && wait',
			this.dir, ['--skip-networking=0', `--bind-address=${this.address}`,
				`--port=${this.port}`, ...options], this.env);
		this.ended = end(child);
	}

	async start(...options) {
		this.begin(...options);
		await until(() => answers(this.socket), 'MariaDB');
		return this;
	}

	// The rows, fields separated by tabs.
	async sql(text) {
		const { rows } = await query(this.socket, text);
		return rows.map((row) => row.join('\t')).join('\n');
	}

	get pid() {
		return Number(fs.readFileSync(path.join(this.dir, 'mariadbd.pid'),
			'utf8'));
	}

	async stop(name = 'SIGTERM') {
		signal(this.pid, name);
		await this.ended;
	}
}
