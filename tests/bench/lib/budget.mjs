// What speed is promised, and what was measured: ratios within one run.
import { median } from './stats.mjs';
import { table } from './table.mjs';

const at = (r, id, point = 'plain-64') =>
	r.path?.contenders[id]?.points[point];
const parked = (r) => r.push?.find(({ n }) => n === 10000);
const rate = (r, id, point) => at(r, id, point)?.rate.median;

// get: the figure, undefined where it wasn't measured. A limit is a least
// value, or a most.
const BUDGET = [
	{ what: 'times the rate of Django', least: 20,
		get: (r) => rate(r, 'stripehook') / rate(r, 'django') },
	{ what: 'times the rate of Express', least: 4,
		get: (r) => rate(r, 'stripehook') / rate(r, 'express') },
	{ what: 'of the rate with the database left out', least: 0.6,
		get: (r) => rate(r, 'stripehook') / rate(r, 'nodb') },
	{ what: 'µs of database processor per event, under load', most: 50,
		get: (r) => at(r, 'stripehook')?.cpu_us.database.median },
	{ what: 'of the rate without binary log, with it', least: 0.9,
		get: (r) => rate(r, 'stripehook-binlog') / rate(r, 'stripehook') },
	{ what: 'ms, p50 of one event at a time (fsync of 0.1 ms)', most: 1,
		get: (r) => at(r, 'stripehook', 'plain-1')?.p50_ms.median },
	{ what: 'MB resident, the largest worker', most: 16,
		get: (r) => at(r, 'stripehook')?.worker_mb },
	{ what: 'of the rate with none stored, with 10 million', least: 0.9,
		get: (r) => r.growth?.[10000000]?.stripe.rate.median /
			r.growth?.[0].stripe.rate.median },
	{ what: 'MB, all of stripehookd with 10,000 parked', most: 300,
		get: (r) => parked(r)?.memory },
	{ what: 'times the p99 of deliveries without, with 10,000 parked',
		most: 1.3, get: (r) => median(parked(r)?.with ?? []) /
			median(parked(r)?.alone ?? []) },
	{ what: 'of the rate without polls, beside 2,000 a second', least: 0.8,
		get: (r) => median(r.status?.flood.with ?? []) /
			median(r.status?.flood.alone ?? []) },
	{ what: 'of the peak rate, when 4 times that is offered', least: 0.9,
		get: (r) => r.overload?.of_peak },
	{ what: 'ms, p99 of a refusal then', most: 1000,
		get: (r) => r.overload?.refused.n > 0 ?
			r.overload.refused.sent_p99_us / 1000 : undefined },
	{ what: 'of the rate without delay, at 5 ms per round trip', least: 0.6,
		get: (r) => r.slow?.[5].rate.median / r.slow?.[0].rate.median },
];

// results: the parts' data. Rows for what was measured.
export function budget(results) {
	const rows = BUDGET.map(({ what, least, most, get }) => {
		const value = get(results);
		return { what, least, most, value, met: least !== undefined ?
			value >= least : value <= most };
	}).filter(({ value }) => Number.isFinite(value));
	const text = table(['', 'target', 'measured', ''], rows.map((row) => [
		row.what, row.least !== undefined ? `≥ ${row.least}` : `≤ ${row.most}`,
		row.value >= 100 ? row.value.toFixed(0) : row.value.toFixed(2),
		row.met ? 'met' : 'MISSED']));
	return { rows, text };
}
