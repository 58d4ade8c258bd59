// Disks, memory and descriptors run out.
import fs from 'node:fs';
import path from 'node:path';
import { makePayment } from '../../integration/lib/events.mjs';
import {
	alive, descriptors, signal, sleep, threads, until, writable,
} from '../../integration/lib/processes.mjs';
import { limit } from '../rig.mjs';

const keeps = ['ingest', 'status'];
const MIB = 1 << 20;

// Limits of processes for a while, which then are as before.
async function limited({ say }, what, soft, pids, action) {
	say(`${what} at most ${soft} (${pids.join(', ')})`);
	try {
		for (const pid of pids)
			await limit(what, pid, soft);
		await action();
	} finally {
		for (const pid of pids)
			if (alive(pid))
				await limit(what, pid, 'hard');
	}
}

function largestFile(dir) {
	let most = 0;
	for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
		const file = path.join(dir, entry.name);
		if (entry.isDirectory())
			most = Math.max(most, largestFile(file));
		else if (fs.existsSync(file))
			most = Math.max(most, fs.statSync(file).size);
	}
	return most;
}

// Large events until one is refused.
async function fill({ traffic, load }, what) {
	const before = load.statuses.get(503) ?? 0;
	for (let i = 0; (load.statuses.get(503) ?? 0) === before; i++) {
		if (i === 200)
			throw new Error(`${what}: nothing was refused`);
		await traffic.send(makePayment({ description:
			`${i}`.padEnd(600000, 'x') }));
	}
}

// A megabyte of text that takes 36 when it is parsed, more than malloc has in
// reserve.
function sendHungry(traffic) {
	const event = makePayment({ unknown: Array(500000).fill(1) });
	return traffic.send(event, JSON.stringify(event));
}

// Kills an ingest worker; returns the one that comes instead, at once.
function newWorker(rig, random) {
	const old = rig.workers();
	const end = Date.now() + 10000;
	signal(random.pick(old), 'SIGKILL');
	while (Date.now() < end) {
		const pid = rig.workers().find((one) => !old.includes(one));
		if (pid !== undefined)
			return pid;
	}
	throw new Error('no new worker within 10 s');
}

// Lets a worker have no more memory than it has, and gives it work until it
// ends.
const starve = (ctx, pid) => limited(ctx, 'data',
	writable(pid) * 1024 + 4 * MIB, [pid], () => until(async () => {
		await sendHungry(ctx.traffic);
		return !alive(pid);
	}, 'the worker ends'));

// The log's file becomes a device that is full, and is itself again.
async function fullLog({ rig, random, say }) {
	const kept = `${rig.logFile}.kept`;
	const reopen = async () => {
		signal(rig.master, 'SIGUSR1');
		await sleep(random.int(300, 800));
	};
	say('the log is /dev/full');
	fs.renameSync(rig.logFile, kept);
	fs.symlinkSync('/dev/full', rig.logFile);
	await reopen();
	fs.unlinkSync(rig.logFile);
	fs.renameSync(kept, rig.logFile);
	const size = fs.statSync(rig.logFile).size;
	await reopen();
	await until(() => fs.statSync(rig.logFile).size > size,
		'lines in the log again');
}

const daemons = (rig) =>
	[rig.master, ...rig.workers(), ...rig.workers('status')];

export default [
	{
		name: 'disk-full-database', alone: true, answers: [503], back: 10000, keeps,
		what: 'the database can\'t write any more (RLIMIT_FSIZE)',
		run: (ctx) => limited(ctx, 'fsize',
			Math.max(largestFile(path.join(ctx.rig.state, 'mariadb')),
				12 * MIB), [ctx.rig.find('mariadbd')],
			() => fill(ctx, 'a full disk')),
	},
	{ name: 'disk-full-log', back: 500, keeps,
		what: 'the log is on a full device', run: fullLog },
	{
		name: 'disk-limit-log', back: 500, keeps,
		what: 'the log reaches a file size limit (RLIMIT_FSIZE)',
		run: (ctx) => limited(ctx, 'fsize',
			fs.statSync(ctx.rig.logFile).size, daemons(ctx.rig),
			() => sleep(ctx.random.int(500, 1500))),
	},
	{
		name: 'memory', alone: true, answers: [503], back: 2000, keeps: ['status'],
		what: 'an ingest worker has no memory left (RLIMIT_DATA)',
		async run(ctx) {
			// What a worker has had before, malloc has in reserve.
			const pid = newWorker(ctx.rig, ctx.random);
			await until(() => ctx.rig.workers().every((one) =>
				threads(one) === threads(pid)), 'all its threads');
			await ctx.rig.ready();
			await starve(ctx, pid);
		},
	},
	{
		name: 'memory-start', alone: true, answers: [503], back: 2000,
		keeps: ['status'],
		what: 'an ingest worker has no memory left when it begins',
		run: (ctx) => starve(ctx, newWorker(ctx.rig, ctx.random)),
	},
	{
		name: 'descriptors', answers: [503], back: 1000, keeps,
		what: 'ingest workers have no descriptors left (RLIMIT_NOFILE)',
		run: (ctx) => limited(ctx, 'nofile', 8,
			ctx.rig.workers().slice(0, ctx.random.int(1, 2)),
			() => sleep(ctx.random.int(500, 1500))),
	},
	{
		name: 'descriptors-nginx', answers: [0, 503], back: 1000, keeps,
		what: 'nginx workers have no descriptors left',
		run: (ctx) => limited(ctx, 'nofile', 30,
			ctx.rig.processes().get('nginx worker'),
			() => sleep(ctx.random.int(500, 1500))),
	},
	{
		name: 'descriptors-database', answers: [503], back: 3000, keeps,
		what: 'mariadbd has no descriptors left, and connections are lost',
		async run(ctx) {
			const pid = ctx.rig.find('mariadbd');
			await limited(ctx, 'nofile', Math.max(
				(descriptors(pid) ?? 40) - 2, 10), [pid], async () => {
				await ctx.rig.proxy.reset();
				await sleep(ctx.random.int(500, 1500));
			});
		},
	},
];
