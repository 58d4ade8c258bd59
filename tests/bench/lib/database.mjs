// The MariaDB servers that all contenders share.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { answers, run, shell, start } from './processes.mjs';

const PLENTY = 8 * 2 ** 30;	// bytes of memory, so that two servers fit

// For all alike: durable, and with memory for the data, as in production. It
// is the server's own from the start (if the user may lock memory), as it is
// of one that has run for a while: in a virtual machine the first touch of a
// page costs some 10 µs, which is nobody's work.
export const SETTINGS = ['--innodb-flush-log-at-trx-commit=1',
	'--innodb-buffer-pool-size=2G', '--innodb-log-file-size=1G',
	'--max-connections=500',
	...(os.totalmem() >= PLENTY ? ['--memlock'] : [])];
// Its cache holds the largest transaction.
const BINLOG = ['--log-bin=binlog', '--server-id=1', '--sync-binlog=1',
	'--binlog-format=ROW', '--binlog-cache-size=4M',
	'--max-binlog-size=256M'];

export class Database {
	// dir: of its data, made anew.
	static async start(bench, name, { binlog = false } = {}) {
		const db = new Database();
		db.name = name;
		db.dir = path.join(bench.state, name);
		db.socket = path.join(bench.run, `${name}.sock`);
		fs.rmSync(db.dir, { recursive: true, force: true });
		await shell(bench, 'db_create', db.dir);
		// A server that starts takes away what others have in a common one.
		const tmp = path.join(bench.state, `${name}-tmp`);
		fs.mkdirSync(tmp);
		db.server = start(`mariadbd ${name}`, ['mariadbd', '--no-defaults',
			...(process.getuid() === 0 ? ['--user=root'] : []),
			`--datadir=${db.dir}`, `--tmpdir=${tmp}`, `--socket=${db.socket}`,
			`--pid-file=${db.dir}/mariadbd.pid`, '--skip-networking',
			'--skip-name-resolve', '--performance-schema=OFF',
			'--character-set-server=utf8mb4', ...SETTINGS,
			...(binlog ? BINLOG : ['--skip-log-bin'])],
		{ log: path.join(bench.state, `${name}.log`) });
		// One that is told to stop while it starts may hang, and its client.
		await answers(db.server, () => db.sql('DO 1', { timeout: 2000 })
			.then(() => true, () => false));
		return db;
	}

	get pid() {
		return this.server.pid;
	}

	// The rows, fields separated by tabs.
	async sql(text, options) {
		return (await run(['mariadb', '--no-defaults', '--user=root',
			`--socket=${this.socket}`, '--batch', '--skip-column-names',
			'-e', text], options)).trim();
	}
}
