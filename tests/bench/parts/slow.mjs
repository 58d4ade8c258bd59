// A burst, as at the start of a month, with a database that is far away.
import path from 'node:path';
import { contender, startContender, stored } from '../lib/contenders.mjs';
import { measure } from '../lib/measure.mjs';
import { listens, answers, start } from '../lib/processes.mjs';
import { summary } from '../lib/stats.mjs';
import { bars, number } from '../lib/svg.mjs';
import { table } from '../lib/table.mjs';

export const title = 'Slow database';

const CONNECTIONS = 256;
const DELAYS = [0, 5, 50];	// milliseconds per round trip

export const places = (bench) => DELAYS.map((ms) => ({
	...contender(bench, 'stripehook', bench.db, { id: `slow-${ms}`,
		title: ms === 0 ? 'no delay' : `${ms} ms per round trip` }),
	ms, dbSocket: path.join(bench.run, `slow-${ms}-db.sock`) }));

// Also without delay there is a proxy, so that its own cost is the same.
async function startPlace(bench, c) {
	const proxy = start(`bench-delay ${c.ms} ms`,
		[bench.program('bench-delay'), c.dbSocket, c.db.socket, String(c.ms)],
		{ log: c.log });
	await answers(proxy, () => listens(c.dbSocket));
	await startContender(bench, c);
}

export async function run(bench) {
	const { quick, runs, seconds } = bench.options;
	const count = !quick ? 100000 : seconds < 1 ? 300 : 20000;
	const list = bench.places.slow;
	const results = {};
	for (const c of list)
		await startPlace(bench, c);
	for (let round = 0; round < (quick ? 1 : runs); round++)
		for (const c of list) {
			bench.progress(`round ${round + 1}: ${c.title}`);
			(results[c.id] ??= []).push(await measure(bench, c,
				{ connections: CONNECTIONS, count, resend: true }));
		}
	for (const c of list) {
		const n = await stored(c);
		if (n !== count * results[c.id].length)
			throw new Error(`${c.title}: ${n} events are stored`);
	}
	return report(bench, list, results, count);
}

function report(bench, list, results, count) {
	const data = Object.fromEntries(list.map((c) =>
		[c.ms, summary(results[c.id])]));
	const rows = list.map((c) => {
		const s = data[c.ms];
		return [c.title, number(s.rate.median),
			`${number(s.rate.low)}…${number(s.rate.high)}`,
			(s.rate.median / data[0].rate.median).toFixed(2),
			s.p50_ms.median.toFixed(1), s.p99_ms.median.toFixed(1),
			s.cpu_us.database.median.toFixed(0), String(s.not_ok)];
	});
	return { data, text: `A burst of ${number(count)} events over ` +
		`${CONNECTIONS} connections; what is refused is sent again.\n` +
		table(['', 'events/s', 'lowest…highest', 'of that with none',
			'p50 ms', 'p99 ms', 'database µs', 'refused'], rows),
	plots: { 'slow-database': bars({
		title: `A burst of ${number(count)} events, ${CONNECTIONS} ` +
			'connections, database at a distance',
		unit: 'events/s (whisker: lowest and highest run)',
		rows: list.map((c) => ({ label: c.title,
			value: data[c.ms].rate.median, low: data[c.ms].rate.low,
			high: data[c.ms].rate.high })),
		caption: bench.caption }) } };
}
