// What was measured on: processor, kernel, disk, versions.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const SYNCS = 300;

const version = (program, args, pattern) => {
	const out = execFileSync('sh', ['-c', `${program} ${args} 2>&1`],
		{ encoding: 'utf8' });
	return pattern.exec(out)?.[1] ?? out.trim();
};

// Milliseconds until 4 kB are on the disk under dir: median of many.
export function fsyncTime(dir) {
	const file = path.join(dir, 'fsync-test');
	const fd = fs.openSync(file, 'w');
	const block = Buffer.alloc(4096, 'x');
	const times = [];
	for (let i = 0; i < SYNCS; i++) {
		const begin = process.hrtime.bigint();
		fs.writeSync(fd, block, 0, block.length, i * block.length);
		fs.fdatasyncSync(fd);
		times.push(Number(process.hrtime.bigint() - begin) / 1e6);
	}
	fs.closeSync(fd);
	fs.rmSync(file);
	return times.sort((a, b) => a - b)[SYNCS / 2];
}

export function describe(dir) {
	return {
		cpu: os.cpus()[0].model.trim(),
		cores: os.cpus().length,
		memoryGB: Math.round(os.totalmem() / 2 ** 30),
		kernel: os.release(),
		system: /^PRETTY_NAME="(.*)"$/m.exec(
			fs.readFileSync('/etc/os-release', 'utf8'))?.[1],
		fsyncMs: Number(fsyncTime(dir).toFixed(3)),
		mariadb: version('mariadbd', '--version', /Ver (\S+)/),
		nginx: version('nginx', '-v', /nginx\/(\S+)/),
		node: process.version.slice(1),
		when: new Date().toISOString().slice(0, 16).replace('T', ' '),
	};
}

export const inWords = (m) => [
	`${m.cpu}, ${m.cores} cores, ${m.memoryGB} GB; ${m.system}, ` +
	`Linux ${m.kernel}`,
	`MariaDB ${m.mariadb}, nginx ${m.nginx}, Node ${m.node}; ` +
	`fsync of 4 kB takes ${m.fsyncMs.toFixed(2)} ms; ${m.when} UTC`,
];
