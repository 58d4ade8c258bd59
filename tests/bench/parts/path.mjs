// The whole path, all contenders side by side: at several numbers of
// connections, over plain HTTP and TLS, with and without the binary log.
import {
	CONTENDERS, contender, startContender, stored,
} from '../lib/contenders.mjs';
import { measure, rehearse } from '../lib/measure.mjs';
import { summary } from '../lib/stats.mjs';
import { bars, lines, number } from '../lib/svg.mjs';
import { table } from '../lib/table.mjs';

export const title = 'Whole path';

const REHEARSAL = 100;	// events before anything is measured
const MAIN = 64;		// connections of the comparison in the budget

// Contenders of this run: those that store, with the binary log again.
export async function places(bench) {
	const names = Object.keys(CONTENDERS).filter(bench.wants);
	const list = names.map((name) => contender(bench, name, bench.db));
	if (bench.binlog)
		for (const name of names)
			if (CONTENDERS[name].durable)
				list.push(contender(bench, name, bench.binlog,
					{ id: `${name}-binlog`,
						title: `${CONTENDERS[name].title}, binary log` }));
	bench.options.beside.forEach(({ text, build, settings }, i) => {
		list.push({ ...contender(bench, 'stripehook', bench.db,
			{ id: `stripehook-${i + 2}`, title: `with ${text}` }),
		build, settings });
	});
	return list;
}

const points = ({ connections, tls }) => tls.flatMap((secure) =>
	connections.map((n) => ({ tls: secure, connections: n })));

const key = ({ tls, connections }) =>
	`${tls ? 'tls' : 'plain'}-${connections}`;

export async function run(bench) {
	const { runs, seconds, warmUp } = bench.options;
	const list = bench.places.path;
	const all = points(bench.options);
	const results = Object.fromEntries(list.map((c) => [c.id, {}]));
	for (const c of list) {
		bench.progress(`starting ${c.title}`);
		await startContender(bench, c, c.settings);
		await rehearse(bench, c, REHEARSAL);
	}
	// Every round measures each point of each contender once.
	for (let round = 0; round < runs; round++) {
		for (const point of all)
			for (const c of list) {
				bench.progress(`round ${round + 1} of ${runs}, ` +
					`${key(point)}: ${c.title}`);
				(results[c.id][key(point)] ??= []).push(await measure(bench,
					c, { ...point, seconds, warmUp }));
			}
		await bench.binlog?.sql('PURGE BINARY LOGS BEFORE NOW()');
	}
	for (const c of list)
		await checkStored(c, Object.values(results[c.id]).flat());
	return report(bench, list, all, results);
}

// What it said it has stored must be there.
async function checkStored(c, results) {
	if (!c.durable)
		return;
	const said = results.reduce((sum, { ok_ever: n }) => sum + n, REHEARSAL);
	c.stored = await stored(c);
	if (c.stored < said)
		throw new Error(`${c.title} answered 200 to ${said} events, but ` +
			`has stored ${c.stored}`);
}

function report(bench, list, all, results) {
	const data = { contenders: {}, points: all.map(key) };
	for (const c of list) {
		data.contenders[c.id] = { title: c.title, points: {} };
		for (const point of all)
			data.contenders[c.id].points[key(point)] =
				summary(results[c.id][key(point)]);
		data.contenders[c.id].stored = c.stored;
	}
	return { data, text: words(bench, data, all), plots: plots(bench, data) };
}

const row = ({ title: name }, s) => [name, number(s.rate.median),
	`${number(s.rate.low)}…${number(s.rate.high)}`,
	s.p50_ms.median.toFixed(2), s.p99_ms.median.toFixed(2),
	...['nginx', 'workers', 'database', 'load'].map((who) =>
		s.cpu_us[who].median.toFixed(0)),
	s.memory_mb.toFixed(0), s.not_ok === 0 ? '' : String(s.not_ok)];

const COLUMNS = ['', 'events/s', 'lowest…highest', 'p50 ms', 'p99 ms',
	'nginx µs', 'workers µs', 'database µs', 'load µs', 'MB', 'failed'];

function words(bench, data, all) {
	const blocks = all.map((point) => {
		const rows = Object.values(data.contenders).map((c) =>
			row(c, c.points[key(point)]));
		return `${point.connections} connection` +
			`${point.connections === 1 ? '' : 's'}, ` +
			`${point.tls ? 'TLS' : 'plain HTTP'} (median of ` +
			`${bench.options.runs} × ${bench.options.seconds} s; µs of ` +
			`processor per event; MB of all workers together)\n` +
			table(COLUMNS, rows);
	});
	return blocks.join('\n');
}

// Which point the plots and the budget are about.
export const mainPoint = (data) =>
	[`plain-${MAIN}`, ...data.points].find((name) =>
		data.points.includes(name));

const COLOUR = { stripehook: 0, nodb: 6, answer: 6, nginx: 6, four: 5,
	express: 3, django: 3 };

function plots(bench, data) {
	const at = mainPoint(data);
	const all = Object.entries(data.contenders);
	const connections = [...new Set(data.points.map((name) =>
		Number(name.split('-')[1])))];
	const result = { rate: bars({
		title: `Events per second, ${at.replace('-', ', ')} connections`,
		unit: 'events/s, stored durably before the answer where it has a ' +
			'database (whisker: lowest and highest run)',
		rows: all.map(([id, { title: label, points: p }]) => ({ label,
			value: p[at].rate.median, low: p[at].rate.low,
			high: p[at].rate.high, colour: COLOUR[id.split('-')[0]] })),
		caption: bench.caption,
	}) };
	for (const kind of ['plain', 'tls'])
		if (data.points.some((name) => name.startsWith(kind)))
			result[`connections-${kind}`] = lines({
				title: 'Events per second by connections, ' +
					(kind === 'tls' ? 'TLS' : 'plain HTTP'),
				xLabel: 'connections', yLabel: 'events/s',
				xTicks: connections,
				series: all.map(([, { title: name, points: p }]) => ({ name,
					points: connections.map((n) => {
						const { median, low, high } = p[`${kind}-${n}`].rate;
						return [n, median, low, high];
					}) })),
				caption: bench.caption,
			});
	return result;
}
