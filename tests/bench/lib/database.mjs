// The MariaDB servers that all contenders share.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { answers, start } from './processes.mjs';

// For all alike: durable, and with memory for the data, as in production.
export const SETTINGS = ['--innodb-flush-log-at-trx-commit=1',
	'--innodb-buffer-pool-size=2G', '--innodb-log-file-size=1G',
	'--max-connections=500'];
const BINLOG = ['--log-bin=binlog', '--server-id=1', '--sync-binlog=1',
	'--binlog-format=ROW', '--max-binlog-size=256M'];

const client = (socket, args, options = {}) =>
	execFileSync('mariadb', ['--no-defaults', '--user=root',
		`--socket=${socket}`, '--batch', '--skip-column-names', ...args],
	{ encoding: 'utf8', maxBuffer: 1 << 26, ...options });

export class Database {
	// dir: of its data, made anew.
	static async start(bench, name, { binlog = false } = {}) {
		const db = new Database();
		db.name = name;
		db.dir = path.join(bench.state, name);
		db.socket = path.join(bench.run, `${name}.sock`);
		fs.rmSync(db.dir, { recursive: true, force: true });
		execFileSync('bash', ['-c', 'source scripts/lib.sh; db_create "$1"',
			'-', db.dir], { cwd: bench.root, stdio: 'ignore' });
		db.server = start(`mariadbd ${name}`, ['mariadbd', '--no-defaults',
			...(process.getuid() === 0 ? ['--user=root'] : []),
			`--datadir=${db.dir}`, `--socket=${db.socket}`,
			`--pid-file=${db.dir}/mariadbd.pid`, '--skip-networking',
			'--skip-name-resolve', '--performance-schema=OFF',
			'--character-set-server=utf8mb4', ...SETTINGS,
			...(binlog ? BINLOG : ['--skip-log-bin'])],
		{ log: path.join(bench.state, `${name}.log`) });
		await answers(db.server, () => {
			try {
				db.sql('DO 1', { stdio: ['ignore', 'pipe', 'ignore'] });
				return true;
			} catch {
				return false;
			}
		});
		return db;
	}

	get pid() {
		return this.server.pid;
	}

	sql(text, options) {
		return client(this.socket, ['-e', text], options).trim();
	}

	load(database, file) {
		client(this.socket, [database],
			{ input: fs.readFileSync(file) });
	}

	create(database) {
		this.sql(`CREATE DATABASE IF NOT EXISTS ${database}`);
	}

	// Kept small, since nobody reads it.
	dropBinlog() {
		this.sql('RESET MASTER');
	}
}
