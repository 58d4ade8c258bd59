// Very many deliveries, a fifth of them duplicates, and what they leave: every
// event once, no process that grew, none that was started again.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { ROOT } from '../integration/lib/events.mjs';
import { children, processName, resident, sleep } from
	'../integration/lib/processes.mjs';
import { Server, metric } from '../integration/lib/server.mjs';
import { Play } from './play.mjs';

const CONNECTIONS = 64;
const DUPLICATES = 20;		// percent
// Events in n deliveries; some more, since chance says what is a duplicate.
const events = (n) => Math.round(n * (1 - DUPLICATES / 100) * 1.002);
const WARM = 100000;		// deliveries, from which on nothing may grow
const GROWTH = 1.1;
const SAMPLE_MS = 1000;
const PREFIX = 'evt_soak';
const LIKE = 'evt\\_%soak';	// what bench-load makes of it
const TEMPLATE = path.join(ROOT, 'tests/bench/payment_intent.json');

// The servers' processes: a name and a process id each.
const processes = (server) => [
	['master', server.master],
	...children(server.master).map((pid) => [processName(pid), pid]),
	['nginx master', server.pid('nginx')],
	...children(server.pid('nginx')).map((pid) => ['nginx worker', pid]),
	['mariadbd', server.pid('mariadbd')],
].sort();

const answered = async (server) => metric(await server.metrics(),
	'stripehook_requests_total', 'pool="ingest"');

function deliver(server, n, ledger) {
	const child = spawn(path.join(server.build, 'bench-load'), [
		'-p', server.httpPort, '-c', CONNECTIONS,
		'-n', events(n), '-d', DUPLICATES,
		'-s', server.secret, '-i', PREFIX, '-l', ledger, '-t', TEMPLATE, '-r',
	].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
	let output = '';
	child.stdout.on('data', (data) => {
		output += data;
	});
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code) => code === 0 ?
			resolve(JSON.parse(output)) :
			reject(new Error(`bench-load: exit status ${code} ${output}`)));
	});
}

// Resident memory of each process, in kB, until done: [[deliveries, sizes]].
async function sample(play, server, pids, done) {
	const samples = [];
	let shown = 0;
	for (let going = true; going;) {
		going = await Promise.race([done.then(() => false, () => false),
			sleep(SAMPLE_MS).then(() => true)]);
		const n = await answered(server);
		samples.push([n, pids.map(([, pid]) => resident(pid))]);
		if (n >= shown + WARM || !going) {
			shown = n - n % WARM;
			play.say(`${n} deliveries`);
		}
	}
	return samples;
}

async function distinct(file) {
	const ids = new Set();
	let lines = 0;
	for await (const line of readline.createInterface(
		{ input: fs.createReadStream(file) })) {
		ids.add(line);
		lines++;
	}
	return { ids: ids.size, lines };
}

function judgeMemory(play, pids, samples) {
	const warm = samples.findIndex(([n]) => n >= WARM);
	const base = samples[warm][1];
	pids.forEach(([name, pid], i) => {
		const sizes = samples.slice(warm).map(([, list]) => list[i]);
		const most = Math.max(...sizes);
		const last = sizes[sizes.length - 1];
		play.check(most <= base[i] * GROWTH && last >= base[i] / GROWTH,
			`memory of ${name} (${pid}): ${base[i]} kB after ${
				samples[warm][0]} deliveries, ${last} kB at the end, ${
				most} kB at most`);
	});
}

async function judgeStored(play, server, ledger, n) {
	const { ids, lines } = await distinct(ledger);
	const template = fs.readFileSync(TEMPLATE).toString('hex');
	const [row] = await server.sql('SELECT COUNT(*) AS stored, ' +
		"SUM(status = 'processed') AS processed, " +
		'SUM(deliveries) AS deliveries, SUM(payload = REPLACE(' +
		`UNHEX('${template}'), '@N', SUBSTRING(stripe_event_id, 5))) AS same ` +
		`FROM webhook_events WHERE stripe_event_id LIKE '${LIKE}'`);
	play.check(ids === events(n) &&
		Number(row.stored) === ids && Number(row.processed) === ids,
	`${ids} events answered 2xx, ${row.stored} stored, ${
		row.processed} processed`);
	play.check(Number(row.same) === ids,
		`${row.same} bodies are those that were sent, byte for byte`);
	play.check(Number(row.deliveries) >= lines,
		`${row.deliveries} deliveries counted, ${lines} answered 2xx`);
	const rows = await server.count('payments',
		`stripe_payment_intent_id LIKE '${LIKE.replace('evt', 'pi')}'`);
	play.check(rows === ids, `${rows} payments`);
}

// Plays n deliveries; returns the counts of checks.
export async function soak(n) {
	const play = new Play();
	const server = await Server.start();
	const ledger = path.join(server.dir, 'ledger');
	const pids = processes(server);
	const done = deliver(server, n, ledger);
	const samples = await sample(play, server, pids, done);
	await play.attempt('all deliveries are answered 2xx', async () => {
		const { answers, rate, status, seconds } = await done;
		return `${answers} answers in ${Math.round(seconds)} s, ${
			Math.round(rate)} a second: ${JSON.stringify(status)}`;
	});
	play.check(JSON.stringify(processes(server)) === JSON.stringify(pids),
		'no process was started again', JSON.stringify(processes(server)));
	judgeMemory(play, pids, samples);
	await judgeStored(play, server, ledger, n);
	const { left } = await server.stop();
	play.check(left.length === 0, 'nothing is left running');
	return play;
}
