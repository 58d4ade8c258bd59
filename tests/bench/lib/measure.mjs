// One measurement: a load, and what it costs whom.
import path from 'node:path';
import readline from 'node:readline';
import { SECRET, processesOf } from './contenders.mjs';
import { cpuSeconds, job, peakMemory, sleep, tree } from './processes.mjs';

// For what the one before left to do: log files, dirty pages.
const PAUSE_MS = 150;

// Runs bench-load; calls warm() when its warm-up is over.
export function load(bench, args, warm = () => {}) {
	return new Promise((resolve, reject) => {
		const child = job([bench.program('bench-load'), ...args]);
		let result;
		readline.createInterface({ input: child.stdout })
			.on('line', (line) => {
				if (line === 'warm')
					warm();
				else
					result = JSON.parse(line);
			});
		child.on('error', reject);
		child.on('close', (code) => result === undefined ?
			reject(new Error(`bench-load ${args.join(' ')}: ${code}`)) :
			resolve(result));
	});
}

export const loadArguments = (bench, c, { tls = false, connections = 64,
	seconds, count, warmUp = 0, rate, resend, duplicates, randomIds,
	requests } = {}) => [
	'--port', String(tls ? c.https : c.http), ...(tls ? ['--tls'] : []),
	'--connections', String(connections), '--secret', SECRET,
	...(requests ? ['--requests', requests] : ['--template',
		path.join(bench.root, 'tests/bench/payment_intent.json')]),
	...(count ? ['--count', String(count)] : ['--seconds', String(seconds)]),
	...(warmUp ? ['--warm-up', String(warmUp)] : []),
	...(rate ? ['--rate', String(rate)] : []),
	...(resend ? ['--resend'] : []),
	...(duplicates ? ['--duplicates', String(duplicates)] : []),
	...(randomIds ? ['--random-ids'] : []),
];

// Has it answer a few, so that nobody is measured while it loads or compiles.
export async function rehearse(bench, c, count = 100) {
	const { status } = await load(bench, loadArguments(bench, c,
		{ connections: 8, count }));
	if (status[200] !== count)
		throw new Error(`${c.title} answers ${JSON.stringify(status)}; its ` +
			`log is ${c.log}, with --keep`);
}

// Who uses processor time, by group.
const groups = (bench, c) => ({
	nginx: tree(bench.web.pid),
	workers: processesOf(c),
	database: c.start === undefined ? [] : [c.db.pid],
});

const times = (all) => Object.fromEntries(Object.entries(all)
	.map(([name, pids]) => [name, cpuSeconds(pids)]));

// The load's result, with microseconds of processor per answer and the peak
// memory (megabytes) of the contender's processes.
export async function measure(bench, c, options) {
	await sleep(PAUSE_MS);
	const all = groups(bench, c);
	const before = times(all);
	const result = await load(bench, loadArguments(bench, c, options));
	const after = times(all);
	const each = (name, seconds) =>
		[name, seconds * 1e6 / Math.max(1, result.answers_ever)];
	result.cpu_us = Object.fromEntries([
		...Object.keys(all).map((name) =>
			each(name, after[name] - before[name])),
		each('load', result.cpu_seconds),
	]);
	const memory = peakMemory(all.workers);
	result.memory_mb = memory.reduce((a, b) => a + b, 0);
	result.worker_mb = Math.max(0, ...memory);
	return result;
}
