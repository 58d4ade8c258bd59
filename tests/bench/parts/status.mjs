// The status route: polls of front ends that ask again and again, and what a
// flood of them leaves to the deliveries.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
	STATUS_KEY, contender, processesOf, startContender,
} from '../lib/contenders.mjs';
import { load, loadArguments, measure } from '../lib/measure.mjs';
import { sleep } from '../lib/processes.mjs';
import { median, summary } from '../lib/stats.mjs';
import { number } from '../lib/svg.mjs';
import { table } from '../lib/table.mjs';

export const title = 'Status route';

const OBJECTS = 1000;
const FLOOD = 2000;		// polls a second
const LEAD_MS = 100;		// of the flood, before deliveries are counted

export const places = (bench) => [contender(bench, 'stripehook', bench.db,
	{ id: 'status' })];

// As 'stripehookctl token' makes it; see src/stripe/token.h.
function token(id) {
	const signed = `${Math.floor(Date.now() / 1000) + 3600}`;
	return `sht1.${signed}.` + crypto.createHmac('sha256', STATUS_KEY)
		.update(`sht1.${id}.${signed}`).digest('hex');
}

// Deliveries without polls and beside them, in turns.
async function flood(bench, c, requests) {
	const { runs, seconds, warmUp } = bench.options;
	const deliveries = { connections: 64, seconds, warmUp };
	const polls = loadArguments(bench, c, { connections: 64, rate: FLOOD,
		seconds: seconds + warmUp + 1, requests });
	const result = { alone: [], with: [], polls: [] };
	const alone = async () => result.alone.push(
		(await measure(bench, c, deliveries)).ok_rate);
	const beside = async () => {
		const polling = load(bench, polls);
		await sleep(LEAD_MS);
		result.with.push((await measure(bench, c, deliveries)).ok_rate);
		result.polls.push(await polling);
	};
	for (let round = 0; round < runs; round++) {
		bench.progress(`round ${round + 1} of ${runs}: deliveries and polls`);
		// The fuller the tables, the slower: so each is first in its turn.
		if (round % 2 === 0)
			await alone();
		await beside();
		if (round % 2 === 1)
			await alone();
	}
	return result;
}

export async function run(bench) {
	const { connections, runs, seconds, warmUp } = bench.options;
	const [c] = bench.places.status;
	const results = {};
	await startContender(bench, c);
	await load(bench, loadArguments(bench, c,
		{ count: OBJECTS, resend: true }));
	const ids = (await c.db.sql('SELECT stripe_payment_intent_id FROM ' +
		`${c.database}.payments`)).split('\n');
	const requests = path.join(bench.state, 'status-requests');
	fs.writeFileSync(requests, ids.map((id) =>
		`/api/webhooks/status/${id} ${token(id)}\n`).join(''));
	for (let round = 0; round < runs; round++)
		for (const n of connections) {
			bench.progress(`round ${round + 1} of ${runs}: ${n} connections`);
			(results[n] ??= []).push(await measure(bench, c,
				{ connections: n, seconds, warmUp, requests }));
		}
	return report(c, results, await flood(bench, c, requests));
}

function floodText({ alone, with: beside, polls }) {
	const all = polls.map(({ rate, p99_us: p99 }) => [rate, p99 / 1000]);
	return `\n64 connections deliver ${number(median(alone))} a second ` +
		`alone, ${number(median(beside))} beside\n` +
		`${number(median(all.map(([rate]) => rate)))} polls a second, whose ` +
		`p99 is then ${median(all.map(([, p99]) => p99)).toFixed(1)} ms.\n`;
}

function report(c, results, polled) {
	const data = Object.fromEntries(Object.entries(results).map(
		([n, runs]) => [n, summary(runs)]));
	const rows = Object.entries(data).map(([n, s]) => [
		`${n} connection${n === '1' ? '' : 's'}`, number(s.rate.median),
		`${number(s.rate.low)}…${number(s.rate.high)}`,
		s.p50_ms.median.toFixed(2), s.p99_ms.median.toFixed(2),
		...['nginx', 'workers', 'database', 'load'].map((who) =>
			s.cpu_us[who].median.toFixed(0)),
		s.not_ok === 0 ? '' : String(s.not_ok)]);
	return { data: { ...data, flood: polled }, plots: {},
		text: 'Polls of 1,000 payments with a token, plain HTTP; ' +
		`${processesOf(c).length} processes.\n` +
		table(['', 'answers/s', 'lowest…highest', 'p50 ms', 'p99 ms',
			'nginx µs', 'workers µs', 'database µs', 'load µs', 'not 200'],
		rows) + floodText(polled) };
}
