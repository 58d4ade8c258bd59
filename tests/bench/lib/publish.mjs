// Puts a run's table and plots where the README shows them.
import fs from 'node:fs';
import path from 'node:path';
import { mainPoint } from '../parts/path.mjs';
import { number } from './svg.mjs';
import { markdown } from './table.mjs';

const PLOTS = ['rate', 'connections-plain', 'growth', 'overload'];
const MARKS = ['<!-- bench -->', '<!-- /bench -->'];

const row = ({ title, points }, at) => {
	const s = points[at];
	return [title, number(s.rate.median), s.p50_ms.median.toFixed(1),
		s.p99_ms.median.toFixed(1),
		...['nginx', 'workers', 'database'].map((who) =>
			s.cpu_us[who].median.toFixed(0)), s.memory_mb.toFixed(0)];
};

function block(caption, data, goals) {
	const at = mainPoint(data.path);
	const goal = (g) => [g.what, `${g.least !== undefined ? '≥' : '≤'} ` +
		`${g.least ?? g.most}`, g.value >= 100 ? g.value.toFixed(0) :
		g.value.toFixed(2)];
	return [`${caption.join('. ')}.\n`,
		`![Events per second of all](tests/bench/results/rate.svg)\n`,
		`Plain HTTP, ${at.split('-')[1]} connections; µs of processor per ` +
		'event, MB of all workers together:\n',
		markdown(['', 'events/s', 'p50 ms', 'p99 ms', 'nginx µs',
			'workers µs', 'database µs', 'MB'],
		Object.values(data.path.contenders).map((c) => row(c, at))),
		markdown(['goal', 'target', 'measured'], goals.map(goal)),
		'More: [the whole table](tests/bench/results/results.txt), plots ' +
		PLOTS.slice(1).map((name) =>
			`[${name}](tests/bench/results/${name}.svg)`).join(', ') + '.\n',
	].join('\n');
}

export function publish(bench, data, goals, text) {
	const dir = path.join(bench.root, 'tests/bench/results');
	const file = path.join(bench.root, 'README.md');
	const readme = fs.readFileSync(file, 'utf8');
	const [from, to] = MARKS.map((mark) => readme.indexOf(mark));
	if (from < 0 || to < from)
		throw new Error(`${file} lacks ${MARKS.join(' and ')}`);
	fs.mkdirSync(dir, { recursive: true });
	fs.writeFileSync(path.join(dir, 'results.txt'), text);
	for (const name of PLOTS)
		fs.copyFileSync(path.join(bench.out, `${name}.svg`),
			path.join(dir, `${name}.svg`));
	fs.writeFileSync(file, readme.slice(0, from + MARKS[0].length) + '\n' +
		block(bench.caption, data, goals) + readme.slice(to));
}
