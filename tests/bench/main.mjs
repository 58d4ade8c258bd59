// The bench: starts servers, measures part after part, writes table and plots.
// See scripts/bench for what it is for and how it is called.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { budget } from './lib/budget.mjs';
import { CONTENDERS, endContender } from './lib/contenders.mjs';
import { Database, SETTINGS } from './lib/database.mjs';
import { describe, inWords } from './lib/machine.mjs';
import { publish } from './lib/publish.mjs';
import { stopAll } from './lib/processes.mjs';
import { startWeb } from './lib/web.mjs';
import * as growth from './parts/growth.mjs';
import * as overload from './parts/overload.mjs';
import * as wholePath from './parts/path.mjs';
import * as push from './parts/push.mjs';
import * as slow from './parts/slow.mjs';
import * as status from './parts/status.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)),
	'../..');
const PARTS = { path: wholePath, growth, status, push, overload, slow };

// 'KEY=VALUE...' or 'BUILD=DIRECTORY': another stripehook.
function variant(text) {
	const pairs = text.split(/\s+/).filter(Boolean)
		.map((pair) => /^([A-Z_]+)=(.+)$/.exec(pair));
	if (pairs.length === 0 || pairs.includes(null))
		throw new Error(`--beside '${text}' is not KEY=VALUE...`);
	const { BUILD: build, ...settings } =
		Object.fromEntries(pairs.map(([, key, value]) => [key, value]));
	return { text, build, settings };
}

function options(argv) {
	const { values, positionals } = parseArgs({ args: argv,
		allowPositionals: true, options: {
			quick: { type: 'boolean' }, keep: { type: 'boolean' },
			only: { type: 'string', multiple: true },
			runs: { type: 'string' }, seconds: { type: 'string' },
			connections: { type: 'string' }, plain: { type: 'boolean' },
			beside: { type: 'string', multiple: true },
			publish: { type: 'boolean' },
		} });
	const quick = values.quick ?? false;
	const only = [...values.only ?? [], ...positionals]
		.flatMap((text) => text.split(/[ ,]+/)).filter(Boolean);
	if (values.publish && (quick || only.length > 0))
		throw new Error('--publish is for a full run');
	for (const name of only)
		if (!(name in PARTS) && !(name in CONTENDERS))
			throw new Error(`'${name}' is neither a part ` +
				`(${Object.keys(PARTS).join(' ')}) nor a contender ` +
				`(${Object.keys(CONTENDERS).join(' ')})`);
	const seconds = Number(values.seconds ?? (quick ? 1 : 3));
	return {
		quick, only, keep: values.keep ?? false,
		publish: values.publish ?? false, seconds,
		runs: Number(values.runs ?? 3),
		warmUp: Math.min(0.3, seconds / 2),
		connections: (values.connections ?? (quick ? '1,64' : '1,8,64,256'))
			.split(',').map(Number),
		beside: (values.beside ?? []).map(variant),
		tls: values.plain || quick ? [false] : [false, true],
	};
}

class Bench {
	constructor(opts) {
		const state = path.resolve(ROOT, process.env.STRIPEHOOK_STATE_DIR ||
			'var');
		this.root = ROOT;
		this.options = opts;
		this.out = path.join(state, 'bench');
		this.state = path.join(this.out, 'state');
		this.build = process.env.STRIPEHOOK_BENCH_BUILD;
		this.places = {};
		const parts = opts.only.filter((name) => name in PARTS);
		const who = opts.only.filter((name) => name in CONTENDERS);
		this.parts = Object.keys(PARTS).filter((name) =>
			parts.length === 0 || parts.includes(name));
		this.wants = (name) => who.length === 0 || who.includes(name);
	}

	program(name, build = this.build) {
		return path.join(build, name);
	}

	progress(words) {
		if (process.stdout.isTTY)
			process.stdout.write(`\r\x1b[K${words}`);
	}

	async start() {
		fs.rmSync(this.state, { recursive: true, force: true });
		fs.mkdirSync(this.state, { recursive: true, mode: 0o700 });
		// The path of a unix socket has 107 bytes.
		this.run = fs.mkdtempSync(path.join(os.tmpdir(), 'sh-bench-'));
		this.machine = describe(this.out);
		this.db = await Database.start(this, 'mariadb');
		if (this.parts.includes('path') && !this.options.quick)
			this.binlog = await Database.start(this, 'mariadb-binlog',
				{ binlog: true });
		this.caption = [...inWords(this.machine),
			`MariaDB with ${SETTINGS.join(' ').replaceAll('--', '')}`];
		for (const name of this.parts)
			this.places[name] = await PARTS[name].places(this);
		this.web = await startWeb(this, Object.values(this.places).flat());
	}

	async stop() {
		await stopAll();
		if (this.run)
			fs.rmSync(this.run, { recursive: true, force: true });
		if (!this.options.keep)
			fs.rmSync(this.state, { recursive: true, force: true });
	}

	write(results) {
		const data = Object.fromEntries(Object.entries(results)
			.map(([name, { data: part }]) => [name, part]));
		const goals = budget(data);
		const words = [...Object.entries(results).map(([name, { text }]) =>
			`== ${PARTS[name].title}\n\n${text}`),
		...goals.rows.length > 0 ? [`== Budget\n\n${goals.text}`] : []];
		const all = `${this.caption.join('\n')}\n\n${words.join('\n')}`;
		fs.writeFileSync(path.join(this.out, 'results.json'), JSON.stringify({
			machine: this.machine, mariadb: SETTINGS, options: this.options,
			budget: goals.rows, ...data }, null, '\t') + '\n');
		fs.writeFileSync(path.join(this.out, 'results.txt'), all);
		for (const { plots } of Object.values(results))
			for (const [name, svg] of Object.entries(plots))
				fs.writeFileSync(path.join(this.out, `${name}.svg`), svg);
		if (this.options.publish)
			publish(this, data, goals.rows, all);
		process.stdout.write(`\n${all}\n`);
		console.log(`written: ${path.relative(process.cwd(), this.out)}/` +
			'results.txt results.json *.svg');
	}
}

async function main() {
	const bench = new Bench(options(process.argv.slice(2)));
	let stopping;
	let interrupted = false;
	const stop = () => stopping ??= bench.stop();
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'])
		process.on(name, () => {
			interrupted = true;
			stop().finally(() => process.exit(130));
		});
	try {
		await bench.start();
		const results = {};
		for (const name of bench.parts) {
			console.log(`-- ${PARTS[name].title}`);
			results[name] = await PARTS[name].run(bench);
			for (const c of bench.places[name])
				await endContender(c);
			bench.progress('');
		}
		bench.write(results);
	} catch (error) {
		if (!interrupted)
			throw error;
	} finally {
		await stop();
	}
}

main().catch((error) => {
	console.error(`scripts/bench: ${error.message}`);
	if (process.env.STRIPEHOOK_BENCH_TRACE)
		console.error(error.stack);
	process.exit(1);
});
