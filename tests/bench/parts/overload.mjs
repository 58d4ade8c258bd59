// Four times more deliveries than can be stored, at a constant rate that
// waits for nobody: what is stored, how quickly the rest is refused, and how
// soon it is over.
import {
	contender, processesOf, startContender,
} from '../lib/contenders.mjs';
import { load, loadArguments, measure } from '../lib/measure.mjs';
import { memoryNow } from '../lib/processes.mjs';
import { lines, number } from '../lib/svg.mjs';
import { table } from '../lib/table.mjs';

export const title = 'Overload';

const CONNECTIONS = 2048;
const FACTOR = 4;

export const places = (bench) => [contender(bench, 'stripehook', bench.db,
	{ id: 'overload' })];

const total = (list) => list.reduce((a, b) => a + b, 0);

// Milliseconds from the start until a whole step had no refusal.
function recovery({ series, series_ms: step }) {
	const last = series.findLastIndex(([, refused, other]) =>
		refused + other > 0);
	return (last + 1) * step;
}

export async function run(bench) {
	const { seconds, warmUp } = bench.options;
	const [c] = bench.places.overload;
	const offer = (rate, time) => load(bench, loadArguments(bench, c,
		{ connections: CONNECTIONS, seconds: time, rate }));
	await startContender(bench, c);
	bench.progress('the peak');
	const peak = await measure(bench, c,
		{ connections: 256, seconds: seconds * 2, warmUp });
	const before = total(memoryNow(processesOf(c)));
	const rate = Math.round(peak.ok_rate * FACTOR);
	bench.progress(`${rate} a second`);
	const over = await offer(rate, seconds * 4);
	const calm = await offer(Math.round(peak.ok_rate / 2), seconds);
	const after = total(memoryNow(processesOf(c)));
	return report(bench, { peak, over, calm, rate, before, after });
}

function report(bench, { peak, over, calm, rate, before, after }) {
	const data = { peak: peak.ok_rate, offered: rate, answered: over.rate,
		stored: over.ok_rate, of_peak: over.ok_rate / peak.ok_rate,
		status: over.status, ok: over.ok, refused: over.refused,
		other: over.other, recovery_ms: recovery(calm), calm: calm.ok,
		load_cpu: over.cpu_seconds / over.seconds,
		memory_mb: { before, after }, series: over.series,
		series_ms: over.series_ms };
	const rows = [
		['peak, 256 connections', number(peak.ok_rate), '', ''],
		[`offered: ${FACTOR} times that`, number(rate), '', ''],
		['answered', number(over.rate), '', ''],
		[`stored: ${data.of_peak.toFixed(2)} of the peak`,
			number(over.ok_rate), (over.ok.sent_p50_us / 1000).toFixed(1),
			(over.ok.sent_p99_us / 1000).toFixed(1)],
		['refused with 503', number(over.refused.n / over.seconds),
			(over.refused.sent_p50_us / 1000).toFixed(1),
			(over.refused.sent_p99_us / 1000).toFixed(1)],
		['any other answer, or none',
			number(over.other.n / over.seconds), '', ''],
	];
	const at = (i) => over.series.map((point, k) =>
		[k * over.series_ms / 1000, point[i] * 1000 / over.series_ms]);
	return { data, text: table(['', 'per second', 'p50 ms', 'p99 ms'], rows) +
		`Then at half the peak: no refusal after ${data.recovery_ms} ms, ` +
		`p99 ${(calm.ok.p99_us / 1000).toFixed(1)} ms. Memory of all ` +
		`processes: ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB ` +
		`after. The load itself takes ${data.load_cpu.toFixed(2)} ` +
		'processors of the same machine.\n',
	plots: { overload: lines({
		title: `${FACTOR} times the peak rate offered`,
		xLabel: 'seconds', yLabel: 'answers per second',
		series: [{ name: '200, stored', points: at(0) },
			{ name: '503, refused', points: at(1) },
			{ name: 'other, or none', points: at(2) }],
		caption: bench.caption }) } };
}
