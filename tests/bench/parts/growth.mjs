// Whether stored events make the next ones slower: the same receiver on
// databases that hold none, and very many.
import fs from 'node:fs';
import { contender, startContender } from '../lib/contenders.mjs';
import { diskBytes, fill } from '../lib/fill.mjs';
import { load, loadArguments, measure } from '../lib/measure.mjs';
import { summary } from '../lib/stats.mjs';
import { bars, number } from '../lib/svg.mjs';
import { table } from '../lib/table.mjs';

export const title = 'Stored events';

const PAYLOADS_MAX = 1000000;	// the rest is pruned, as by retention

const DISK_BYTES = 2500;	// that an event takes, its payload not counted

const sizes = ({ quick, seconds }) => !quick ? [0, 1000000, 10000000] :
	seconds < 1 ? [0, 1000] : [0, 200000];

// Ten million only where there is room for them, and as much again.
function fits(bench, n) {
	const { bavail, bsize } = fs.statfsSync(bench.out);
	return n * DISK_BYTES * 2 < bavail * bsize;
}

export const places = (bench) => sizes(bench.options)
	.filter((n) => fits(bench, n))
	.map((n) => ({
		...contender(bench, 'stripehook', bench.db,
			{ id: `growth-${n}`, title: `${number(n)} stored` }),
		events: n,
	}));

export async function run(bench) {
	const { runs, seconds, warmUp } = bench.options;
	const list = bench.places.growth;
	const results = {};
	for (const c of list) {
		await startContender(bench, c);
		await load(bench, loadArguments(bench, c,
			{ connections: 1, count: 1 }));
		await fill(bench, c.db, c.database, c.events,
			Math.min(c.events, PAYLOADS_MAX));
		c.bytes = await diskBytes(c.db, c.database);
	}
	for (let round = 0; round < runs; round++)
		for (const randomIds of [false, true])
			for (const c of list) {
				bench.progress(`round ${round + 1} of ${runs}: ${c.title}`);
				((results[c.id] ??= {})[randomIds ? 'random' : 'stripe'] ??=
					[]).push(await measure(bench, c,
					{ seconds: seconds * 2, warmUp, randomIds }));
			}
	return report(bench, list, results);
}

// Of all tables, and of one event in each of three.
function disk({ bytes, payloads }, events) {
	const all = Object.values(bytes).reduce((a, b) => a + b, 0);
	const each = (table, n) => n > 0 ? (bytes[table] / n).toFixed(0) : '';
	return [(all / 2 ** 20).toFixed(0), each('event_journal', events),
		each('event_payloads', payloads), each('payments', events)];
}

function report(bench, list, results) {
	const data = Object.fromEntries(list.map((c) => [c.events, {
		bytes: c.bytes,
		payloads: Math.min(c.events, PAYLOADS_MAX),
		...Object.fromEntries(Object.entries(results[c.id]).map(
			([ids, runs]) => [ids, summary(runs)])),
	}]));
	const base = data[0];
	const rows = Object.entries(data).flatMap(([events, d]) =>
		['stripe', 'random'].map((ids) => [
			`${number(Number(events))} events, ids ` +
			(ids === 'stripe' ? 'as Stripe\'s' : 'at random'),
			number(d[ids].rate.median),
			`${number(d[ids].rate.low)}…${number(d[ids].rate.high)}`,
			(d[ids].rate.median / base[ids].rate.median).toFixed(2),
			d[ids].p99_ms.median.toFixed(1),
			d[ids].cpu_us.database.median.toFixed(0),
			...disk(d, Number(events))]));
	const text = table(['', 'events/s', 'lowest…highest', 'of that with none',
		'p99 ms', 'database µs', 'MB on disk', 'journal', 'payload',
		'payment'], rows) +
		`Payloads are kept of the newest ${number(PAYLOADS_MAX)} events; ` +
		'older ones are pruned. Bytes on disk are of each, indexes included. ' +
		'64 connections, plain HTTP.\n';
	return { data, text, plots: { growth: bars({
		title: 'Events per second with many stored',
		unit: 'events/s, 64 connections (whisker: lowest and highest run)',
		rows: rows.map(([label], i) => {
			const { rate } = Object.values(data)[i >> 1][
				i % 2 === 0 ? 'stripe' : 'random'];
			return { label, value: rate.median, low: rate.low,
				high: rate.high, colour: i % 2 === 0 ? 0 : 6 };
		}),
		caption: bench.caption }) } };
}
