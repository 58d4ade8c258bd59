// Push: front ends that wait on the status route, by the thousand.
import readline from 'node:readline';
import {
	SECRET, STATUS_KEY, contender, processesOf, startContender,
} from '../lib/contenders.mjs';
import { measure } from '../lib/measure.mjs';
import {
	cpuSeconds, job, memoryNow, signal, sleep,
} from '../lib/processes.mjs';
import { median } from '../lib/stats.mjs';
import { number } from '../lib/svg.mjs';
import { table } from '../lib/table.mjs';

export const title = 'Push';

const RATE = 1000;		// deliveries a second beside those who wait
const CHANGES = 25;		// of what is waited for, a second
const SPELLS = 3;		// of deliveries: of a second's p99 ten decide

const numbers = ({ quick, seconds }) => !quick ? [1000, 10000] :
	seconds < 1 ? [20] : [1000];

export const places = (bench) => [contender(bench, 'stripehook', bench.db,
	{ id: 'push' })];

// What one table of waiting requests must hold.
const SETTINGS = { STRIPEHOOK_STATUS_SLOTS: '8192' };

class Park {
	constructor(bench, c, n, { rate = 0 } = {}) {
		this.child = job([bench.program('bench-park'), '-p', String(c.http),
			'-c', String(n), '-s', SECRET, '-k', STATUS_KEY, '-T', '600',
			'-R', String(rate)]);
		const lines = readline.createInterface({ input: this.child.stdout });
		this.all = new Promise((resolve, reject) => {
			lines.once('line', (line) => {
				const first = JSON.parse(line);
				this.result = first;
				resolve(first);
				lines.on('line', (next) => {
					this.result = JSON.parse(next);
				});
			});
			this.child.on('close', () => reject(new Error('bench-park ended')));
			setTimeout(() => this.child.kill(), 120000).unref();
		});
		this.ended = new Promise((resolve) => {
			this.child.on('close', resolve);
		});
	}

	async stop() {
		signal(this.child.pid, 'SIGTERM');
		await this.ended;
		return this.result;
	}
}

const total = (list) => list.reduce((a, b) => a + b, 0);
const megabytes = (c) => total(memoryNow(processesOf(c)));

// Processors that it and the database use while nothing happens: every 2 s it
// asks what other hosts have stored.
async function idleCpu(c, seconds) {
	const groups = [processesOf(c), [c.db.pid]];
	const before = groups.map(cpuSeconds);
	await sleep(seconds * 1000);
	return groups.map((pids, i) => (cpuSeconds(pids) - before[i]) / seconds);
}

async function parked(bench, c, n) {
	const { runs, seconds, warmUp } = bench.options;
	const beside = { connections: 64, rate: RATE, seconds, warmUp };
	const result = { n, alone: [], with: [], before: megabytes(c) };
	const deliver = async (list) => {
		for (let i = 0; i < SPELLS; i++)
			list.push((await measure(bench, c, beside)).p99_us / 1000);
	};
	for (let round = 0; round < runs; round++) {
		bench.progress(`round ${round + 1} of ${runs}: ${n} parked`);
		await deliver(result.alone);
		const park = new Park(bench, c, n);
		result.parking = (await park.all).parking_seconds;
		result.idle = await idleCpu(c, Math.max(1, 2 * seconds));
		result.memory = megabytes(c);
		await deliver(result.with);
		result.park = await park.stop();
		await sleep(500);
	}
	const told = new Park(bench, c, n, { rate: CHANGES });
	await told.all;
	await sleep(seconds * 3000);
	result.told = await told.stop();
	return result;
}

export async function run(bench) {
	const [c] = bench.places.push;
	await startContender(bench, c, SETTINGS);
	const results = [];
	for (const n of numbers(bench.options))
		results.push(await parked(bench, c, n));
	return report(bench, results);
}

function report(bench, results) {
	const ms = (us) => us === undefined ? '' : (us / 1000).toFixed(1);
	const rows = results.map((r) => [`${number(r.n)} parked`,
		r.before.toFixed(0), r.memory.toFixed(0), r.idle.map((n) => (100 * n).toFixed(1)).join(' + '),
		median(r.alone).toFixed(2), median(r.with).toFixed(2),
		ms(r.told.answer_to_push?.p50_us), ms(r.told.answer_to_push?.p99_us),
		String(r.told.changes), String(r.told.lost),
		String(r.told.refused + r.told.broken)]);
	return { data: results, plots: {}, text: 'Server-sent events through ' +
		'nginx. MB: memory of all of stripehookd, before and with them. ' +
		'idle: % of a\nprocessor that it and the database use while nothing ' +
		`happens. p99: ms, of ${number(RATE)} deliveries a second\nwithout ` +
		'and with them. told: ms from the answer to a delivery until the ' +
		'front end that waits for it knows.\n' +
		table(['', 'MB before', 'MB with', 'idle %', 'p99 without',
			'p99 with', 'told p50', 'told p99', 'changes', 'lost', 'refused'],
		rows) };
}
