// A session of a database client that is none of ours: to lock rows.
import { spawn } from 'node:child_process';
import { until } from './processes.mjs';

export class Session {
	static open = new Set();

	constructor(server) {
		Session.open.add(this);
		this.child = spawn('mariadb', ['--no-defaults', '--user=root',
			`--socket=${server.socket}`, '--force', '--unbuffered', '--batch',
			'--skip-column-names', 'stripehook'],
		{ env: server.env, stdio: ['pipe', 'pipe', 'pipe'] });
		this.out = '';
		this.errors = '';
		this.child.stdout.on('data', (data) => {
			this.out += data;
		});
		this.child.stderr.on('data', (data) => {
			this.errors += data;
		});
		this.ended = new Promise((resolve) => this.child.on('close', resolve));
		this.n = 0;
	}

	// Runs statements and waits for their end.
	async run(sql) {
		const done = `done-${++this.n}`;
		this.child.stdin.write(`${sql};\nSELECT '${done}';\n`);
		await until(() => this.out.includes(`${done}\n`), sql, 60000);
	}

	async end() {
		Session.open.delete(this);
		this.child.stdin.end('ROLLBACK;\n');
		await this.ended;
	}
}
