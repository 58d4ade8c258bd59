// A tool that is stopped while it has its lock, for longer than it may trust it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { sleep } from './processes.mjs';
import { BUILD } from './server.mjs';

const LONG_MS = 5500;		// see FRESH_MS in src/store/tool_lock.c

export class Stopped {
	// server has the arguments and the environment of its stripehookctl.
	constructor(server, args) {
		this.child = spawn(path.join(BUILD, 'stripehookctl'),
			[...server.configArguments, ...args],
			{ env: server.env, stdio: ['ignore', 'ignore', 'pipe'] });
		this.stderr = '';
		this.child.stderr.on('data', (text) => {
			this.stderr += text;
		});
		this.ended = new Promise((resolve) =>
			this.child.on('close', (code) => {
				this.code = code;
				resolve();
			}));
	}

	get pid() {
		return this.child.pid;
	}

	// Where look() gives what is wanted; it is stopped again and again, so
	// that it can't be done before.
	async at(look, wanted) {
		for (;;) {
			this.child.kill('SIGSTOP');
			this.seen = await look();
			if (wanted(this.seen))
				return;
			if (this.code !== undefined)
				throw new Error(`it has ended: ${this.stderr}`);
			this.child.kill('SIGCONT');
			await sleep(2);
		}
	}

	async goOn() {
		await sleep(LONG_MS);
		this.child.kill('SIGCONT');
		await this.ended;
		return { code: this.code, stderr: this.stderr };
	}
}
