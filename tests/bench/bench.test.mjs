// The bench itself, with very little of everything: each part runs, every
// contender answers, table and plots are there, and nothing is left. How fast
// anything is doesn't matter here.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT } from '../integration/lib/events.mjs';
import {
	processName, processesOf, signal, until,
} from '../integration/lib/processes.mjs';
import { CONTENDERS } from './lib/contenders.mjs';

const BUILD = process.env.STRIPEHOOK_TEST_BUILD ??
	path.join(ROOT, 'var/build');
const LITTLE = ['--quick', '--runs', '1', '--seconds', '0.9',
	'--connections', '1,8'];

let state;
before(() => {
	state = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-test-bench-'));
	fs.symlinkSync(BUILD, path.join(state, 'build'));
});
after(() => fs.rmSync(state, { recursive: true, force: true }));

function bench(args) {
	const child = spawn('setpriv', ['--pdeathsig', 'TERM',
		path.join(ROOT, 'scripts/bench'), ...args],
	{ env: { ...process.env, STRIPEHOOK_STATE_DIR: state },
		stdio: ['ignore', 'pipe', 'pipe'] });
	const result = { child, output: '' };
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (data) => {
			result.output += data;
		});
	result.ended = new Promise((resolve) => {
		child.on('close', (code) => {
			result.over = true;
			resolve(code);
		});
	});
	return result;
}

const nothingLeft = async () => {
	await until(() => processesOf(state).length === 0, 'no process');
	assert.equal(fs.existsSync(path.join(state, 'bench/state')), false);
};

test('every part and contender is measured, and shown', async () => {
	const run = bench(LITTLE);
	assert.equal(await run.ended, 0, run.output);
	const out = path.join(state, 'bench');
	const results = JSON.parse(
		fs.readFileSync(path.join(out, 'results.json'), 'utf8'));
	const text = fs.readFileSync(path.join(out, 'results.txt'), 'utf8');
	for (const [name, { title }] of Object.entries(CONTENDERS)) {
		const { points } = results.path.contenders[name];
		assert.deepEqual(Object.keys(points), ['plain-1', 'plain-8']);
		for (const point of Object.values(points))
			assert.equal(point.not_ok, 0, `${name} refused`);
		assert.ok(text.includes(title));
	}
	assert.ok(results.path.contenders.express.stored > 0);
	assert.ok(results.growth[1000].stripe.rate.median > 0);
	assert.ok(results.status[8].rate.median > 0);
	assert.ok(results.status.flood.with.every((rate) => rate > 0));
	assert.ok(results.status.flood.polls.every(({ status }) =>
		status[200] > 0));
	assert.ok(results.push[0].told.changes > 0);
	assert.equal(results.push[0].told.lost, 0);
	assert.ok(results.overload.stored > 0);
	assert.equal(results.slow[50].runs, 1);
	for (const plot of ['rate', 'connections-plain', 'growth', 'overload',
		'slow-database']) {
		const svg = fs.readFileSync(path.join(out, `${plot}.svg`), 'utf8');
		assert.match(svg, /^<svg [^]*<\/svg>\n$/);
		assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
		assert.ok(svg.includes(results.machine.cpu));
		assert.ok(svg.length < 50000);
	}
	await nothingLeft();
});

test('what is no part or contender is refused', async () => {
	const run = bench(['--quick', 'rails']);
	assert.notEqual(await run.ended, 0);
	assert.match(run.output, /'rails' is neither a part .* nor a contender/);
});

for (const [moment, program] of [['while servers start', 'mariadbd'],
	['while it measures', 'bench-load']])
	test(`Ctrl-C ${moment} stops all that it started`, async () => {
		const run = bench([...LITTLE, '--seconds', '60', 'path', 'stripehook']);
		await until(() => run.over || processesOf(state)
			.some((pid) => processName(pid) === program), program, 600000);
		signal(run.child.pid, 'SIGINT');
		assert.equal(await run.ended, 130, run.output);
		await nothingLeft();
	});
